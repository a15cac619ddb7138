#include "tests/support/store_world.hpp"

#include <cstdlib>
#include <stdexcept>

#include <boost/test/unit_test.hpp>

namespace sandbox::test {

namespace fs = std::filesystem;

std::string image_scripts() {
    const char* path = std::getenv("SANDBOX_TEST_IMAGES");
    if (path == nullptr) {
        throw std::runtime_error("SANDBOX_TEST_IMAGES is not set: run the tests with `make check-run`");
    }
    return path;
}

StoreWorld::StoreWorld()
    : store(home / ".local/share/sandbox"), made(directory(home / "made")),
      canary(write(home / "outside/canary", "safe")) {}

StoreWorld::~StoreWorld() {
    if (!started_by_root()) {
        // Its files have the owners of the images.
        static_cast<void>(outside({"unshare", "--map-root-user", "--map-auto", "rm", "-rf", store}));
    }
}

Result StoreWorld::script(const std::string& name, const Words& words) const {
    Words command = {"python3", "-B", image_scripts() + "/" + name};
    command.insert(command.end(), words.begin(), words.end());
    Options options = here();
    options.environment["CANARY"] = canary;
    options.watchdog = std::chrono::seconds(600);
    return run(command, options);
}

fs::path StoreWorld::hostile(const std::string& name) const {
    const Result ran = script("hostile.py", {name, made / name});
    BOOST_REQUIRE_MESSAGE(ran.status == 0, name << ran);
    return made / name;
}

fs::path StoreWorld::image(const std::string& name) const {
    const Result ran = script("images.py", {made, name});
    BOOST_REQUIRE_MESSAGE(ran.status == 0, name << ran);
    return made / name;
}

Result StoreWorld::ctl(const Words& words, const Options& options) const {
    Words command = {sandboxctl_program()};
    command.insert(command.end(), words.begin(), words.end());
    return run(command, options);
}

Result StoreWorld::images(Words words) const {
    words.insert(words.begin(), "image");
    return ctl(words);
}

Result StoreWorld::import(Words words) const {
    words.insert(words.begin(), {"image", "import"});
    return ctl(words);
}

void StoreWorld::expect_whole() const {
    const Result verified = images({"verify"});
    BOOST_TEST(verified.status == 0, verified);
    const Result left = sh("ls -A '" + (store / "incoming").string() + "'");
    BOOST_TEST(left.out.empty(), left);
    BOOST_TEST(read_file(canary) == "safe");
    BOOST_TEST(sh("ls -A '" + (home / "outside").string() + "'").out == "canary\n");
}

std::string StoreWorld::listed() const {
    const Result list = images({"list", "--json"});
    BOOST_TEST(list.status == 0, list);
    return list.out;
}

} // namespace sandbox::test

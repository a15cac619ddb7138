// A server out of an image, as the developer of a workstation starts it; the image is web-image.sh's.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>

#include "tests/support/store_world.hpp"
#include "tests/workstation/limits_world.hpp"

using namespace sandbox::test;
namespace fs = std::filesystem;

namespace {

struct WebWorld : StoreWorld {
    /// Runs the words as root of the user's own namespace, for which the store's files have the image's owners.
    [[nodiscard]] Result as_owner(Words words) const {
        words.insert(words.begin(), {"unshare", "--map-root-user", "--map-auto"});
        Options options = here();
        options.watchdog = std::chrono::minutes(5);
        return run(words, options);
    }

    /// Every entry of a directory of the store, with its owner, mode, time, attributes and content.
    [[nodiscard]] std::string entries(const char* directory) const {
        const Result listed = as_owner({"python3", "-B", image_scripts() + "/list_tree.py", store / directory});
        BOOST_REQUIRE_MESSAGE(listed.status == 0, listed);
        return listed.out;
    }
    [[nodiscard]] std::string image_entries() const {
        return entries("images") + entries("layers") + read_file(store / "references");
    }

    [[nodiscard]] std::string private_layers() const {
        return sh("ls -A '" + (store / "private/run").string() + "'").out;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(developer, WebWorld)

BOOST_AUTO_TEST_CASE(nginx_out_of_an_image_serves_its_page_within_its_limit_and_leaves_the_image_as_it_was) {
    Options patient = here();
    patient.watchdog = std::chrono::minutes(5);
    const Result imported = ctl({"image", "import", "--name", "web", std::getenv("SANDBOX_TEST_WEB_IMAGE")}, patient);
    BOOST_REQUIRE_MESSAGE(imported.status == 0, imported);
    const std::string before = image_entries();
    BOOST_TEST(before.find("usr/sbin/nginx") != std::string::npos);

    Process server(
        {sandbox_program(), "--image", "web", "--memory", "512m", "--publish", "8080:80", "nginx", "-g", "daemon off;"},
        patient);
    std::string page;
    BOOST_TEST(settles([&] {
        page = sh("curl --silent --max-time 10 http://127.0.0.1:8080/").out;
        return !page.empty();
    }));
    BOOST_TEST(page == "served from a sandbox\n", server.so_far().err);

    const std::string master = sh("pgrep -f '^nginx: master process nginx -g daemon off;$'").out;
    BOOST_REQUIRE_MESSAGE(!master.empty(), sh("ps -eo pid,args"));
    const std::string pid = master.substr(0, master.find('\n'));
    BOOST_TEST(sh("ps -eo args").printed("nginx: worker process"));

    const Result limit = sh("cat /sys/fs/cgroup$(cut -d: -f3 /proc/" + pid + "/cgroup)/memory.max");
    BOOST_TEST(limit.out == "536870912\n", limit);

    // Through the sandbox's own /proc: pid 1, nginx and its worker, and the shell that looks.
    const Result inside = outside({"nsenter", "--target", pid, "--user", "--mount", "--pid", "sh", "-c",
                                   "for f in /proc/[0-9]*; do cat $f/comm; done"});
    BOOST_TEST(inside.out == "sandbox-init\nnginx\nnginx\nsh\n", inside);
    const Result log = outside({"nsenter", "--target", pid, "--user", "--mount", "cat", "/var/log/nginx/access.log"});
    BOOST_TEST(log.printed("GET / HTTP/1.1\" 200"), log);
    BOOST_TEST(!private_layers().empty());

    server.signal(SIGTERM);
    const Result ended = server.finish();
    BOOST_TEST(ended.status == 0, ended);
    BOOST_TEST(private_layers() == "");
    BOOST_TEST(sh("curl --silent http://127.0.0.1:8080/").status == 7); // nobody listens
    BOOST_TEST(sh("pgrep nginx").out == "");
    BOOST_TEST(settles([] { return cgroups().empty(); }));
    BOOST_TEST((image_entries() == before));
    expect_whole();
}

BOOST_AUTO_TEST_CASE(a_package_is_installed_in_a_kept_layer_of_either_driver_and_is_there_in_the_next_run) {
    Options patient = here();
    patient.watchdog = std::chrono::minutes(10);
    const Result imported = ctl({"image", "import", "--name", "web", std::getenv("SANDBOX_TEST_WEB_IMAGE")}, patient);
    BOOST_REQUIRE_MESSAGE(imported.status == 0, imported);
    const std::string before = entries("layers"); // images/ tells who has a kept layer on them
    for (const std::string driver : {"kernel", "fuse"}) {
        const auto in_layer = [&](Words words) {
            const Words options = {sandbox_program(), "--net", "none", "--overlay-driver", driver, "--image", "web",
                                   "--keep",          driver};
            words.insert(words.begin(), options.begin(), options.end());
            return run(words, patient);
        };
        BOOST_TEST(in_layer({"hello"}).status == 127, driver);
        const Result installed = in_layer({"apt-get", "install", "--yes", "--quiet", "/srv/hello.deb"});
        BOOST_TEST(installed.status == 0, installed);
        const Result hello = in_layer({"hello"});
        BOOST_TEST(hello.out == "Hello, world!\n", hello);
        const Result listed = in_layer({"dpkg-query", "--show", "--showformat=${Status}", "hello"});
        BOOST_TEST(listed.out == "install ok installed", listed);
        BOOST_TEST(ctl({"diff", driver}, patient).printed("usr/bin/hello"));
        BOOST_TEST(ctl({"discard", driver}, patient).status == 0);
    }
    BOOST_TEST((entries("layers") == before));
    expect_whole();
}

BOOST_AUTO_TEST_SUITE_END()

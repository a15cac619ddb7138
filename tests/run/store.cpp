// The image store: what goes in, under which names, what is told of it, and how it goes.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/count.hpp"
#include "tests/support/store_world.hpp"
#include "tests/support/terminal.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(store, StoreWorld)

BOOST_AUTO_TEST_CASE(a_root_file_system_is_imported_from_a_file_and_from_standard_input) {
    BOOST_TEST(sh("mkdir -p root/etc && echo box > root/etc/hostname && tar -C root -cf box.tar . && "
                  "tar -C root -cJf box2.tar.xz . && tar -C root -c --zstd -f box3.tar.zst .")
                   .status == 0);
    for (const char* file : {"box.tar", "box2.tar.xz", "box3.tar.zst"}) {
        const Result imported = import({file});
        BOOST_TEST(imported.status == 0, file << imported);
        BOOST_TEST(imported.err.empty(), imported);
    }
    const Result piped = sh("tar -C root -cz . | " + sandboxctl_program() + " image import --name piped:1 -");
    BOOST_TEST(piped.status == 0, piped);
    BOOST_TEST(piped.printed("  1 layer, 0 new\n"), piped); // the same files: its layer was there
    BOOST_TEST(sh("tar -C root -c . | " + sandboxctl_program() + " image import --name piped:2 --json -")
                   .printed("\"new_layers\": 0"));
    const std::string list = images({"list"}).out;
    for (const char* name : {"box:latest ", "box2:latest ", "box3:latest ", "piped:1 "}) {
        BOOST_TEST(list.find(name) != std::string::npos, name << "\n" << list);
    }
    expect_whole();
}

BOOST_AUTO_TEST_CASE(a_stream_without_a_name_needs_one) {
    const Result refused = sh("touch x; tar -c x | " + sandboxctl_program() + " image import -");
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("--name"), refused);
}

BOOST_AUTO_TEST_CASE(an_oci_layout_is_imported_as_a_directory_and_as_a_tar) {
    const fs::path layout = image("whiteouts");
    BOOST_TEST(import({"--name", "one", layout}).status == 0);
    const Result again =
        sh("tar -C '" + layout.string() + "' -cz . | " + sandboxctl_program() + " image import --name two --json -");
    BOOST_TEST(again.status == 0, again);
    // The same image: nothing is new.
    BOOST_TEST(again.printed("\"new_layers\": 0"), again);
    BOOST_TEST(sh("tar -C '" + layout.string() + "' -cf plain.tar . && " + sandboxctl_program() +
                  " image import --name three plain.tar")
                   .status == 0);
    const std::string list = listed();
    BOOST_TEST(list.find("library/one:latest\",\n      \"docker.io/library/three:latest\",\n      "
                         "\"docker.io/library/two:latest\"") != std::string::npos,
               list);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(a_tar_that_was_cut_is_told_as_such_and_what_is_no_image_by_its_name) {
    const fs::path layout = image("whiteouts");
    BOOST_TEST(
        sh("head -c 1000000 /dev/urandom > big && mkdir -p root && mv big root/ && tar -C root -cf root.tar big && "
           "cp -r '" +
           layout.string() +
           "' layout && cp root.tar layout/blobs/sha256/extra && "
           "tar -C layout -cf whole.tar oci-layout index.json blobs && head -c 500000 whole.tar > cut.tar")
            .status == 0);
    const Result whole = import({"--name", "whole", "whole.tar"});
    BOOST_TEST(whole.status == 0, whole);
    for (const Result& cut :
         {import({"--name", "cut", "cut.tar"}), sh(sandboxctl_program() + " image import --name cut - < cut.tar")}) {
        BOOST_TEST(cut.status == 125, cut);
        BOOST_TEST(cut.said("cause: Truncated"), cut);
    }
    const Result none = import({"root"});
    BOOST_TEST(none.status == 125, none);
    BOOST_TEST(none.said("there is no image in 'root'"), none);
}

BOOST_AUTO_TEST_CASE(what_docker_save_writes_is_imported_under_its_tags) {
    const Result saved = script("more.py", {"docker", made / "saved.tar"});
    BOOST_TEST(saved.status == 0, saved);
    const Result imported = import({made / "saved.tar"});
    BOOST_TEST(imported.status == 0, imported);
    const std::string list = images({"list"}).out;
    BOOST_TEST(list.find("first:1 ") != std::string::npos, list);
    BOOST_TEST(list.find("ghcr.io/some/second:2 ") != std::string::npos, list);
    const Result inspected = images({"inspect", "first:1"});
    BOOST_TEST(inspected.printed("NAME=value with space\n"), inspected);
    BOOST_TEST(inspected.printed("user: web\n"), inspected);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(layers_that_two_images_have_are_stored_once) {
    BOOST_TEST(import({"--name", "a", image("order")}).status == 0);
    const Result second = import({"--name", "b", "--json", image("opaque-first")});
    BOOST_TEST(second.printed("\"layers\": 2,\n      \"new_layers\": 1"), second);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(the_build_for_a_platform_is_chosen_from_an_index) {
    const fs::path layout = made / "builds";
    BOOST_TEST(script("more.py", {"builds", layout}).status == 0);
    for (const auto& [platform, wanted] : {std::pair{"linux/arm64", "arm64"}, {"linux/arm/v7", "arm"}}) {
        const Result imported = import({"--name", wanted, "--platform", platform, "--json", layout});
        BOOST_TEST(imported.printed(std::string("\"platform\": \"linux/") + wanted + "\""), imported);
    }
    const Result refused = import({"--platform", "linux/s390x", layout});
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("no build for linux/s390x"), refused);
    BOOST_TEST(refused.said("linux/arm/v7"), refused);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(an_image_goes_with_its_last_name_and_its_layers_with_the_last_image) {
    BOOST_TEST(import({"--name", "a", "--name", "b:2", image("order")}).status == 0);
    BOOST_TEST(import({"--name", "c", image("opaque-first")}).status == 0);
    const Result one = images({"remove", "a"});
    BOOST_TEST(one.printed("0 layers"), one);
    const Result last = images({"remove", "--json", "b:2"});
    BOOST_TEST(last.printed("\"layers\": 5"), last); // the base is c's too
    expect_whole();
    BOOST_TEST(images({"remove", "c"}).printed("2 layers"));
    BOOST_TEST(listed() == "[]\n");
    BOOST_TEST(sh("ls '" + (store / "layers").string() + "' '" + (store / "images").string() + "' | grep -c .").out ==
               "2\n"); // the two titles
    expect_whole();
}

BOOST_AUTO_TEST_CASE(prune_takes_what_no_name_leads_to) {
    BOOST_TEST(import({"--name", "a", image("order")}).status == 0);
    BOOST_TEST(import({"--name", "a", image("same-name")}).status == 0); // takes the name over
    const std::string before = listed();
    BOOST_TEST(before.find("\"references\": []") != std::string::npos, before);
    BOOST_TEST(images({"prune"}).printed("removed the image sha256:"));
    const std::string after = listed();
    BOOST_TEST(after.find("\"references\": []") == std::string::npos, after);
    BOOST_TEST(after.find("library/a:latest") != std::string::npos, after);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(an_unknown_image_is_told_with_the_nearest_name) {
    BOOST_TEST(import({"--name", "debian:12", image("order")}).status == 0);
    const Result unknown = images({"inspect", "debain:12"});
    BOOST_TEST(unknown.status == 125, unknown);
    BOOST_TEST(unknown.said("did you mean 'debian:12'?"), unknown);
    BOOST_TEST(unknown.said("sandboxctl image list"), unknown);
    BOOST_TEST(!unknown.said("pull"), unknown);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_known_keeps_no_other_image_from_being_removed) {
    BOOST_TEST(import({"--name", "web", image("order")}).status == 0);
    const Result removed = images({"remove", "web2", "web", "web3"});
    BOOST_TEST(removed.status == 125, removed);
    BOOST_TEST(removed.said("no image 'web2'"), removed);
    BOOST_TEST(removed.said("no image 'web3'"), removed);
    BOOST_TEST(!removed.said("did you mean"), removed); // it is on the command line already
    BOOST_TEST(!removed.said("pull"), removed);
    BOOST_TEST(removed.printed("removed the name web:latest"), removed);
    BOOST_TEST(listed() == "[]\n");
    const Result nothing = images({"remove", "--json", "web"});
    BOOST_TEST(nothing.printed("\"references\": []"), nothing); // for a program there is an answer in any case
    expect_whole();
}

BOOST_AUTO_TEST_CASE(images_are_listed_under_titles_and_their_names_alone_for_scripts) {
    BOOST_TEST(import({"--name", "web", "--name", "web:2", image("order")}).status == 0);
    const Result list = images({"list"});
    BOOST_TEST(list.out.starts_with("NAME        ID            SIZE"), list);
    BOOST_TEST(images({"list", "-q"}).out == "web:2\nweb:latest\n");
    BOOST_TEST(images({"list", "--quiet", "--json"}).status == 125);
}

BOOST_AUTO_TEST_CASE(verify_finds_a_byte_that_changed_and_a_file_that_came) {
    BOOST_TEST(import({"--name", "a", image("order")}).status == 0);
    const std::string root = (store / "layers").string() + "/*/root";
    BOOST_TEST(sh("f=$(ls -d " + root + "/etc/passwd) && chmod u+w $f && printf R | dd of=$f conv=notrunc status=none")
                   .status == 0);
    const Result changed = images({"verify"});
    BOOST_TEST(changed.status == 1, changed);
    BOOST_TEST(changed.printed("its files are not what they were"), changed);
    BOOST_TEST(images({"remove", "a"}).status == 0);
    BOOST_TEST(import({"--name", "a", made / "order"}).status == 0);
    BOOST_TEST(images({"verify", "a"}).status == 0);
    BOOST_TEST(sh("touch $(ls -d " + root + "/etc)/planted").status == 0);
    BOOST_TEST(images({"verify", "a"}).status == 1);
}

BOOST_AUTO_TEST_CASE(an_image_that_is_removed_while_it_is_verified_is_no_damage) {
    BOOST_TEST(sh("mkdir -p many/d && cd many/d && seq 20000 | xargs touch && tar -C .. -cf ../../many.tar .").status ==
               0);
    BOOST_TEST(import({"--name", "stays", image("order")}).status == 0);
    // Somewhere between the first file and the last.
    for (const int delay : {20, 50, 100, 200}) {
        BOOST_TEST(import({"--name", "goes", "many.tar"}).status == 0);
        Process verify({sandboxctl_program(), "image", "verify"}, here());
        std::this_thread::sleep_for(std::chrono::milliseconds(delay));
        BOOST_TEST(images({"remove", "goes"}).status == 0);
        const Result verified = verify.finish();
        BOOST_TEST(verified.status == 0, verified);
    }
}

BOOST_AUTO_TEST_CASE(a_store_that_others_can_write_is_refused) {
    BOOST_TEST(import({"--name", "a", image("order")}).status == 0);
    for (const fs::path& path : {store / "references", store / "images", store}) {
        const fs::perms before = fs::status(path).permissions();
        fs::permissions(path, fs::perms::others_write, fs::perm_options::add);
        const Result refused = images({"inspect", "a"});
        BOOST_TEST(refused.status == 125, path << refused);
        BOOST_TEST(refused.said("can be written by others"), path << refused);
        fs::permissions(path, before);
    }
    BOOST_TEST(images({"inspect", "a"}).status == 0);
}

BOOST_AUTO_TEST_CASE(without_a_subordinate_range_all_files_become_the_users) {
    if (!started_by_root()) {
        SKIP("only root can act as the user without a subordinate range");
    }
    const fs::path archive = hostile("owner-beyond");
    Options bare = here();
    bare.as = &bare_user();
    bare.cwd = "/";
    const fs::path home_of_bare = bare_user().home + "/store-test";
    BOOST_TEST(run({"mkdir", "-p", home_of_bare}, bare).status == 0);
    bare.environment["XDG_DATA_HOME"] = home_of_bare;
    bare.environment["HOME"] = bare_user().home;
    const Result imported = run({"sh", "-c", "exec \"$0\" image import --name single - ", sandboxctl_program()}, [&] {
        Options options = bare;
        options.input = read_file(archive);
        return options;
    }());
    BOOST_TEST(imported.status == 0, imported);
    BOOST_TEST(imported.said("all files of the image became yours"), imported);
    BOOST_TEST(imported.said("/etc/subuid"), imported);
    BOOST_TEST(ctl({"image", "inspect", "--json", "single"}, bare).printed("\"single_owner\": true"));
    BOOST_TEST(ctl({"image", "verify"}, bare).status == 0);
    fs::remove_all(home_of_bare);
    // The control: with a range such an owner is an error, unless one owner is asked for.
    const Result refused = import({archive});
    BOOST_TEST(refused.said("cannot give 'etc/far' to the owner 3000000:0"), refused);
    BOOST_TEST(import({"--single-owner", archive}).status == 0);
}

BOOST_AUTO_TEST_CASE(an_import_shows_how_far_it_is_and_can_be_interrupted) {
    const fs::path archive = hostile("zeros");
    Terminal terminal({sandboxctl_program(), "image", "import", archive}, here());
    BOOST_TEST(terminal.see("%"), terminal.screen());
    terminal.type("\x03");
    BOOST_TEST(terminal.wait() == 130, terminal.screen());
    BOOST_TEST(terminal.screen().find("interrupted") != std::string::npos, terminal.screen());
    BOOST_TEST(listed() == "[]\n");
    expect_whole();
}

BOOST_AUTO_TEST_CASE(an_image_is_pulled_with_skopeo) {
    if (!installed("skopeo")) {
        SKIP("skopeo is not installed");
    }
    Process registry({"python3", "-B", image_scripts() + "/registry.py", image("whiteouts")}, here());
    BOOST_REQUIRE(registry.wait_for("\n"));
    const std::string port = registry.so_far().out.substr(0, registry.so_far().out.find('\n'));
    const std::string host = "127.0.0.1:" + port;
    write(home / ".config/containers/registries.conf", "[[registry]]\nlocation = \"" + host + "\"\ninsecure = true\n");
    const Result pulled = images({"pull", host + "/some/image:1"});
    BOOST_TEST(pulled.status == 0, pulled);
    BOOST_TEST(images({"list"}).printed(host + "/some/image:1 "));
    const Result missing = images({"pull", host + "/some/image:none"});
    BOOST_TEST(missing.status == 125, missing);
    BOOST_TEST(missing.said("skopeo: it said"), missing);
    const Result option = images({"pull", "--", "--insecure-policy"});
    BOOST_TEST(option.said("cannot read the image reference"), option);
    expect_whole();
}

BOOST_AUTO_TEST_SUITE_END()

// Private layers over directories of the host: what CMD writes goes there, is gone or kept, and can be told.
#include <sys/mount.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/support/count.hpp"
#include "tests/support/image_world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

namespace {

struct OverlayWorld : ImageWorld {
    OverlayWorld() {
        write(project / "source.txt", "hello\n");
        write(project / "src/deep/file", "x\n");
        write(project / "old/one", "1\n");
        write(project / "old/two", "2\n");
    }

    /// `sh -c SCRIPT` under `strict`, with a private layer over the project.
    Result over(const std::string& script, const Words& more = {}) const {
        Words words = {"--quiet", "--profile", "strict", "--overlay", project.string()};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), {"--", "sh", "-c", script});
        return sandbox(words);
    }
    Result ctl(Words words) const {
        words.insert(words.begin(), sandboxctl_program());
        return outside(words);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(overlays, OverlayWorld)

BOOST_AUTO_TEST_CASE(what_is_written_over_a_directory_is_gone_and_the_directory_is_as_it_was) {
    const std::string before = tree(project);
    const Result ran =
        over("echo changed > source.txt; rm -r old; mkdir new; echo y > new/file; mv src moved; cat source.txt "
             "moved/deep/file new/file; ls");
    BOOST_TEST(ran.out == "changed\nx\ny\nmoved\nnew\nsource.txt\n", ran);
    BOOST_TEST(tree(project) == before);
    BOOST_TEST(private_layers().empty());
    // The control: without the layer the same is refused, or stays.
    BOOST_TEST(strict_sh("echo changed > source.txt").status != 0);
    BOOST_TEST(sh("echo changed > source.txt; cat source.txt").out == "changed\n");
}

BOOST_AUTO_TEST_CASE(a_kept_layer_is_used_again_and_told_by_diff_and_removed_by_discard) {
    BOOST_TEST(
        over("echo changed > source.txt; rm old/one; rm -r src; echo y > 'new file'; ln -s x link; chmod 600 old/two",
             {"--keep", "try"})
            .status == 0);
    const Result again = over("cat source.txt 'new file'; ls old; ls src", {"--keep", "try"});
    BOOST_TEST(again.out == "changed\ny\ntwo\n", again);
    BOOST_TEST(read_file(project / "source.txt") == "hello\n");

    const Result diff = ctl({"diff", "try"});
    BOOST_TEST(diff.status == 0, diff);
    for (const char* line : {"added    file      0644         2  ", "deleted  file      0644         2  ",
                             "added    link", "changed  file      0600", "deleted  directory 0755"}) {
        BOOST_TEST(diff.printed(line), line << diff);
    }
    BOOST_TEST(diff.printed((project / "new file").string()), diff);
    BOOST_TEST(!diff.printed("moved"), diff);
    const Result json = ctl({"diff", "--json", "try"});
    BOOST_TEST(json.printed("\"change\": \"deleted\""), json);

    const Result kept = ctl({"kept"});
    BOOST_TEST(kept.printed("try"), kept);
    BOOST_TEST(kept.printed(project.string()), kept);
    BOOST_TEST(ctl({"discard", "try"}).status == 0);
    BOOST_TEST(ctl({"kept"}).out == "");
    BOOST_TEST(private_layers().empty());
    BOOST_TEST(over("cat source.txt", {"--keep", "try"}).out == "hello\n");
    const Result absent = ctl({"diff", "tri"});
    BOOST_TEST(absent.status == 125, absent);
    BOOST_TEST(absent.said("did you mean 'try'"), absent);
}

BOOST_AUTO_TEST_CASE(two_runs_at_once_on_one_kept_layer_are_an_error) {
    Options options = here();
    options.keep_input_open = true;
    Process first({sandbox_program(), "--quiet", "--profile", "strict", "--overlay", ".", "--keep", "busy", "--", "sh",
                   "-c", "echo up; read never"},
                  options);
    BOOST_REQUIRE(first.wait_for("up\n"));
    const Result second = over("true", {"--keep", "busy"});
    BOOST_TEST(second.status == 125, second);
    BOOST_TEST(second.said("another sandbox runs on it"), second);
    BOOST_TEST(ctl({"discard", "busy"}).said("a sandbox runs on it"));
    BOOST_TEST(ctl({"kept"}).printed("in use"));
    BOOST_TEST(over("true", {"--keep", "other"}).status == 0);
    first.signal(SIGKILL);
    static_cast<void>(first.finish());
    Result third = over("true", {"--keep", "busy"});
    for (int i = 0; i < 1000 && third.status != 0; ++i) { // pid 1 may live for a moment more
        third = over("true", {"--keep", "busy"});
    }
    BOOST_TEST(third.status == 0, third);
}

BOOST_AUTO_TEST_CASE(a_kept_layer_is_not_used_over_another_image) {
    box();
    make_system(layer("other"));
    image("other", {"other"});
    const auto keep = [&](const std::string& name, const std::string& script) {
        return sandbox({"--quiet", "--net", "none", "--image", name, "--keep", "work", "--", "sh", "-c", script});
    };
    BOOST_TEST(keep("box", "echo kept > /file").status == 0);
    BOOST_TEST(keep("box", "cat /file").out == "kept\n");
    const Result refused = keep("other", "cat /file");
    BOOST_TEST(refused.status == 125, refused);
    BOOST_TEST(refused.said("it was made over 'sha256:"), refused);
    BOOST_TEST(ctl({"diff", "work"}).printed("added    file      0644         5  /file"), ctl({"diff", "work"}));
}

BOOST_AUTO_TEST_CASE(the_home_under_a_layer_hides_our_own_state_and_cannot_be_kept) {
    write(home / "notes.txt", "notes\n");
    const std::string before = tree(home / "project");
    const Result ran =
        sandbox({"--quiet", "--profile", "strict", "--overlay", home.string(), "--", "sh", "-c",
                 "cat ~/notes.txt; echo x > ~/notes.txt; echo y > ~/planted; ls -A ~/.local/share/sandbox"});
    BOOST_TEST(ran.out == "notes\n", ran);
    BOOST_TEST(read_file(home / "notes.txt") == "notes\n");
    BOOST_TEST(!fs::exists(home / "planted"));
    BOOST_TEST(tree(home / "project") == before);
    const Result kept = sandbox({"--profile", "strict", "--overlay", home.string(), "--keep", "home", "--", "true"});
    BOOST_TEST(kept.status == 125, kept);
    BOOST_TEST(kept.said("lies inside of what it covers"), kept);
}

BOOST_AUTO_TEST_CASE(a_directory_with_mounts_inside_works_through_fuse_or_says_why_not) {
    NEEDS(started_by_root(), "only root mounts");
    const ScopedMount inside("tmpfs", directory(project / "mounted"));
    const Result kernel = over("true", {"--overlay-driver", "kernel"});
    BOOST_TEST(kernel.status == 125, kernel);
    BOOST_TEST(kernel.said("are mounted inside of"), kernel);
    const Result chosen = over("cat source.txt; echo x > source.txt; cat source.txt");
    if (has_fuse_overlayfs()) {
        BOOST_TEST(chosen.out == "hello\nx\n", chosen);
    } else {
        BOOST_TEST(chosen.said("fuse"), chosen);
    }
    BOOST_TEST(read_file(project / "source.txt") == "hello\n");
}

BOOST_AUTO_TEST_CASE(an_overlay_of_a_file_or_without_effect_is_an_error) {
    const auto refused = [&](const Words& words, const char* because) {
        const Result result = sandbox(words);
        BOOST_TEST(result.status == 125, result);
        BOOST_TEST(result.said(because), result);
    };
    refused({"--overlay", "source.txt", "true"}, "it is no directory");
    refused({"--keep", "name", "true"}, "there is no private layer to keep");
    refused({"--overlay-driver", "kernel", "true"}, "there is no private layer");
    refused({"--overlay", ".", "--keep", "../out", "true"}, "cannot be the name");
    refused({"--overlay", "/proc", "true"}, "/proc");
    refused({"--overlay", (home / ".local/share/sandbox").string(), "true"}, "never visible");
}

BOOST_AUTO_TEST_CASE(a_grant_inside_of_a_layer_keeps_its_own_rights) {
    const Result ran = over("echo x > old/one; echo y > src/new; cat old/one", {"--rw", (project / "old").string()});
    BOOST_TEST(ran.out == "x\n", ran);
    BOOST_TEST(read_file(project / "old/one") == "x\n");
    BOOST_TEST(!fs::exists(project / "src/new"));
}

BOOST_AUTO_TEST_CASE(names_with_any_character_are_layers_too) {
    const fs::path odd = directory(home / "a:b,c\\d e\n=%");
    write(odd / "file", "odd\n");
    std::string word = odd.string();
    for (const char* special : {"\\", ":"}) {
        for (std::size_t at = 0; (at = word.find(special, at)) != std::string::npos; at += 2) {
            word.insert(at, "\\");
        }
    }
    const auto run_on = [&](const Words& more) {
        Words words = {"--quiet", "--profile", "strict", "--overlay", word + ":/odd"};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), {"--", "sh", "-c", "cat /odd/file; echo new > /odd/file; cat /odd/file"});
        return sandbox(words);
    };
    BOOST_TEST(run_on({}).out == "odd\nnew\n", run_on({}));
    BOOST_TEST(run_on({"--keep", "odd"}).out == "odd\nnew\n");
    BOOST_TEST(run_on({"--keep", "odd"}).out == "new\nnew\n");
    BOOST_TEST(read_file(odd / "file") == "odd\n");
    NEEDS(has_fuse_overlayfs(), "fuse-overlayfs or /dev/fuse is missing");
    BOOST_TEST(run_on({"--overlay-driver", "fuse"}).out == "odd\nnew\n", run_on({"--overlay-driver", "fuse"}));
    BOOST_TEST(read_file(odd / "file") == "odd\n");
}

// --- fuse-overlayfs ---

BOOST_AUTO_TEST_CASE(fuse_overlayfs_joins_an_image_and_cmd_neither_sees_nor_signals_it) {
    NEEDS(has_fuse_overlayfs(), "fuse-overlayfs or /dev/fuse is missing");
    box();
    const std::string before = tree(store / "layers");
    const Result ran =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--overlay-driver", "fuse", "--", "sh", "-c",
                 "cat /proc/mounts | head -n 1; echo x > /file; cat /file; rm /etc/passwd; ls /etc/passwd "
                 "2>&1; mkdir /d; chown 33:34 /d; stat -c %u /d; ps; kill -9 -1; echo alive > /file; cat /file"});
    BOOST_TEST(ran.printed("fuse"), ran);
    BOOST_TEST(ran.printed("x\nls: /etc/passwd: No such file"), ran);
    BOOST_TEST(ran.printed("33\n"), ran);
    BOOST_TEST(!ran.printed("fuse-overlayfs"), ran);
    BOOST_TEST(ran.printed("alive\n"), ran);
    const Result of_user =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--overlay-driver", "fuse", "--user", "web", "--", "sh",
                 "-c", "id -u; ls -d /bin /tmp; echo x > /tmp/file; cat /tmp/file"});
    BOOST_TEST(of_user.out == "33\n/bin\n/tmp\nx\n", of_user);
    BOOST_TEST(tree(store / "layers") == before);
    BOOST_TEST(private_layers().empty());
}

BOOST_AUTO_TEST_CASE(the_end_of_fuse_overlayfs_is_told) {
    NEEDS(has_fuse_overlayfs(), "fuse-overlayfs or /dev/fuse is missing");
    NEEDS(started_by_root(), "only root ends it: it runs with capabilities");
    box();
    Options options = here();
    options.keep_input_open = true;
    Process running({sandbox_program(), "--quiet", "--net", "none", "--image", "box", "--overlay-driver", "fuse", "--",
                     "sh", "-c", "echo up; read line; ls /etc; exit 5"},
                    options);
    BOOST_REQUIRE(running.wait_for("up\n"));
    Options as_root;
    as_root.as = &root_user();
    const std::string children = "-P " + std::to_string(running.pid()) + " fuse-overlayfs";
    // Dead, and not just told to die, before CMD misses its files.
    const Result killed =
        run({"sh", "-c", "pkill -KILL " + children + " && while pgrep -r RSDT " + children + "; do :; done"}, as_root);
    BOOST_TEST(killed.status == 0, killed);
    running.write("go\n");
    const Result ended = running.finish();
    BOOST_TEST(ended.said("a private layer was lost before CMD ended"), ended);
    BOOST_TEST(ended.said("killed by signal 9"), ended);
    BOOST_TEST(private_layers().empty());
}

BOOST_AUTO_TEST_CASE(a_kept_layer_stays_with_its_driver) {
    NEEDS(has_fuse_overlayfs(), "fuse-overlayfs or /dev/fuse is missing");
    BOOST_TEST(over("rm -r old; mkdir old; echo 3 > old/three", {"--keep", "f", "--overlay-driver", "fuse"}).status ==
               0);
    const Result kernel = over("true", {"--keep", "f", "--overlay-driver", "kernel"});
    BOOST_TEST(kernel.status == 125, kernel);
    BOOST_TEST(kernel.said("--overlay-driver fuse"), kernel);
    BOOST_TEST(over("ls old", {"--keep", "f"}).out == "three\n", over("ls old", {"--keep", "f"}));
    const Result diff = ctl({"diff", "f"});
    BOOST_TEST(diff.printed("old/three"), diff);
    BOOST_TEST(diff.printed("deleted  file      0644         2  " + (project / "old/one").string()), diff);
    BOOST_TEST(over("true", {"--keep", "k"}).status == 0);
    BOOST_TEST(over("true", {"--keep", "k", "--overlay-driver", "fuse"}).status == 125);
}

// --- ends ---

BOOST_AUTO_TEST_CASE(nothing_is_left_of_runs_that_were_killed_once_another_has_run) {
    box();
    BOOST_TEST(box_sh("true").status == 0);
    const Belongings before = belongings(*this);
    std::mt19937 random(5);
    for (int i = 0; i < 60; ++i) {
        Words words = {sandbox_program(), "--quiet", "--net", "none", "--image", "box"};
        if (i % 3 == 0 && has_fuse_overlayfs()) {
            words.insert(words.end(), {"--overlay-driver", "fuse"});
        }
        words.insert(words.end(),
                     {"--", "sh", "-c", "mkdir -p /a/b/c; chown 33:34 /a; echo x > /a/b/c/d; sleep 27182"});
        Process running(words, here());
        std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution<long>(0, 40000)(random)));
        running.signal(SIGKILL);
        BOOST_TEST(!running.finish().hung, "run " << i);
    }
    // pid 1 of the last one may live for a moment more, and its lock with it.
    for (int i = 0; i < 1000 && !private_layers().empty(); ++i) {
        BOOST_TEST(box_sh("true").status == 0);
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(a_kept_layer_is_whole_after_runs_that_were_killed) {
    box();
    const auto words = [&](const std::string& script) {
        return Words{sandbox_program(), "--quiet", "--net", "none", "--image", "box",
                     "--keep",          "work",    "--",    "sh",   "-c",      script};
    };
    BOOST_TEST(outside(words("echo committed > /file; sync")).status == 0);
    std::mt19937 random(6);
    for (int i = 0; i < 40; ++i) {
        Process running(
            words("for i in 1 2 3 4 5 6 7 8 9; do echo $i > /tmp/$i; rm /tmp/$i; mkdir /tmp/d; rmdir /tmp/d; done"),
            here());
        std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution<long>(0, 40000)(random)));
        running.signal(SIGKILL);
        BOOST_TEST(!running.finish().hung, "run " << i);
    }
    Result last = outside(words("cat /file"));
    for (int i = 0; i < 1000 && last.status != 0; ++i) {
        last = outside(words("cat /file"));
    }
    BOOST_TEST(last.out == "committed\n", last);
}

BOOST_AUTO_TEST_CASE(a_tree_of_any_depth_and_name_is_removed) {
    box();
    const Result ran = box_sh("i=0; while [ $i -lt 1500 ]; do mkdir d && cd d || exit 1; i=$((i+1)); done; echo deep");
    BOOST_TEST(ran.printed("deep"), ran);
    BOOST_TEST(private_layers().empty());
    BOOST_TEST(box_sh("mkdir -p /x/moved-0 /x/..name; touch \"/x/new\nline\"; chmod 0 /x").status == 0);
    BOOST_TEST(private_layers().empty());
}

BOOST_AUTO_TEST_SUITE_END()

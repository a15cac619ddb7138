// A run on an image or a directory: what CMD finds there, and that nothing of it can be changed or aimed at the host.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "tests/support/count.hpp"
#include "tests/support/image_world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(images, ImageWorld)

BOOST_AUTO_TEST_CASE(an_image_runs_with_root_inside_and_its_own_files) {
    box();
    const Result ran = box_sh("id -u; ls /bin/busybox; cat /etc/passwd | head -n 1; ls /home 2>&1");
    BOOST_TEST(!ran.hung, ran);
    BOOST_TEST(ran.printed("0\n/bin/busybox\nroot:x:0:0:"), ran);
    BOOST_TEST(ran.printed("No such file"), ran);
}

BOOST_AUTO_TEST_CASE(a_store_behind_a_link_is_used_as_any_other) {
    box();
    link(home / "elsewhere", store.parent_path().string());
    Options options = here();
    options.environment["XDG_DATA_HOME"] = home / "elsewhere";
    const Words words = {"--quiet", "--net", "none", "--image", "box", "--keep", "try", "sh", "-c", "echo x > /added"};
    const Result ran = sandbox(words, options);
    BOOST_TEST(ran.status == 0, ran);
    const Result diff = run({sandboxctl_program(), "diff", "try"}, options);
    BOOST_TEST(diff.printed("/added"), diff);
    // The control: the same by the store's own name.
    BOOST_TEST(sandbox(words).status == 0);
}

BOOST_AUTO_TEST_CASE(the_image_says_command_environment_directory_and_user_and_the_command_line_wins) {
    box({"environment APP=web", "environment PATH=/bin", "entrypoint sh", "entrypoint -c",
         "command echo $APP $(pwd) $(id -u):$(id -g) $HOME", "workdir /srv/app", "user web"});
    const Result image_says = sandbox({"--quiet", "--net", "none", "--image", "box"});
    BOOST_TEST(image_says.out == "web /srv/app 33:34 /srv/web\n", image_says);
    const Result command = on("box", {"echo $APP over"});
    BOOST_TEST(command.out == "web over\n", command);
    const Result options =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--entrypoint", "/bin/sh", "--env", "APP=mine",
                 "--workdir", "/made/here", "--user", "root", "--", "-c", "echo $APP $(pwd) $(id -u) $HOME"});
    BOOST_TEST(options.out == "mine /made/here 0 /root\n", options);
}

BOOST_AUTO_TEST_CASE(a_user_has_the_groups_of_the_image_and_a_named_group_alone_counts) {
    box();
    const auto as = [&](const std::string& user) {
        return sandbox({"--quiet", "--net", "none", "--image", "box", "--user", user, "id"});
    };
    const Result web = as("web");
    BOOST_TEST(web.printed("uid=33(web) gid=34(web) groups="), web);
    BOOST_TEST(web.printed("29(audio),44(video)"), web);
    BOOST_TEST(as("web:audio").printed("uid=33(web) gid=29(audio)"), as("web:audio"));
    BOOST_TEST(!as("web:audio").printed("video"), as("web:audio"));
    BOOST_TEST(as("1234").printed("uid=1234 gid=0(root)"), as("1234"));
    const Result unknown = as("nobody-here");
    BOOST_TEST(unknown.status == 125, unknown);
    BOOST_TEST(unknown.said("/etc/group the user 'nobody-here'\n  cause: 'nobody-here' is not among"), unknown);
}

BOOST_AUTO_TEST_CASE(root_has_dockers_14_capabilities_and_another_user_has_none) {
    box();
    const char* const script = "grep -E '^Cap(Eff|Bnd|Prm|Amb)' /proc/self/status";
    const Result root = box_sh(script);
    BOOST_TEST(root.printed("CapEff:\t00000000a80425fb"), root);
    const Result web =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--user", "web", "--", "sh", "-c", script});
    BOOST_TEST(web.printed("CapEff:\t0000000000000000"), web);
    BOOST_TEST(web.printed("CapAmb:\t0000000000000000"), web);
    const Result asked = sandbox({"--quiet", "--net", "none", "--image", "box", "--user", "web", "--cap-add", "NET_RAW",
                                  "--", "sh", "-c", script});
    BOOST_TEST(asked.printed("CapEff:\t0000000000002000"), asked);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_gone_and_the_image_is_as_it_was) {
    box();
    const std::string before = tree(store / "layers");
    const Result ran = box_sh("echo changed > /etc/passwd; rm /bin/ls; mkdir /new; echo x > /new/file; cat /new/file");
    BOOST_TEST(ran.out == "x\n", ran);
    BOOST_TEST(tree(store / "layers") == before);
    const Result again = box_sh("head -n 1 /etc/passwd; ls -d /new 2>&1");
    BOOST_TEST(again.printed("root:x:0:0:"), again);
    BOOST_TEST(again.printed("No such file"), again);
    BOOST_TEST(private_layers().empty());
}

BOOST_AUTO_TEST_CASE(a_file_of_the_private_layer_belongs_to_the_ids_of_the_map) {
    box();
    // Removed at the end all the same: it is another's on the host.
    const Result ran =
        box_sh("echo x > /file; chown 33:34 /file; mkdir -p /deep/er; chown 1000:1000 /deep; chmod 0 /deep; "
               "stat -c %u:%g /file");
    BOOST_TEST(ran.out == "33:34\n", ran);
    BOOST_TEST(private_layers().empty());
}

BOOST_AUTO_TEST_CASE(layers_are_joined_in_their_order_and_marks_hide) {
    make_system(layer("low"));
    write(layer("low") / "etc/of-low", "low\n");
    write(layer("low") / "data/hidden", "hidden\n");
    write(layer("low") / "gone", "gone\n");
    write(layer("low") / "kind/file", "in a directory\n");
    write(layer("high") / "etc/of-low", "high\n");
    write(layer("high") / "data/own", "own\n");
    make_opaque(layer("high") / "data");
    whiteout(layer("high") / "gone");
    write(layer("high") / "kind", "a file\n");
    image("joined", {"low", "high"});
    const Result ran = on("joined", {"sh", "-c", "cat /etc/of-low; ls /data; ls /gone 2>&1; cat /kind; ls /bin/sh"});
    BOOST_TEST(ran.out == "high\nown\nls: /gone: No such file or directory\na file\n/bin/sh\n", ran);
    // The control: without the marks they show.
    image("low-alone", {"low"});
    const Result control = on("low-alone", {"sh", "-c", "ls /data; cat /gone"});
    BOOST_TEST(control.out == "hidden\ngone\n", control);
}

BOOST_AUTO_TEST_CASE(a_hundred_layers_are_joined) {
    make_system(layer("0"));
    std::vector<std::string> names = {"0"};
    for (int i = 1; i < 100; ++i) {
        names.push_back(std::to_string(i));
        write(layer(names.back()) / ("file-" + names.back()), names.back());
        write(layer(names.back()) / "last", names.back());
    }
    image("many", names);
    const Result ran = on("many", {"sh", "-c", "cat /last; ls / | grep -c file-"});
    BOOST_TEST(ran.out == "9999\n", ran);
}

BOOST_AUTO_TEST_CASE(an_image_that_somebody_uses_is_not_removed) {
    box();
    const auto remove = [&](const std::string& more = "") {
        return outside({"sh", "-c", "\"$0\" image remove " + more + " box", sandboxctl_program()});
    };
    const auto expect_refused = [&](const char* cause) {
        const Result refused = remove();
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said(cause), refused);
        BOOST_TEST(box_sh("echo still there").out == "still there\n");
    };
    Options options = here();
    options.keep_input_open = true;
    Process running(
        {sandbox_program(), "--quiet", "--net", "none", "--image", "box", "sh", "-c", "echo up; read never"}, options);
    BOOST_REQUIRE(running.wait_for("up\n"));
    expect_refused("a sandbox runs on it");
    running.close_input();
    static_cast<void>(running.finish());

    BOOST_TEST(sandbox({"--quiet", "--net", "none", "--image", "box", "--keep", "try", "true"}).status == 0);
    expect_refused("the kept layer try needs it\n  fix: sandboxctl discard try");
    BOOST_TEST(outside({sandboxctl_program(), "discard", "try"}).status == 0);
    const Result removed = remove();
    BOOST_TEST(removed.status == 0, removed);
    BOOST_TEST(box_sh("true").said("there is no image"));

    image("box", {"box"});
    make_system(layer("box"));
    BOOST_TEST(sandbox({"--quiet", "--net", "none", "--image", "box", "--keep", "try", "true"}).status == 0);
    BOOST_TEST(remove("--force").status == 0);
    const Result diff = outside({sandboxctl_program(), "diff", "try"});
    BOOST_TEST(diff.status == 125, diff);
    BOOST_TEST(diff.said("was removed from the store"), diff);
    BOOST_TEST(diff.said("sandboxctl discard try"), diff);
}

BOOST_AUTO_TEST_CASE(what_was_cut_off_while_it_kept_or_discarded_a_layer_can_be_discarded) {
    box();
    BOOST_TEST(sandbox({"--quiet", "--net", "none", "--image", "box", "--keep", "try", "true"}).status == 0);
    // As a run leaves it that was killed when it had noted itself with the image alone.
    fs::remove(store / "private/kept/try/about");
    // As a discard leaves it that was killed.
    directory(store / "private/run/discarded-try/0");
    const Result discarded = outside({sandboxctl_program(), "discard", "try"});
    BOOST_TEST(discarded.status == 0, discarded);
    BOOST_TEST(outside({sandboxctl_program(), "kept"}).out.empty());
    BOOST_TEST(private_layers().empty());
    const Result removed = outside({sandboxctl_program(), "image", "remove", "box"});
    BOOST_TEST(removed.status == 0, removed);
}

BOOST_AUTO_TEST_CASE(an_image_that_is_not_there_is_told_with_the_nearest) {
    box();
    const Result absent = on("boxx", {"true"});
    BOOST_TEST(absent.status == 125, absent);
    BOOST_TEST(absent.said("did you mean 'box"), absent);
    BOOST_TEST(absent.said("sandboxctl image pull"), absent);
}

BOOST_AUTO_TEST_CASE(a_read_only_root_cannot_be_written) {
    box();
    const Result ran = sandbox({"--quiet", "--net", "none", "--image", "box", "--read-only-root", "--", "sh", "-c",
                                "touch /file; touch /tmp/file; ls /proc/self/status"});
    BOOST_TEST(ran.said("Read-only file system"), ran);
    BOOST_TEST(ran.printed("/proc/self/status"), ran);
    BOOST_TEST(box_sh("touch /file").status == 0);
}

BOOST_AUTO_TEST_CASE(a_directory_is_a_root_read_only_or_under_a_private_layer) {
    make_system(home / "system");
    write(home / "system/etc/resolv.conf", "");
    write(home / "system/etc/hosts", "");
    write(home / "system/etc/hostname", "");
    const std::string before = tree(home / "system");
    const Words start = {"--quiet", "--net", "none", "--rootfs", (home / "system").string()};
    const auto with = [&](Words more) {
        Words words = start;
        words.insert(words.end(), more.begin(), more.end());
        return sandbox(words);
    };
    const Result as_it_is = with({"--", "sh", "-c", "id -u; touch /file; ls /"});
    BOOST_TEST(as_it_is.printed("0\n"), as_it_is);
    BOOST_TEST(as_it_is.said("Read-only file system"), as_it_is);
    const Result layered = with({"--writable-root", "--", "sh", "-c", "echo x > /file; cat /file"});
    BOOST_TEST(layered.out == "x\n", layered);
    BOOST_TEST(tree(home / "system") == before);
    fs::remove(home / "system/proc");
    const Result no_place = with({"true"});
    BOOST_TEST(no_place.status == 125, no_place);
    BOOST_TEST(no_place.said("--writable-root"), no_place);
    BOOST_TEST(with({"--writable-root", "ls", "/proc/self/status"}).status == 0);
}

BOOST_AUTO_TEST_CASE(what_sandbox_itself_made_to_mount_on_is_no_change_of_a_kept_layer) {
    const fs::path system = home / "system";
    make_system(system);
    for (const char* name : {"dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf"}) {
        fs::remove_all(system / name);
    }
    const auto diff_after = [&](const std::string& script) {
        const Result ran = sandbox({"--quiet", "--net", "none", "--rootfs", system.string(), "--writable-root",
                                    "--keep", "try", "--", "sh", "-c", script});
        BOOST_TEST(ran.status == 0, ran);
        return outside({sandboxctl_program(), "diff", "try"});
    };
    const Result nothing = diff_after("ls /proc/self/status");
    BOOST_TEST(nothing.status == 0, nothing);
    for (const char* made : {"/dev", "/proc", "/sys", "/etc/host", "/etc/resolv.conf"}) {
        BOOST_TEST(!nothing.printed(made), nothing);
    }
    BOOST_TEST(fs::exists(store / "private/kept/try/0/upper/proc")); // the control
    // What CMD wrote is told: here the network has no names, so that the file is the layer's own.
    const Result written = diff_after("echo x > /etc/resolv.conf; mkdir /etc/proc; : > /empty");
    for (const char* added : {"/etc/resolv.conf", "/etc/proc", "/empty"}) {
        BOOST_TEST(written.printed(added), written);
    }
    BOOST_TEST(outside({sandboxctl_program(), "discard", "try"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_root_that_holds_what_no_sandbox_shows_is_refused) {
    for (const std::string& path :
         {std::string("/"), home.string(), home.parent_path().string(), std::string("/proc")}) {
        const Result refused = sandbox({"--rootfs", path, "true"});
        BOOST_TEST(refused.status == 125, path << refused);
        BOOST_TEST(refused.said("as the root"), path << refused);
    }
}

BOOST_AUTO_TEST_CASE(a_profile_without_a_root_of_its_own_runs_on_an_image_and_its_grants_are_shown_there) {
    box();
    write(project / "source.txt", "hello\n");
    const Result ran =
        sandbox({"--quiet", "--profile", "strict", "--image", "box", "--tmpfs", "/var/cache/deep", "--", "sh", "-c",
                 "cat " + (project / "source.txt").string() + "; touch /var/cache/deep/x && id -u"});
    BOOST_TEST(ran.out == "hello\n0\n", ran);
}

// --- attacks by an image ---

BOOST_AUTO_TEST_CASE(a_link_in_an_image_cannot_aim_a_mount_at_the_host) {
    for (const char* place : {"proc", "dev", "sys"}) {
        const std::string name = std::string("link-") + place;
        make_system(layer(name));
        fs::remove(layer(name) / place);
        directory(home / "target");
        link(layer(name) / place, (home / "target").string());
        image(name, {name});
        const Result refused = on(name, {"true"});
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said("link"), refused);
        BOOST_TEST(fs::is_empty(home / "target"));
    }
}

BOOST_AUTO_TEST_CASE(a_link_in_the_place_of_a_generated_file_leads_inside_the_image_only) {
    write(home / "victim", "untouched\n");
    int count = 0;
    for (const std::string& target :
         {(home / "victim").string(), "../../../../../../../.." + (home / "victim").string(),
          std::string("/run/made/up"), std::string("/proc/self/root/etc/hosts"), std::string("hosts")}) {
        const std::string name = "link" + std::to_string(count++);
        make_system(layer(name));
        link(layer(name) / "etc/hosts", target);
        image(name, {name});
        const Result ran = on(name, {"cat", "/etc/hosts"});
        // One that leads into the sandbox's own /proc, or in a circle, has no place at all.
        const bool has_place = target.find("/proc") == std::string::npos && target != "hosts";
        BOOST_TEST((ran.printed("127.0.0.1 localhost") == has_place), target << ran);
        BOOST_TEST(read_file(home / "victim") == "untouched\n");
    }
}

BOOST_AUTO_TEST_CASE(a_directory_of_an_image_that_is_a_link_to_the_host_shows_nothing_of_it) {
    write(home / "secret/passwd", "root:x:0:0:stolen:/root:/bin/sh\n");
    make_system(layer("etc"));
    fs::remove_all(layer("etc") / "etc");
    link(layer("etc") / "etc", (home / "secret").string());
    image("etc", {"etc"});
    const std::string before = tree(home / "secret");
    const Result ran = on("etc", {"cat", "/etc/passwd"});
    BOOST_TEST(ran.said("can't open '/etc/passwd'"), ran);
    BOOST_TEST(!ran.printed("stolen"), ran);
    BOOST_TEST(tree(home / "secret") == before);
}

BOOST_AUTO_TEST_CASE(what_cmd_plants_in_a_kept_layer_cannot_aim_the_next_run_at_the_host) {
    box();
    write(home / "victim", "untouched\n");
    const auto keep = [&](const std::string& script) {
        return sandbox({"--quiet", "--net", "none", "--image", "box", "--keep", "evil", "--", "sh", "-c", script});
    };
    // /proc, /etc and /dev are mount points now, which nobody renames: the next run of the layer could have others.
    BOOST_TEST(keep("rmdir /srv 2>/dev/null; ln -s " + home.string() + " /srv; ln -sf " + (home / "victim").string() +
                    " /etc/group; rm -f /etc/passwd; ln -s " + (home / "victim").string() + " /etc/passwd")
                   .status == 0);
    const Result next =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--keep", "evil", "--tmpfs", "/srv/made", "--", "sh",
                 "-c", "cat /etc/passwd; ls " + (home / "made").string() + " 2>&1; echo ran"});
    BOOST_TEST(next.printed("ran\n"), next);
    BOOST_TEST(!next.printed("untouched"), next);
    BOOST_TEST(!fs::exists(home / "made"));
    BOOST_TEST(read_file(home / "victim") == "untouched\n");
}

BOOST_AUTO_TEST_CASE(a_working_directory_of_an_image_cannot_lead_out) {
    for (const std::string& workdir :
         {std::string("/proc/self/fd/7"), std::string("/proc/1/root"), std::string("/proc/self/cwd/..")}) {
        box({"workdir " + workdir});
        const Result ran = on("box", {"sh", "-c", "pwd; ls"});
        // Refused, or a directory of the sandbox's own.
        BOOST_TEST((ran.status == 125 || ran.printed("bin\ndev\netc\n")), workdir << ran);
        BOOST_TEST(!ran.printed("project"), workdir << ran);
        fs::remove_all(store);
        directory(store / "images", 0700);
        directory(store / "layers", 0700);
    }
}

BOOST_AUTO_TEST_CASE(a_device_in_a_layer_does_not_work) {
    NEEDS(started_by_root(), "only root makes device nodes");
    box();
    const fs::path node = layer("box") / "zero";
    BOOST_REQUIRE(::mknod(node.c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0);
    fs::permissions(node, static_cast<fs::perms>(0666));
    const Result attack = box_sh("head -c 1 /zero");
    BOOST_TEST(attack.status != 0, attack);
    BOOST_TEST(attack.said("ermission denied"), attack);
    BOOST_TEST(sh("head -c 1 " + node.string()).status == 0); // the control
    BOOST_TEST(box_sh("head -c 1 /dev/zero").status == 0);
}

BOOST_AUTO_TEST_CASE(a_setuid_program_of_an_image_gives_nothing) {
    box({"user web"});
    write(layer("box") / "bin/busybox-setuid", read_file("/bin/busybox"), 04755);

    const Result attack = on("box", {"/bin/busybox-setuid", "id", "-u"});
    BOOST_TEST(attack.out == "33\n", attack);
    BOOST_TEST(on("box", {"sh", "-c", "grep NoNewPrivs /proc/self/status"}).printed("1"));
}

BOOST_AUTO_TEST_CASE(cmd_finds_neither_the_layers_nor_its_private_one) {
    box();
    const Result ran = box_sh("cat /proc/self/mountinfo /proc/mounts; find / -xdev -name sandbox 2>/dev/null; "
                              "find / -xdev -name layers 2>/dev/null; ls -la /proc/self/fd /proc/1/fd 2>&1");
    BOOST_TEST(!ran.printed(store.string()), ran);
    BOOST_TEST(!ran.printed("private/run"), ran);
    BOOST_TEST(ran.printed(" overlay "), ran);
    BOOST_TEST(ran.printed("userxattr"), ran);
}

BOOST_AUTO_TEST_CASE(cmd_cannot_mount_even_with_its_capabilities) {
    box();
    const Result attack = box_sh("mount -t tmpfs none /tmp");
    BOOST_TEST(attack.status != 0, attack);
    BOOST_TEST(attack.said("ermi"), attack);
}

BOOST_AUTO_TEST_CASE(hiding_covers_a_file_of_the_image_and_one_that_is_not_there_is_an_error) {
    box();
    const Result hidden =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--hide", "/etc/passwd", "--", "cat", "/etc/passwd"});
    BOOST_TEST(hidden.out.empty(), hidden);
    const Result absent =
        sandbox({"--quiet", "--net", "none", "--image", "box", "--hide", "/etc/nothing", "--", "true"});
    BOOST_TEST(absent.status == 125, absent);
    BOOST_TEST(absent.said("/etc/nothing"), absent);
}

BOOST_AUTO_TEST_SUITE_END()

// What every root has.
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct BaseTest : PlanTest {
    void share(const std::string& word) { add(profile.namespaces.share, "--share", word); }
    void host_network() { profile.network.mode.set("host", by_option("--net", "host").origin); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(base, BaseTest)

BOOST_AUTO_TEST_CASE(system_directories_are_read_only_and_links_stay_links) {
    CHECK_LINES(below("/usr"), {"directory /usr 0755", "bind /usr ro"});
    CHECK_LINES(below("/bin"), {"link /bin -> usr/bin"});
    BOOST_CHECK(below("/srv").empty());
    BOOST_CHECK(below("/sys").empty());
}

BOOST_AUTO_TEST_CASE(a_system_directory_that_was_moved_is_shown_where_it_is) {
    machine.link("/opt", "/data/opt");
    machine.directory("/data/opt");
    host.system_entries[3] = {"/opt", "/data/opt"};
    CHECK_LINES(below("/opt"), {"link /opt -> /data/opt"});
    CHECK_LINES(below("/data"), {"directory /data 0755", "directory /data/opt 0755", "bind /data/opt ro"});
}

BOOST_AUTO_TEST_CASE(a_dangling_system_link_stays_one) {
    host.system_entries.push_back({"/lib64", "gone/lib64"});
    machine.link("/lib64", "gone/lib64");
    CHECK_LINES(below("/lib64"), {"link /lib64 -> gone/lib64"});
}

BOOST_AUTO_TEST_CASE(an_empty_root_has_proc_and_dev_only) {
    profile.filesystem.root.set("empty", in_file("").origin);
    profile.filesystem.tmpfs.items.clear();
    BOOST_CHECK(below("/usr").empty());
    for (const std::string& line : entries()) {
        BOOST_CHECK_MESSAGE(contains(line, " /dev") || contains(line, " /proc"), line);
    }
    profile.filesystem.root.set("emtpy", in_file("").origin);
    CHECK_SAYS(error(), "did you mean 'empty'?");
}

BOOST_AUTO_TEST_CASE(dev_is_small_and_its_own) {
    CHECK_LINES(below("/dev"), {"directory /dev 0755",
                                "link /dev/fd -> /proc/self/fd",
                                "file /dev/full",
                                "bind /dev/full ro devices file",
                                "file /dev/null",
                                "bind /dev/null ro devices file",
                                "link /dev/ptmx -> pts/ptmx",
                                "directory /dev/pts 0755",
                                "devpts /dev/pts",
                                "file /dev/random",
                                "bind /dev/random ro devices file",
                                "directory /dev/shm 0755",
                                "private /dev/shm 1777",
                                "link /dev/stderr -> /proc/self/fd/2",
                                "link /dev/stdin -> /proc/self/fd/0",
                                "link /dev/stdout -> /proc/self/fd/1",
                                "file /dev/tty",
                                "bind /dev/tty ro devices file",
                                "file /dev/urandom",
                                "bind /dev/urandom ro devices file",
                                "file /dev/zero",
                                "bind /dev/zero ro devices file"});
}

BOOST_AUTO_TEST_CASE(shared_namespaces_show_what_belongs_to_them) {
    BOOST_CHECK(has("proc /proc"));
    share("pid");
    BOOST_CHECK(!has("proc /proc"));
    BOOST_CHECK(has("bind /proc rw"));
    share("ipc");
    BOOST_CHECK(has("bind /dev/shm rw"));
    machine.link("/dev/shm", "/run/shm");
    machine.directory("/run/shm");
    BOOST_CHECK(has("bind /dev/shm rw from /run/shm"));
    machine.remove("/dev/shm");
    BOOST_CHECK(has("private /dev/shm 1777"));
}

BOOST_AUTO_TEST_CASE(private_directories_have_the_modes_of_their_models) {
    tmpfs("/scratch/deep");
    for (const char* line : {"private /tmp 1777", "private /var/tmp 1777", "private /run 0755",
                             "private /home/dev 0700", "private /scratch/deep 0755", "directory /scratch 0755"}) {
        BOOST_CHECK_MESSAGE(has(line), line);
    }
}

BOOST_AUTO_TEST_CASE(var_run_leads_to_run_where_it_does_outside) {
    BOOST_CHECK(has("link /var/run -> /run"));
    machine.link("/var/run", "../run");
    BOOST_CHECK(has("link /var/run -> ../run"));
    machine.remove("/var/run");
    machine.directory("/var/run");
    BOOST_CHECK(below("/var/run").empty());
    machine.link("/var/run", "/run");
    profile.filesystem.tmpfs.items.clear();
    BOOST_CHECK(below("/var/run").empty());
}

BOOST_AUTO_TEST_CASE(names_resolve_on_the_hosts_network) {
    machine.link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    machine.file("/run/systemd/resolve/stub-resolv.conf");
    BOOST_CHECK(below("/run/systemd").empty());
    host_network();
    CHECK_LINES(below("/run"), {"directory /run 0755", "private /run 0755", "directory /run/systemd 0755",
                                "directory /run/systemd/resolve 0755", "file /run/systemd/resolve/stub-resolv.conf",
                                "bind /run/systemd/resolve/stub-resolv.conf ro file"});
}

BOOST_AUTO_TEST_CASE(a_system_file_that_leads_to_a_shown_place_needs_nothing) {
    host_network();
    machine.link("/etc/resolv.conf", "/usr/lib/resolv.conf");
    machine.file("/usr/lib/resolv.conf");
    machine.link("/etc/hosts", "/nowhere");
    machine.file("/etc/nsswitch.conf");
    for (const std::string& line : entries()) {
        BOOST_CHECK_MESSAGE(!contains(line, "resolv") && !contains(line, "hosts") && !contains(line, "nsswitch"), line);
    }
}

BOOST_AUTO_TEST_CASE(the_links_on_the_way_to_a_system_file_are_recreated) {
    machine.link("/etc/localtime", "/data/zone");
    machine.link("/data/zone", "zones/here");
    machine.file("/data/zones/here");
    CHECK_LINES(below("/data"), {"directory /data 0755", "link /data/zone -> zones/here", "directory /data/zones 0755",
                                 "file /data/zones/here", "bind /data/zones/here ro file"});
}

BOOST_AUTO_TEST_CASE(the_order_puts_a_directory_before_what_it_holds) {
    ro("/srv/data:/mnt/a");
    rw(".");
    std::vector<std::string> seen{"/"};
    for (const RootEntry& entry : plan().root.entries) {
        const std::string directory = entry.dest.substr(0, std::max<std::size_t>(1, entry.dest.rfind('/')));
        const bool in_bind = entry.dest.starts_with("/proc/");
        BOOST_CHECK_MESSAGE(in_bind || std::ranges::find(seen, directory) != seen.end(), entry.dest);
        seen.push_back(entry.dest);
    }
}

BOOST_AUTO_TEST_SUITE_END()

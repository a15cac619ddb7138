// The record of a run is read as it was written, and nothing else is read for one.
#include "cmd/common/run_record.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace sandbox;

namespace {

RunRecord full() {
    RunRecord record{.name = "web",
                     .profile = "container",
                     .arguments = {"/bin/sh", "-c", "echo \"a\nb\"", "\xff\xfe", ""},
                     .started = 1'795'987'132'452'805,
                     .supervisor = {.pid = 100, .start_time = 1000},
                     .init = {.pid = 101, .start_time = 1001},
                     .namespaces = {},
                     .cgroup = "/sys/fs/cgroup/a\\x2d",
                     .unit = "sandbox-web.scope",
                     .bus = "/run/user/1000/bus",
                     .network_mode = "pasta",
                     .published = {{.address = "::1", .is_udp = true, .host_port = 5353, .sandbox_port = 53}},
                     .image = "docker.io/library/debian:12",
                     .image_id = "sha256:0123",
                     .kept = "work",
                     .stop_signal = "SIGQUIT",
                     .shares_pid_namespace = true,
                     .restrictions = {.uid = 33,
                                      .gid = 34,
                                      .groups = {33, 44},
                                      .drops_groups = true,
                                      .capabilities = {0, 10},
                                      .limits = {{.resource = 7, .soft = 1024, .hard = ~std::uint64_t{0}}},
                                      .environment = {{"A", "b=c"}, {"ODD", "\xc3("}},
                                      .workdir = "/srv/\xe9",
                                      .uid_map = {{0, 100000, 65536}},
                                      .gid_map = {{0, 100000, 65536}},
                                      .has_filter = true}};
    for (std::size_t i = 0; i < record.namespaces.size(); ++i) {
        record.namespaces[i] = {.inode = 4026531000 + i, .descriptor = static_cast<int>(i) + 10};
    }
    return record;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_record)

BOOST_AUTO_TEST_CASE(a_record_is_read_as_it_was_written) {
    const std::string text = to_text(full());
    BOOST_TEST(text.find('\n') == text.size() - 1);
    const std::optional<RunRecord> read = read_run_record(text);
    BOOST_REQUIRE(read.has_value());
    BOOST_CHECK(*read == full());
    BOOST_CHECK(read_run_record(to_text(RunRecord{})) == RunRecord{});
}

BOOST_AUTO_TEST_CASE(what_is_cut_short_is_no_record) {
    const std::string text = to_text(full());
    for (std::size_t size = 0; size + 2 < text.size(); ++size) {
        BOOST_TEST(!read_run_record(text.substr(0, size)).has_value(), size);
    }
}

BOOST_AUTO_TEST_CASE(another_version_or_other_members_are_no_record) {
    const std::string text = to_text(full());
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string changed = text;
        changed.replace(changed.find(from), from.size(), to);
        return changed;
    };
    BOOST_TEST(!read_run_record(with("\"record\":1", "\"record\":2")).has_value());
    BOOST_TEST(!read_run_record(with("\"pid\":101", "\"pid\":\"x\"")).has_value());
    BOOST_TEST(!read_run_record(with("\"cgroup\"", "\"other\"")).has_value());
    for (const char* other : {"", "[]", "7", "null", "{}", "\"record\""}) {
        BOOST_TEST(!read_run_record(other).has_value(), other);
    }
}

BOOST_AUTO_TEST_SUITE_END()

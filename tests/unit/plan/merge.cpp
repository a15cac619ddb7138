#include <boost/test/unit_test.hpp>

#include "core/plan/profile.hpp"
#include "tests/support/fake_host.hpp"

using namespace sandbox;
using sandbox::test::by_option;
using sandbox::test::in_file;

namespace {

List list(std::initializer_list<Item> items, bool replaces) {
    List result;
    result.items = items;
    result.replaces = replaces;
    return result;
}

std::vector<std::string> words(const std::vector<Item>& items) {
    std::vector<std::string> result;
    for (const Item& item : items) {
        result.push_back(item.text);
    }
    return result;
}

using Words = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(merging)

BOOST_AUTO_TEST_CASE(a_later_value_overrides_and_the_earlier_is_remembered) {
    Profile base;
    base.ids.map.set("auto", in_file("", "a.toml").origin);
    Profile middle;
    middle.ids.map.set("full", in_file("", "b.toml").origin);
    Profile top;
    top.ids.map.set("self", by_option("--map", "self").origin);

    const Profile merged = merge(merge(base, middle), top);
    BOOST_CHECK_EQUAL(*merged.ids.map.value, "self");
    BOOST_CHECK_EQUAL(merged.ids.map.origin.source, "--map self");
    BOOST_REQUIRE_EQUAL(merged.ids.map.overridden.size(), 2U);
    BOOST_CHECK_EQUAL(merged.ids.map.overridden[0].first, "auto");
    BOOST_CHECK_EQUAL(merged.ids.map.overridden[0].second.source, "a.toml");
    BOOST_CHECK_EQUAL(merged.ids.map.overridden[1].first, "full");

    const Profile grouped = merge(base, merge(middle, top));
    BOOST_CHECK_EQUAL(*grouped.ids.map.value, "self");
    BOOST_CHECK_EQUAL(grouped.ids.map.overridden.size(), 2U);
}

BOOST_AUTO_TEST_CASE(what_is_not_written_stays) {
    Profile base;
    base.network.mode.set("host", in_file("").origin);
    base.process.workdir.set("/srv", in_file("").origin);
    const Profile merged = merge(base, Profile{});
    BOOST_CHECK_EQUAL(*merged.network.mode.value, "host");
    BOOST_CHECK(merged.network.mode.overridden.empty());
    BOOST_CHECK_EQUAL(*merged.process.workdir.value, "/srv");
}

BOOST_AUTO_TEST_CASE(an_array_replaces_and_an_addition_adds) {
    Profile base;
    base.filesystem.read_only = list({in_file("/a")}, true);
    base.filesystem.tmpfs = list({in_file("/tmp")}, true);
    Profile top;
    top.filesystem.read_only = list({in_file("/b", "top.toml")}, true);
    top.filesystem.tmpfs = list({by_option("--tmpfs", "/x")}, false);

    const Profile merged = merge(base, top);
    BOOST_CHECK(words(merged.filesystem.read_only.items) == Words{"/b"});
    BOOST_CHECK(words(merged.filesystem.read_only.overridden) == Words{"/a"});
    BOOST_CHECK(words(merged.filesystem.tmpfs.items) == (Words{"/tmp", "/x"}));
    BOOST_CHECK(merged.filesystem.tmpfs.overridden.empty());
}

BOOST_AUTO_TEST_CASE(an_empty_array_replaces_too) {
    Profile base;
    base.filesystem.tmpfs = list({in_file("/tmp")}, true);
    Profile top;
    top.filesystem.tmpfs.replaces = true;
    top.filesystem.tmpfs.origin = in_file("", "top.toml").origin;
    const Profile merged = merge(base, top);
    BOOST_CHECK(merged.filesystem.tmpfs.items.empty());
    BOOST_CHECK(merged.filesystem.tmpfs.replaces);
    BOOST_CHECK_EQUAL(merged.filesystem.tmpfs.origin.source, "top.toml");
}

BOOST_AUTO_TEST_CASE(no_layer_takes_back_what_another_allows_or_denies) {
    Profile base;
    base.seccomp.allow = list({in_file("read")}, true);
    base.seccomp.deny = list({in_file("ptrace")}, true);
    base.seccomp.rules.emplace_back();
    Profile top;
    top.seccomp.allow = list({in_file("write")}, true);
    top.seccomp.deny = list({in_file("bpf")}, true);
    top.seccomp.rules.emplace_back();
    const Profile merged = merge(base, top);
    BOOST_CHECK(words(merged.seccomp.allow.items) == (Words{"read", "write"}));
    BOOST_CHECK(words(merged.seccomp.deny.items) == (Words{"ptrace", "bpf"}));
    BOOST_CHECK_EQUAL(merged.seccomp.rules.size(), 2U);
}

BOOST_AUTO_TEST_CASE(variables_merge_by_name) {
    Profile base;
    base.environment.set["A"].set("1", in_file("").origin);
    base.environment.set["B"].set("2", in_file("").origin);
    Profile top;
    top.environment.set["B"].set("3", by_option("--env", "B=3").origin);
    const Profile merged = merge(base, top);
    BOOST_CHECK_EQUAL(*merged.environment.set.at("A").value, "1");
    BOOST_CHECK_EQUAL(*merged.environment.set.at("B").value, "3");
    BOOST_CHECK_EQUAL(merged.environment.set.at("B").overridden.size(), 1U);
}

BOOST_AUTO_TEST_CASE(a_cleared_environment_drops_what_lies_below_and_keeps_its_own) {
    Profile base;
    base.environment.pass = list({in_file("LANG")}, true);
    base.environment.set["A"].set("1", in_file("").origin);
    base.environment.set["B"].set("2", in_file("").origin);
    Profile top;
    top.environment.clear.set(true, by_option("--clear-env", "").origin);
    top.environment.pass = list({by_option("--pass-env", "TERM")}, false);
    top.environment.set["B"].set("3", by_option("--env", "B=3").origin);
    const Profile merged = merge(base, top);
    BOOST_CHECK(words(merged.environment.pass.items) == Words{"TERM"});
    BOOST_CHECK(words(merged.environment.pass.overridden) == Words{"LANG"});
    BOOST_CHECK(!merged.environment.set.at("A"));
    BOOST_CHECK_EQUAL(merged.environment.set.at("A").overridden.size(), 1U);
    BOOST_CHECK_EQUAL(*merged.environment.set.at("B").value, "3");
    BOOST_CHECK_EQUAL(merged.environment.set.at("B").overridden.size(), 1U);
}

BOOST_AUTO_TEST_CASE(every_part_of_a_profile_is_merged) {
    Profile top;
    const Origin origin = in_file("").origin;
    top.name = "top";
    top.lineage = {"top.toml"};
    for (Setting<std::string>* setting :
         {&top.description, &top.ids.map, &top.ids.user, &top.ids.groups, &top.namespaces.hostname,
          &top.filesystem.root, &top.network.mode, &top.limits.net_in, &top.limits.net_out, &top.limits.timeout,
          &top.limits.core, &top.limits.fsize, &top.limits.nofile, &top.limits.nproc, &top.limits.stack,
          &top.seccomp.base_profile, &top.seccomp.default_action, &top.process.workdir, &top.process.terminal}) {
        setting->set("x", origin);
    }
    for (List* each : {&top.namespaces.share, &top.filesystem.read_only, &top.filesystem.read_write,
                       &top.filesystem.tmpfs, &top.filesystem.hide, &top.filesystem.masked, &top.network.publish,
                       &top.network.dns, &top.network.hosts, &top.environment.pass, &top.capabilities.keep,
                       &top.capabilities.drop, &top.seccomp.allow, &top.seccomp.deny, &top.seccomp.architectures}) {
        each->items = {in_file("x")};
    }
    const Profile merged = merge(Profile{}, top);
    BOOST_CHECK_EQUAL(merged.name, "top");
    BOOST_CHECK(merged.lineage == top.lineage);
    for (const Setting<std::string>* setting :
         {&merged.description, &merged.ids.map, &merged.ids.user, &merged.ids.groups, &merged.namespaces.hostname,
          &merged.filesystem.root, &merged.network.mode, &merged.limits.net_in, &merged.limits.net_out,
          &merged.limits.timeout, &merged.limits.core, &merged.limits.fsize, &merged.limits.nofile,
          &merged.limits.nproc, &merged.limits.stack, &merged.seccomp.base_profile, &merged.seccomp.default_action,
          &merged.process.workdir, &merged.process.terminal}) {
        BOOST_CHECK(setting->value == "x");
    }
    for (const List* each :
         {&merged.namespaces.share, &merged.filesystem.read_only, &merged.filesystem.read_write,
          &merged.filesystem.tmpfs, &merged.filesystem.hide, &merged.filesystem.masked, &merged.network.publish,
          &merged.network.dns, &merged.network.hosts, &merged.environment.pass, &merged.capabilities.keep,
          &merged.capabilities.drop, &merged.seccomp.allow, &merged.seccomp.deny, &merged.seccomp.architectures}) {
        BOOST_CHECK_EQUAL(each->items.size(), 1U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

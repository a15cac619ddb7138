#include "tests/support/users.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace sandbox::test {

namespace {

std::pair<uid_t, uid_t> subordinate_range(const std::string& name) {
    std::ifstream file("/etc/subuid");
    for (std::string line; std::getline(file, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first != std::string::npos && second != std::string::npos && line.substr(0, first) == name) {
            return {static_cast<uid_t>(std::stoul(line.substr(first + 1, second - first - 1))),
                    static_cast<uid_t>(std::stoul(line.substr(second + 1)))};
        }
    }
    return {0, 0};
}

User from_entry(const passwd* entry, const std::string& asked) {
    if (entry == nullptr) {
        throw std::runtime_error("no passwd entry for " + asked + "; tests/support/users.sh makes the test users");
    }
    User user;
    user.name = entry->pw_name;
    user.uid = entry->pw_uid;
    user.gid = entry->pw_gid;
    user.home = entry->pw_dir;
    int count = 0;
    ::getgrouplist(entry->pw_name, entry->pw_gid, nullptr, &count);
    user.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(entry->pw_name, entry->pw_gid, user.groups.data(), &count);
    user.subordinate = subordinate_range(user.name);
    return user;
}

User by_name(const std::string& name) {
    return from_entry(::getpwnam(name.c_str()), name);
}

} // namespace

bool started_by_root() {
    return ::geteuid() == 0;
}

const User& user() {
    static const User user =
        started_by_root() ? by_name("sandbox-test") : from_entry(::getpwuid(::getuid()), "the caller");
    return user;
}

const User& bare_user() {
    static const User user = by_name("sandbox-bare");
    return user;
}

const User& root_user() {
    static const User user = by_name("root");
    return user;
}

void become(const User& who) {
    if (who.uid == ::geteuid()) {
        return;
    }
    if (::setgroups(who.groups.size(), who.groups.data()) != 0 || ::setresgid(who.gid, who.gid, who.gid) != 0 ||
        ::setresuid(who.uid, who.uid, who.uid) != 0) {
        ::_exit(99);
    }
}

} // namespace sandbox::test

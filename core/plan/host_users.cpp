#include "core/plan/host_users.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "core/base/child_process.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/plan/subids.hpp"

namespace sandbox::host {

namespace {

constexpr const char* kGetsubids = "/usr/bin/getsubids";
/// The field after `count` colons of a line.
std::string_view field(std::string_view line, int count) {
    for (int i = 0; i < count; ++i) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) {
            return {};
        }
        line.remove_prefix(colon + 1);
    }
    return line.substr(0, line.find(':'));
}

bool nss_has_subids() {
    const std::string text = read_small_file("/etc/nsswitch.conf");
    return text.starts_with("subid:") || text.find("\nsubid:") != std::string::npos;
}

/// What getsubids(1) prints; empty where it fails or is not installed.
std::string ask_getsubids(bool groups, const std::string& user) {
    if (::access(kGetsubids, X_OK) != 0) {
        return {};
    }
    std::vector<std::string> words = {kGetsubids};
    if (groups) {
        words.emplace_back("-g");
    }
    words.push_back(user);
    HelperResult result = Helper(words, STDOUT_FILENO).finish();
    return WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0 ? std::move(result.said) : std::string();
}

} // namespace

PasswdEntry find_user(std::uint32_t uid) {
    const std::string text = read_small_file("/etc/passwd");
    const std::string wanted = std::to_string(uid);
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (field(line, 2) == wanted && !line.starts_with('+') && !line.starts_with('-')) {
            return {std::string(field(line, 0)), std::string(field(line, 5))};
        }
    }
    const passwd* entry = ::getpwuid(uid);
    return entry == nullptr ? PasswdEntry{} : PasswdEntry{entry->pw_name, entry->pw_dir};
}

void find_subids(Host& host) {
    const SubidFile uids = read_subid_file(read_small_file("/etc/subuid"), host.user_name, host.uid);
    const SubidFile gids = read_subid_file(read_small_file("/etc/subgid"), host.user_name, host.uid);
    host.subuids = uids.mine;
    host.subgids = gids.mine;
    host.free_subids = suggest_subid_range(uids, gids);
    const bool found = !uids.mine.empty() && !gids.mine.empty();
    if (found || host.user_name.empty() || !nss_has_subids()) {
        return;
    }
    // One source a user, as newuidmap(1) has it: what NSS says counts for both.
    auto nss_uids = read_getsubids_output(ask_getsubids(false, host.user_name));
    auto nss_gids = read_getsubids_output(ask_getsubids(true, host.user_name));
    if (!nss_uids.empty() && !nss_gids.empty()) {
        host.subuids = std::move(nss_uids);
        host.subgids = std::move(nss_gids);
    }
}

} // namespace sandbox::host

#include "core/plan/secrets.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/plan/histories.hpp"
#include "core/plan/paths.hpp"
#include "core/plan/secret_names.hpp"

namespace sandbox {

namespace {

/// Who may talk to one of these is root on the host, or as good as that.
constexpr auto kDaemonSockets = std::to_array<std::string_view>(
    {"/run/docker.sock", "/run/docker", "/run/containerd", "/run/podman", "/run/crio", "/var/run/docker.sock",
     "/var/run/docker", "/var/run/containerd", "/var/run/podman", "/var/run/crio"});

/// What shells, sessions and tools of the user run or obey without being asked: who writes it acts outside.
// clang-format off
constexpr auto kRunOutside = std::to_array<std::string_view>({
    ".bashrc", ".bash_aliases", ".bash_profile", ".bash_login", ".bash_logout", ".profile",
    ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".kshrc", ".mkshrc",
    ".cshrc", ".tcshrc", ".login", ".logout", ".config/fish", ".inputrc",
    ".vimrc", ".vim", ".config/nvim", ".emacs", ".emacs.d", ".config/helix", ".config/zed", ".config/Code", ".vscode",
    ".gitconfig", ".config/git",
    ".tmux.conf", ".config/tmux", ".screenrc", ".config/kitty", ".config/alacritty",
    ".xprofile", ".xinitrc", ".xsession", ".Xresources", ".config/i3", ".config/sway",
    ".pam_environment", ".config/environment.d", ".config/systemd", ".config/autostart",
    ".local/share/systemd", ".local/share/applications",
    ".cargo/config", ".cargo/config.toml",     // what cargo runs to compile and to link
    ".config/pip", ".pip",                     // from where it installs
    ".local/bin", ".local/lib", "bin", ".cargo/bin", ".npm-global", // programs, and what they load
});
// clang-format on

/// Secrets that no private home watches: their names are asked for without need, or stand where a link
/// would be in the way.
// clang-format off
constexpr auto kUnwatched = std::to_array<std::string_view>({
    ".config/containers",      // auth.json: passwords of registries
    ".config/git/credentials", // passwords, in the clear: git-credential-store(1)
    ".cargo/credentials",      // the older name of credentials.toml
    ".gem/credentials",        // the token that publishes gems
    ".local/share/keyrings",   // GNOME's keyrings
    ".thunderbird",            // mail and its passwords
});
// clang-format on

} // namespace

bool is_named_like_a_key(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name.ends_with(".pem") || (name.starts_with("id_") && name.find('.') == std::string_view::npos);
}

const std::vector<std::string>& secret_places() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> both;
        for (const SecretName& name : secret_names()) {
            both.emplace_back(name.path);
        }
        both.insert(both.end(), kUnwatched.begin(), kUnwatched.end());
        both.insert(both.end(), kHistories.begin(), kHistories.end());
        return both;
    }();
    return all;
}

bool is_secret_of(const std::string& path, const std::string& home) {
    if (home.empty() || !paths::is_below(path, home)) {
        return false;
    }
    return is_named_like_a_key(path) || std::ranges::any_of(secret_places(), [&](const std::string& place) {
               return paths::is_within(path, paths::join(home, place));
           });
}

bool is_run_outside(const std::string& path, const std::string& home) {
    return !home.empty() && std::ranges::any_of(kRunOutside, [&](std::string_view place) {
        return paths::is_within(path, paths::join(home, std::string(place)));
    });
}

bool is_daemon_socket(const std::string& path) {
    return std::ranges::any_of(kDaemonSockets, [&](std::string_view socket) { return paths::is_within(path, socket); });
}

std::string secret_below(const std::string& directory, const std::string& home) {
    const auto found = std::ranges::find_if(secret_places(), [&](const std::string& place) {
        return !home.empty() && paths::is_below(paths::join(home, place), directory);
    });
    return found == secret_places().end() ? "" : *found;
}

} // namespace sandbox

// sandboxctl profile check: all mistakes, not the first alone.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/print.hpp"
#include "cmd/common/profile_file.hpp"
#include "cmd/common/profile_keys.hpp"
#include "cmd/common/profile_text.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/seccomp_plan.hpp"

namespace sandbox::ctl {

namespace {

/// The mistakes that were found, each once.
class Mistakes {
public:
    void add(const Error& error) {
        if (known_.insert(error.what()).second) {
            complain(error.what(), "sandboxctl");
        }
    }
    [[nodiscard]] std::size_t count() const { return known_.size(); }

    /// Adds what `action` throws.
    template <class Action> void gather(Action action) {
        try {
            action();
        } catch (const Error& error) {
            add(error);
        }
    }

private:
    std::set<std::string> known_;
};

/// A profile of the same files that says nothing yet, and whose filter lets CMD start.
Profile nearly_empty(const Profile& profile) {
    Profile one;
    one.name = profile.name;
    one.lineage = profile.lineage;
    one.network.mode = profile.network.mode;     // much means something with an interface alone
    one.limits.when_unavailable.set("warn", {}); // whether the machine can hold a limit is no mistake of its value
    one.seccomp.default_action.set("deny", {});
    one.seccomp.allow.items = {{"execve", {}}};
    return one;
}

/// A Plan stops at the first mistake, so each word that it must resolve is planned alone first.
void check_filter(const Profile& profile, Mistakes& mistakes) {
    const auto alone = [&](List Profile::Seccomp::*list) {
        for (const Item& item : (profile.seccomp.*list).items) {
            Profile one = nearly_empty(profile);
            (one.seccomp.*list).items.push_back(item);
            mistakes.gather([&] { static_cast<void>(plan_seccomp(one)); });
        }
    };
    alone(&Profile::Seccomp::allow);
    alone(&Profile::Seccomp::deny);
    alone(&Profile::Seccomp::quiet);
    alone(&Profile::Seccomp::architectures);
    for (const SeccompRule& rule : profile.seccomp.rules) {
        Profile one = nearly_empty(profile);
        one.seccomp.rules = {rule};
        mistakes.gather([&] { static_cast<void>(plan_seccomp(one)); });
    }
}

/// Every value of the other tables on a profile that says nothing else.
void check_values(const Profile& profile, const Host& host, Mistakes& mistakes) {
    Profile source = profile; // the table of keys speaks of fields that can be written
    const auto plan = [&](const Profile& one) {
        mistakes.gather([&] { static_cast<void>(make_plan(one, {{"/bin/true"}, ""}, host)); });
    };
    for (const ProfileKey& key : profile_keys()) {
        if (key.table == "seccomp") {
            continue;
        }
        Profile one = nearly_empty(profile);
        if (const auto* words = std::get_if<ProfileKey::Words>(&key.field)) {
            for (const Item& item : (*words)(source).items) {
                (*words)(one).items = {item};
                plan(one);
            }
        } else if (const auto* text = std::get_if<ProfileKey::Text>(&key.field)) {
            (*text)(one) = (*text)(source);
            plan(one);
        }
    }
}

void check_file(const std::string& name, const ProfileSearch& search, const Host& host, Mistakes& mistakes) {
    const std::size_t before = mistakes.count();
    if (is_profile_path(name)) {
        // The file's own mistakes, all of them; what it extends is read below.
        std::vector<Error> found;
        mistakes.gather([&] { static_cast<void>(parse_profile(read_profile_file(name), name, found)); });
        for (const Error& error : found) {
            mistakes.add(error);
        }
    }
    if (mistakes.count() > before) {
        return;
    }
    mistakes.gather([&] {
        const Profile profile = load_profile(name, search);
        check_filter(profile, mistakes);
        check_values(profile, host, mistakes);
        static_cast<void>(make_plan(profile, {{"/bin/true"}, ""}, host));
    });
}

} // namespace

int check_profiles(const std::vector<std::string>& files) {
    const Host host = gather_host();
    const ProfileSearch search = profile_search(host.config_dir);
    Mistakes mistakes;
    for (const std::string& file : files) {
        const std::size_t before = mistakes.count();
        check_file(file, search, host, mistakes);
        if (mistakes.count() == before) {
            print(fmt::format("{}: good\n", escaped(file)));
        }
    }
    return mistakes.count() == 0 ? 0 : 1;
}

} // namespace sandbox::ctl

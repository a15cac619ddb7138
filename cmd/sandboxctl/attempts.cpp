#include "cmd/sandboxctl/attempts.hpp"

#include <set>

#include "cmd/common/print.hpp"
#include "core/base/error.hpp"

namespace sandbox::ctl {

void Attempts::make(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        complain(error.what(), "sandboxctl");
        status_ = error.exit_status();
    }
}

void Attempts::make_for_each(const std::vector<std::string>& names,
                             const std::function<void(const std::string& name)>& work) {
    std::set<std::string> done;
    for (const std::string& name : names) {
        if (done.insert(name).second) {
            make([&] { work(name); });
        }
    }
}

} // namespace sandbox::ctl

// Verbs that take several names: what fails for one is told, and the others are done all the same.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sandbox::ctl {

class Attempts {
public:
    /// Does `work`, and tells where it fails.
    void make(const std::function<void()>& work);
    /// The same for each name, once for one that stands there twice.
    void make_for_each(const std::vector<std::string>& names, const std::function<void(const std::string& name)>& work);

    /// The exit status: 0, or that of the last failure.
    [[nodiscard]] int status() const { return status_; }

private:
    int status_ = 0;
};

} // namespace sandbox::ctl

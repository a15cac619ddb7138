// What CMD would see at a path, told from a Plan: for explaining why it could not be executed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace sandbox {

class InsideView {
public:
    /// `plan` must outlive the view.
    explicit InsideView(const RootPlan& plan) : plan_(plan) {}

    /// The host's path of the file that stands at the absolute `path` inside, every link followed as it is inside.
    /// Nothing where there is no file, or none of the host's.
    [[nodiscard]] std::optional<std::string> host_path(std::string_view path) const;

    /// The entry that decides what stands at `path` (absolute, free of links); null for the root itself.
    [[nodiscard]] const RootEntry* decided_by(std::string_view path) const;

private:
    /// As host_path, for a path whose links have been followed; the file need not exist.
    [[nodiscard]] std::optional<std::string> shown_at(const std::string& path) const;
    [[nodiscard]] std::optional<std::string> link_at(const std::string& path) const;

    const RootPlan& plan_;
};

} // namespace sandbox

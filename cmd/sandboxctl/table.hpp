// Columns of text, each as wide as its widest cell.
#pragma once

#include <string>
#include <vector>

namespace sandbox::ctl {

class Table {
public:
    explicit Table(std::vector<std::string> titles) { rows_.push_back(std::move(titles)); }

    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    /// A line a row, the titles first. Lines are cut at `width` characters; 0: at none.
    [[nodiscard]] std::string text(std::size_t width = 0) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

} // namespace sandbox::ctl

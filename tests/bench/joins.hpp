// What it costs to enter a sandbox that runs, beside the other programs that enter one.
#pragma once

namespace sandbox::bench {

/// Prints the table. \throws std::runtime_error where sandbox does not run here.
void measure_joins();

} // namespace sandbox::bench

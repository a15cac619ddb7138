// What limits cost a start, beside the other ways to have them.
#pragma once

namespace sandbox::bench {

/// Prints the table. The caller's systemd gives cgroups: the workstation's developer, for whom `make bench` runs this.
/// \throws std::runtime_error where limits cannot be had here.
void measure_limits();

} // namespace sandbox::bench

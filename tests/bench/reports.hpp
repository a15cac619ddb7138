// What it costs that refused system calls are reported.
#pragma once

namespace sandbox::bench {

/// Prints the tables.
void measure_reports();

} // namespace sandbox::bench

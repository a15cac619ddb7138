// What the record of a run costs a start, and what a look at many runs takes.
#pragma once

namespace sandbox::bench {

/// Prints the tables.
void measure_runs();

} // namespace sandbox::bench

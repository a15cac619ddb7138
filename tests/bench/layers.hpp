// What layers cost: a start on 1, 20 and 100 of them, a build and `git status` under a private one.
#pragma once

namespace sandbox::bench {

/// Prints the tables, and whether what is wanted is reached.
void measure_layers();

} // namespace sandbox::bench

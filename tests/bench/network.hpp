// What a network of the sandbox's own costs: a start, bytes, connections, beside the same programs used by hand.
#pragma once

namespace sandbox::bench {

/// Prints the tables. \param traffic the program that makes the traffic, at a place where the user can execute it.
/// \return whether every figure that was wanted has been reached.
bool measure_network(const char* traffic);

} // namespace sandbox::bench

// Published ports: "8080:80", "[::1]:5353:53/udp", "8000-8010:8000-8010".
#pragma once

#include <string>
#include <vector>

#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// One entry a port, ranges taken apart. Without an address the port is opened on 127.0.0.1: only programs of this
/// machine reach it.
/// \throws Error for what is malformed, for a port that the caller may not open, and for one that is named twice.
[[nodiscard]] std::vector<PublishedPort> plan_publish(const List& publish, const NetworkFacts& facts);

/// For people: "127.0.0.1:8080 leads to port 80, tcp".
[[nodiscard]] std::string published_words(const PublishedPort& port);

} // namespace sandbox

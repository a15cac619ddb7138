#include "tests/bench/images.hpp"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

#include "tests/bench/measure.hpp"
#include "tests/support/world.hpp"

namespace sandbox::bench {

using namespace test;

namespace {

constexpr int kRoundsOfImports = 5;
constexpr double kWantedOverUmoci = 1.0;

/// An OCI layout `layout` of five gzip layers out of 300 MB of this machine's own files, whichever.
constexpr const char* kMakeImage = R"SH(
set -e
find /usr -xdev '(' -type f -o -type l ')' -readable -size -16M -printf '%s %P\n' | shuf |
    awk '{ sum += $1; if (sum > 300e6) exit; sub(/^[0-9]* /, ""); print > ("list." NR % 5) }'
umoci init --layout layout
umoci new --image layout:big
for list in list.*; do
    tar -C /usr --transform 's,^,usr/,S' --no-recursion --owner=0 --group=0 --files-from="$list" -cf layer.tar
    umoci raw add-layer --image layout:big layer.tar
    rm layer.tar
done
umoci gc --layout layout
find layout/blobs -type f -size +100k -printf '%s\n' | awk '{ sum += $1 } END { printf "%d MB", sum / 1e6 }'
)SH";

/// skopeo(1) checks and copies the layers, tar(1) unpacks them, the lowest first.
constexpr const char* kSkopeoAndTar = R"SH(
set -e
skopeo copy --quiet --insecure-policy oci:layout:big dir:copied
mkdir unpacked
grep -o 'sha256:[0-9a-f]*' copied/manifest.json | sed '1d;s/sha256://' | while read -r layer; do
    tar -C unpacked -xzf "copied/$layer"
done
)SH";

/// As root of a namespace in which the files of the store are root's.
constexpr const char* kRemoveAll =
    "unshare --map-root-user --map-auto rm -rf bundle copied unpacked ~/.local/share/sandbox; sync";

Result patiently(const World& world, const Words& words) {
    Options options = world.here();
    options.watchdog = std::chrono::minutes(10);
    Result result = run(words, options);
    if (result.status != 0) {
        throw std::runtime_error(words.front() + " failed: " + result.err);
    }
    return result;
}

} // namespace

bool measure_images() {
    const World world;
    const std::string size = patiently(world, {"sh", "-c", kMakeImage}).out;
    std::vector<Contestant> all = {
        {"sandboxctl image import", {sandboxctl_program(), "image", "import", "--name", "big", "layout"}, "", {}},
        {"umoci unpack --rootless", {"umoci", "unpack", "--rootless", "--image", "layout:big", "bundle"}, "", {}},
        {"skopeo copy, then tar", {"sh", "-c", kSkopeoAndTar}, "", {}},
    };
    for (int round = 0; round < kRoundsOfImports; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            // Turn by turn another one begins; each starts with nothing of the others' to write back.
            Contestant& one = all[(i + static_cast<std::size_t>(round)) % all.size()];
            patiently(world, {"sh", "-c", kRemoveAll});
            const auto begin = std::chrono::steady_clock::now();
            patiently(world, one.command);
            const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
            one.milliseconds.push_back(taken.count());
        }
    }
    patiently(world, {"sh", "-c", kRemoveAll});
    say_table(fmt::format("\nAn image of 300 MB, packed {}", size), all);
    return say_verdict(all[0], all[1], "umoci", kWantedOverUmoci);
}

} // namespace sandbox::bench

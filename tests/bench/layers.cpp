#include "tests/bench/layers.hpp"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

#include "tests/bench/measure.hpp"
#include "tests/support/image_world.hpp"

namespace fs = std::filesystem;

namespace sandbox::bench {

using namespace test;

namespace {

constexpr int kStartRounds = 150;
constexpr int kWorkRounds = 7;
constexpr double kWantedTwentyLayers = 1.3;
constexpr double kWantedBuild = 1.05;
constexpr int kFilesOfTree = 10'000;

/// Images of 1, 20 and 100 layers, each of which holds a file of its own.
void make_images(const ImageWorld& world) {
    for (const int count : {1, 20, 100}) {
        std::vector<std::string> names;
        for (int i = 0; i < count; ++i) {
            const std::string name = fmt::format("{}-{}", count, i);
            if (i == 0) {
                world.make_system(world.layer(name));
            } else {
                world.write(world.layer(name) / ("file-" + std::to_string(i)), name);
            }
            names.push_back(name);
        }
        world.image("layers-" + std::to_string(count), names);
    }
}

Contestant start_on(int layers) {
    return {fmt::format("on an image of {} layer{}", layers, layers == 1 ? "" : "s"),
            {sandbox_program(), "--quiet", "--profile", "strict", "--image", "layers-" + std::to_string(layers), "--",
             "/bin/true"},
            "",
            {}};
}

/// The same work on the bare disk, under the kernel's overlay, and under fuse-overlayfs; the disk is the measure.
std::vector<Contestant> ways_to_do(const std::string& directory, const std::string& script) {
    const auto with = [&](const Words& grant) {
        Words words = {sandbox_program(), "--quiet", "--profile", "build"};
        words.insert(words.end(), grant.begin(), grant.end());
        words.insert(words.end(), {"--workdir", directory, "--", "sh", "-c", script});
        return words;
    };
    return {{"under the kernel's overlay", with({"--overlay", directory, "--overlay-driver", "kernel"}), "", {}},
            {"on the bare disk", with({"--rw", directory}), "", {}},
            {"under fuse-overlayfs",
             with({"--overlay", directory, "--overlay-driver", "fuse"}),
             has_fuse_overlayfs() ? "" : "fuse-overlayfs or /dev/fuse is missing",
             {}}};
}

void measure_starts(const ImageWorld& world) {
    make_images(world);
    std::vector<Contestant> all = {
        start_on(20),
        {"on the host's root", {sandbox_program(), "--quiet", "--profile", "strict", "--", "/bin/true"}, "", {}},
        start_on(1),
        start_on(100),
    };
    for (const Contestant& one : all) {
        if (const Result tried = run(one.command, world.here()); tried.status != 0) {
            throw std::runtime_error("layers cannot be had here: " + tried.err);
        }
    }
    measure(all, world, kStartRounds);
    say_table("\nA start under the profile strict", all);
    static_cast<void>(say_verdict(all[0], all[1], "the host's root", kWantedTwentyLayers));
}

void measure_build(const ImageWorld& world) {
    const fs::path sources = fs::path(std::getenv("SANDBOX_TEST_SOURCE")) / "tests/run/probes";
    for (const auto& entry : fs::directory_iterator(sources)) {
        world.write(world.home / "build" / entry.path().filename(), read_file(entry.path()));
    }
    const std::string script =
        "rm -rf out; mkdir out; for f in *.c; do gcc -O1 -D_GNU_SOURCE -c -o out/$f.o $f || exit 1; "
        "done; ar rc out/all.a out/*.o";
    std::vector<Contestant> all = ways_to_do((world.home / "build").string(), script);
    measure(all, world, kWorkRounds);
    say_table("\nA build of the tests' probes", all);
    static_cast<void>(say_verdict(all[0], all[1], "the bare disk", kWantedBuild));
}

void measure_git(const ImageWorld& world) {
    const fs::path tree = world.directory(world.home / "tree");
    for (int i = 0; i < kFilesOfTree; ++i) {
        world.write(tree / std::to_string(i / 100) / std::to_string(i), std::to_string(i));
    }
    const Result made =
        world.sh(fmt::format("cd {} && git init -q . && git add -A && git -c user.name=x -c user.email=x@x "
                             "commit -q -m all",
                             tree.string()));
    if (made.status != 0) {
        throw std::runtime_error("no tree for git: " + made.err);
    }
    std::vector<Contestant> all = ways_to_do(tree.string(), "git status --short");
    measure(all, world, kWorkRounds);
    say_table(fmt::format("\n`git status` on {} files", kFilesOfTree), all);
}

} // namespace

void measure_layers() {
    const ImageWorld world;
    measure_starts(world);
    measure_build(world);
    measure_git(world);
}

} // namespace sandbox::bench

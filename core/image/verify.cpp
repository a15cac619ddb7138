#include "core/image/verify.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/image/manifest.hpp"
#include "core/image/store.hpp"
#include "core/image/store_files.hpp"
#include "core/image/tree_digest.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

class Verification {
public:
    void image(const std::string& id) {
        guarded("image " + id, [&] {
            const std::string path = image_path(id) + "/config.json";
            const std::string config = read_store_file(path, kLargestDocument);
            if (digest_of(config) != id) {
                wrong("image " + id, "its config.json is not what its id says");
            }
            const ImageRecord record = stored_record(".", id);
            const ParsedConfig parsed = parse_config(config, path);
            if (record.config != parsed.config) {
                wrong("image " + id, "its record is not what its config.json says");
            }
            if (record.layers.size() != parsed.diff_ids.size()) {
                wrong("image " + id, "its record has another number of layers than its config.json");
            }
            for (std::size_t i = 0; i < record.layers.size(); ++i) {
                if (i < parsed.diff_ids.size() && !record.layers[i].starts_with(hex_of(parsed.diff_ids[i]))) {
                    wrong("image " + id, fmt::format("its layer {} is another than its config.json says", i));
                }
                layer(record.layers[i]);
            }
        });
    }

    void layer(const std::string& name) {
        if (!seen_.insert(name).second) {
            return;
        }
        guarded("layer " + name, [&] {
            const LayerRecord record = read_layer_record(".", name);
            if (!name.starts_with(hex_of(record.diff_id))) {
                wrong("layer " + name, "its record is another layer's");
            }
            const Fd root = open_directory("layers/" + name + "/root");
            if (tree_digest(root.get()) != record.tree) {
                wrong("layer " + name, "its files are not what they were when it was unpacked");
            }
        });
    }

    /// What is listed. What else lies there is of an import that was cut off, and of no concern.
    void all() {
        guarded("references", [&] {
            for (const std::string& id : stored_index(".").images) {
                listed_image(id);
            }
        });
    }

    [[nodiscard]] std::vector<std::string> finish() { return std::move(problems_); }

private:
    [[nodiscard]] static bool is_listed(const std::string& id) { return stored_index(".").images.contains(id); }

    /// One that was removed while it was being read is no damage.
    void listed_image(const std::string& id) {
        const std::vector<std::string> problems = problems_;
        const std::set<std::string> seen = seen_;
        image(id);
        if (problems_.size() != problems.size() && !is_listed(id)) {
            problems_ = problems;
            seen_ = seen;
        }
    }

    template <typename Look> void guarded(const std::string& what, Look look) {
        try {
            look();
        } catch (const Error& error) {
            constexpr int kSignalBase = 128;
            if (error.exit_status() > kSignalBase) {
                throw; // interrupted
            }
            wrong(what, error.what());
        }
    }

    void wrong(const std::string& what, const std::string& why) {
        problems_.push_back(fmt::format("{}: {}", escaped(what), why));
    }

    std::set<std::string> seen_;
    std::vector<std::string> problems_;
};

} // namespace

std::vector<std::string> verify_images(const std::vector<std::string>& ids) {
    Verification verification;
    for (const std::string& id : ids) {
        verification.image(id);
    }
    if (ids.empty()) {
        verification.all();
    }
    return verification.finish();
}

} // namespace sandbox::image

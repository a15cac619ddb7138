#include "core/image/import.hpp"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/image/decompress.hpp"
#include "core/image/delivery.hpp"
#include "core/image/import_names.hpp"
#include "core/image/layer_path.hpp"
#include "core/image/store_files.hpp"
#include "core/image/tar_reader.hpp"
#include "core/own_directories.hpp"

namespace sandbox::image {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kHead = std::size_t{64} << 10;

std::string map_text(const OwnersPlan& owners) {
    std::string text;
    for (const MapEntry& entry : owners.ids.uid_map) {
        text += fmt::format("{}{} {} {}", text.empty() ? "" : ",", entry.inside, entry.outside, entry.count);
    }
    return text;
}

/// A tar has headers and padding besides what it unpacks to.
std::uint64_t stream_limit(const ImportRequest& request) {
    constexpr std::uint64_t kRoom = std::uint64_t{1} << 20;
    return request.max_size > kToTheEnd / 4 ? kToTheEnd : request.max_size * 2 + kRoom;
}

/// The name of the first entry of a tar that is not its root; empty where none can be seen.
std::string first_name(Bytes head, const std::string& name) {
    try {
        TextStream text(head);
        TarReader tar(text, name);
        TarEntry entry;
        while (tar.next(entry)) {
            if (!split(entry.name).empty()) {
                return entry.name;
            }
        }
    } catch (const Error&) {
        // Whoever reads the whole of it says what is wrong.
    }
    return "";
}

class Import {
public:
    Import(const OwnersPlan& owners, const ImportRequest& request)
        : request_(request), wanted_(request.platform.value_or(own_platform())), store_(open_directory(".")),
          spool_budget_(request.max_size, store_.get()), budget_(request.max_size, store_.get()),
          progress_(request.terminal, request.source_name, request.source_size),
          layers_(incoming_, request.single_owner, map_text(owners), budget_, Budget(stream_limit(request), -1),
                  progress_) {}

    std::string run() {
        read_source();
        std::vector<NewImage> images;
        for (const DeliveredImage& image : delivered_) {
            images.push_back(unpack(image));
        }
        if (root_) {
            images.push_back(*root_);
        }
        const std::set<std::string> put = commit(incoming_, images, layers_.unpacked());
        return report(images, put);
    }

private:
    void read_source() {
        if (request_.is_directory) {
            files_ = std::make_unique<DirectoryFiles>(request_.source.get());
            delivered_ = read_delivery(*files_, request_.source_name, wanted_, request_.platform.has_value());
            return;
        }
        FileStream file(request_.source.get(), request_.source_name);
        // Of an image's archive the layers are counted when they are unpacked.
        bool counts = !request_.is_regular;
        CountingStream counted(file, [&](std::size_t bytes) { progress_.add(counts ? bytes : 0); });
        const std::unique_ptr<Stream> unpacked = decompress(counted, request_.source_name);
        ReplayStream tar(*unpacked, kHead);
        if (is_image_file(first_name(tar.head(), request_.source_name))) {
            read_archive(tar);
        } else {
            counts = true;
            unpack_root(tar);
        }
    }

    void read_archive(Stream& tar) {
        std::shared_ptr<const Fd> plain;
        if (request_.is_regular) {
            plain = std::make_shared<const Fd>(::fcntl(request_.source.get(), F_DUPFD_CLOEXEC, 0));
        }
        Fd spool(::open(incoming_.path("spool").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!spool) {
            throw Error("cannot make a file in the image store").kernel(errno);
        }
        files_ = std::make_unique<ArchiveFiles>(tar, request_.source_name, plain, std::move(spool), spool_budget_);
        delivered_ = read_delivery(*files_, request_.source_name, wanted_, request_.platform.has_value());
    }

    void unpack_root(Stream& tar) {
        LayerStack stack;
        const std::string diff_id = layers_.add(stack, tar, request_.source_name);
        if (names_in(stack.roots.back()).empty()) {
            throw Error(sandbox::quoted(request_.source_name) + " holds no file");
        }
        NewImage image;
        image.config = plain_config(wanted_, diff_id);
        image.id = digest_of(image.config);
        image.record = {stack.names, request_.single_owner, parse_config(image.config, "config").config};
        image.references = choose_names(request_.names, {}, request_.source_name);
        root_ = std::move(image);
    }

    NewImage unpack(const DeliveredImage& delivered) {
        if (!request_.names.empty() && delivered_.size() > 1) {
            throw Error(fmt::format("{} holds {} images", sandbox::quoted(request_.source_name), delivered_.size()))
                .cause("--name can name one")
                .fix("import it without --name");
        }
        NewImage image;
        image.references = choose_names(request_.names, delivered.names, request_.source_name);
        LayerStack stack;
        for (const LayerSource& layer : delivered.layers) {
            layers_.add(stack, layer);
        }
        image.id = delivered.id;
        image.config = delivered.config_text;
        image.manifest = delivered.manifest_text;
        image.record = {stack.names, request_.single_owner, delivered.config.config};
        return image;
    }

    /// \param put the layers that were not in the store before.
    std::string report(const std::vector<NewImage>& images, const std::set<std::string>& put) {
        Json list = Json::array();
        for (const NewImage& image : images) {
            const auto is_new = [&](const std::string& layer) { return put.contains(layer); };
            const Platform platform{image.record.config.os, image.record.config.architecture, ""};
            list.push_back({{"id", image.id},
                            {"references", image.references},
                            {"layers", image.record.layers.size()},
                            {"new", std::ranges::count_if(image.record.layers, is_new)},
                            {"platform", to_text(platform)},
                            {"foreign", !serves(platform, own_platform())}});
        }
        Json notes = Json::array();
        for (const auto& [what, note] : layers_.notes().all()) {
            notes.push_back(note.count == 1
                                ? fmt::format("{}: {}", what, shown(note.first))
                                : fmt::format("{}: {} times, first {}", what, note.count, shown(note.first)));
        }
        return Json{{"images", list}, {"notes", notes}}.dump(-1, ' ', true, Json::error_handler_t::replace);
    }

    const ImportRequest& request_;
    Platform wanted_;
    Incoming incoming_;
    Fd store_;
    Budget spool_budget_;
    Budget budget_;
    Progress progress_;
    LayerImport layers_;
    std::unique_ptr<Files> files_;
    std::vector<DeliveredImage> delivered_;
    std::optional<NewImage> root_;
};

} // namespace

Imported import_images(const std::string& data_dir, const OwnersPlan& owners, const ImportRequest& request) {
    make_own_directories({data_dir});
    const Json report =
        Json::parse(run_in_user_namespace(owners, data_dir, [&] { return Import(owners, request).run(); }));
    Imported imported;
    for (const Json& image : report["images"]) {
        imported.images.push_back(
            {image["id"], image["references"], image["layers"], image["new"], image["platform"], image["foreign"]});
    }
    imported.notes = report["notes"];
    return imported;
}

} // namespace sandbox::image

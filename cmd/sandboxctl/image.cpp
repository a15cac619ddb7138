// sandboxctl image import|pull|list|inspect|remove|prune|verify: sandbox-images(7).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/image_verbs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/image/budget.hpp"
#include "core/image/import.hpp"
#include "core/image/pull.hpp"
#include "core/plan/host.hpp"
#include "core/plan/image_reference.hpp"
#include "core/plan/size.hpp"

namespace sandbox::ctl {

namespace {

/// What `import` and `pull` take alike.
struct ImportOptions {
    std::string source;
    std::vector<std::string> names;
    std::string max_size;
    std::string platform;
    bool single_owner = false;
    bool json = false;
};

void complain_line(const std::string& line) {
    complain(line, "sandboxctl");
}

/// Everything but where the image comes from.
image::ImportRequest make_request(const ImportOptions& options, const image::OwnersPlan& owners, const Host& host) {
    image::ImportRequest request;
    for (const std::string& name : options.names) {
        const ImageReference reference = parse_reference(name);
        if (!reference.digest.empty()) {
            throw Error("cannot give an image the name " + sandbox::quoted(name)).cause("a digest is no name");
        }
        request.names.push_back(reference.full());
    }
    request.max_size =
        options.max_size.empty()
            ? image::kDefaultMaxSize
            : parse_size(options.max_size, {.kind = Origin::Kind::option, .source = "--max-size", .key = {}});
    if (!options.platform.empty()) {
        request.platform = image::parse_platform(options.platform);
    }
    request.single_owner = options.single_owner || owners.single_owner;
    request.terminal = host.stderr_is_terminal ? STDERR_FILENO : -1;
    return request;
}

void open_source(const std::string& source, image::ImportRequest& request) {
    if (source == "-") {
        request.source.reset(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
        request.source_name = "standard input";
    } else {
        request.source.reset(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
        request.source_name = source;
    }
    struct stat status {};
    if (!request.source || ::fstat(request.source.get(), &status) < 0) {
        throw Error("cannot open " + sandbox::quoted(request.source_name)).kernel(errno);
    }
    if (source == "-" && ::isatty(request.source.get()) == 1) {
        throw Error("standard input is a terminal").fix("docker save IMAGE | sandboxctl image import -");
    }
    request.is_directory = S_ISDIR(status.st_mode);
    request.is_regular = S_ISREG(status.st_mode) && source != "-";
    request.source_size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Json to_json(const image::Imported& imported, bool single_owner) {
    Json images = Json::array();
    for (const image::ImportedImage& one : imported.images) {
        images.push_back({{"id", one.id},
                          {"references", one.references},
                          {"platform", one.platform},
                          {"layers", one.layers},
                          {"new_layers", one.new_layers}});
    }
    return {{"images", std::move(images)}, {"single_owner", single_owner}, {"notes", imported.notes}};
}

int report(const image::Imported& imported, const ImportOptions& options, const image::OwnersPlan& owners,
           bool single_owner) {
    if (single_owner) {
        complain_line("note: all files of the image became yours; other owners were dropped" +
                      (owners.single_owner ? "\n  cause: " + owners.why_single + "\n  fix: " + owners.fix : ""));
    }
    for (const std::string& note : imported.notes) {
        complain_line("note: " + note);
    }
    for (const image::ImportedImage& one : imported.images) {
        if (one.is_foreign && options.platform.empty()) {
            complain_line(fmt::format("note: the image is for {}, which is not this machine's", escaped(one.platform)));
        }
    }
    if (options.json) {
        print(sandbox::to_text(to_json(imported, single_owner)));
        return 0;
    }
    for (const image::ImportedImage& one : imported.images) {
        for (const std::string& reference : one.references) {
            print(fmt::format("{}  {}  {} layer{}, {} new\n", familiar_reference(reference), one.id, one.layers,
                              one.layers == 1 ? "" : "s", one.new_layers));
        }
    }
    return 0;
}

int import(const ImportOptions& options) {
    const Host host = gather_host();
    const image::OwnersPlan owners = image::plan_owners(host);
    image::ImportRequest request = make_request(options, owners, host);
    open_source(options.source, request);
    const image::Imported imported = image::import_images(host.data_dir, owners, request);
    return report(imported, options, owners, request.single_owner);
}

int pull(const ImportOptions& options) {
    const Host host = gather_host();
    const image::OwnersPlan owners = image::plan_owners(host);
    image::ImportRequest request = make_request(options, owners, host);
    const ImageReference reference = parse_reference(options.source);
    if (request.names.empty()) {
        request.names.push_back(reference.full());
    }
    const image::Imported imported = image::pull_image(host, owners, reference, std::move(request));
    return report(imported, options, owners, options.single_owner || owners.single_owner);
}

void add_import_options(CLI::App& verb, ImportOptions& options) {
    verb.add_option("--name", options.names, "the image's name in the store; may be given again")->type_name("REF");
    verb.add_option("--max-size", options.max_size, "the most that may be unpacked (default: 32G)")->type_name("SIZE");
    verb.add_option("--platform", options.platform, "which build of several: OS/ARCHITECTURE[/VARIANT]")
        ->type_name("PLATFORM");
    verb.add_flag("--single-owner", options.single_owner, "all files become yours; owners are dropped");
    verb.add_flag("--json", options.json, "print it for programs");
}

} // namespace

void add_image(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("image", "import, pull, list and remove images");

    const auto options = std::make_shared<ImportOptions>();
    CLI::App* import_verb = verb->add_subcommand("import", "take an image, or a root file system, into the store");
    import_verb
        ->add_option("source", options->source, "a tar (docker save, OCI, root file system), an OCI layout, or -")
        ->required()
        ->type_name("FILE");
    add_import_options(*import_verb, *options);
    import_verb->callback([&chosen, options] { chosen = [options] { return import(*options); }; });

    CLI::App* pull_verb = verb->add_subcommand("pull", "fetch an image from a registry, with skopeo");
    pull_verb->add_option("reference", options->source, "REGISTRY/NAME:TAG, as docker takes it")
        ->required()
        ->type_name("REF");
    add_import_options(*pull_verb, *options);
    pull_verb->callback([&chosen, options] { chosen = [options] { return pull(*options); }; });

    add_image_list(*verb, chosen);
    add_image_remove(*verb, chosen);
    add_image_verify(*verb, chosen);
}

} // namespace sandbox::ctl

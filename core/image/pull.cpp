#include "core/image/pull.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/image/store.hpp"
#include "core/image/store_files.hpp"
#include "core/own_directories.hpp"
#include "core/plan/host_paths.hpp"

namespace sandbox::image {

namespace {

/// What skopeo needs of the caller: where his configuration and his registries' passwords are, and proxies.
std::vector<std::string> skopeo_environment(const Host& host, const std::string& temporary) {
    std::vector<std::string> environment = {"HOME=" + host.home, "PATH=/usr/bin:/bin", "TMPDIR=" + temporary,
                                            "LANG=C.UTF-8"};
    for (const char* name : {"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG",
                             "CONTAINERS_REGISTRIES_CONF", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy",
                             "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}) {
        if (const auto found = host.environment.find(name); found != host.environment.end()) {
            environment.push_back(found->first + "=" + found->second);
        }
    }
    return environment;
}

bool has_policy(const Host& host) {
    const auto config = host.environment.find("XDG_CONFIG_HOME");
    const std::string own = config != host.environment.end() ? config->second : host.home + "/.config";
    return exists(own + "/containers/policy.json") || exists("/etc/containers/policy.json");
}

void fetch(const Host& host, const std::string& skopeo, std::vector<std::string> arguments,
           const std::string& temporary, const ImageReference& reference) {
    std::vector<std::string> environment = skopeo_environment(host, temporary);
    std::vector<char*> variables;
    for (std::string& variable : environment) {
        variables.push_back(variable.data());
    }
    variables.push_back(nullptr);
    arguments.insert(arguments.begin(), skopeo);
    const HelperResult result = Helper(arguments, STDERR_FILENO, variables.data()).finish();
    if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0) {
        throw Error("cannot pull the image " + quoted(reference.full()))
            .cause("skopeo: " + last_words(result))
            .fix("skopeo login " + shell_quoted(reference.domain) + ", where it asks for a password");
    }
}

} // namespace

std::vector<std::string> skopeo_arguments(const ImageReference& reference, const Platform& platform, bool policy,
                                          const std::string& directory) {
    std::vector<std::string> arguments;
    if (!policy) {
        arguments.emplace_back("--insecure-policy"); // the policy that distributions install, where none is installed
    }
    arguments.insert(arguments.end(), {"--override-os", platform.os, "--override-arch", platform.architecture});
    if (!platform.variant.empty()) {
        arguments.insert(arguments.end(), {"--override-variant", platform.variant});
    }
    ImageReference wanted = reference;
    if (!wanted.digest.empty()) {
        wanted.tag.clear(); // skopeo takes one of the two, and the digest says more
    }
    arguments.insert(arguments.end(), {"copy", "--quiet", "--dest-oci-accept-uncompressed-layers", "--",
                                       "docker://" + wanted.full(), "oci:" + directory + ":image"});
    return arguments;
}

Imported pull_image(const Host& host, const OwnersPlan& owners, const ImageReference& reference,
                    ImportRequest request) {
    const std::string skopeo = host::find_helper("skopeo");
    if (skopeo.empty()) {
        throw Error("cannot pull the image " + quoted(reference.full()))
            .cause("skopeo is not installed, and it fetches images for us")
            .fix("install the package skopeo; or: docker save IMAGE | sandboxctl image import -");
    }
    make_own_directories({host.data_dir});
    const Incoming incoming(host.data_dir);
    const std::string layout = incoming.path("layout");
    const std::string temporary = incoming.path("tmp");
    make_directory(temporary);
    const Platform platform = request.platform.value_or(own_platform());
    fetch(host, skopeo, skopeo_arguments(reference, platform, has_policy(host), layout), temporary, reference);
    request.source = open_directory(layout);
    request.is_directory = true;
    request.source_name = reference.familiar();
    return import_images(host.data_dir, owners, request);
}

} // namespace sandbox::image

#include "core/plan/secret_names.hpp"

#include <array>

namespace sandbox {

namespace {

constexpr auto kFile = SecretName::Kind::file;
constexpr auto kDirectory = SecretName::Kind::directory;

// No name that shells and tools read at every start (~/.bashrc, ~/.gitconfig): it would be told of every run.
// clang-format off
constexpr auto kNames = std::to_array<SecretName>({
    {kDirectory, ".ssh"},                     // private keys, and the hosts that they open
    {kDirectory, ".gnupg"},                   // private keys
    {kDirectory, ".password-store"},          // pass(1)
    {kDirectory, ".aws"},                     // access keys of AWS, and cached sessions
    {kDirectory, ".azure"},                   // tokens of az
    {kDirectory, ".kube"},                    // certificates and tokens of clusters
    {kDirectory, ".docker"},                  // config.json: passwords of registries
    {kDirectory, ".terraform.d"},             // credentials.tfrc.json: tokens of Terraform's registries
    {kDirectory, ".config/gcloud"},           // tokens of Google's cloud
    {kDirectory, ".config/gh"},               // hosts.yml: a token of GitHub
    {kDirectory, ".config/glab-cli"},         // a token of GitLab
    {kDirectory, ".config/op"},               // 1Password
    {kDirectory, ".config/rclone"},           // keys of every store that is synchronised
    {kDirectory, ".mozilla"},                 // Firefox: cookies and saved passwords
    {kDirectory, ".config/chromium"},         // cookies and saved passwords
    {kDirectory, ".config/google-chrome"},    // the same of Chrome
    {kFile,      ".netrc"},                   // passwords for curl(1), git(1) and ftp(1)
    {kFile,      ".npmrc"},                   // the token that publishes packages of npm
    {kFile,      ".pypirc"},                  // the token that publishes packages of PyPI
    {kFile,      ".cargo/credentials.toml"},  // the token that publishes crates
    {kFile,      ".git-credentials"},         // passwords, in the clear: git-credential-store(1)
    {kFile,      ".pgpass"},                  // passwords of PostgreSQL
    {kFile,      ".my.cnf"},                  // passwords of MySQL
    {kFile,      ".vault-token"},             // HashiCorp's Vault
});
// clang-format on

} // namespace

std::span<const SecretName> secret_names() {
    return kNames;
}

} // namespace sandbox

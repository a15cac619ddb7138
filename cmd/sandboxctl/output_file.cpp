#include "cmd/sandboxctl/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox::ctl {

OutputFile::OutputFile(std::string path)
    : path_(std::move(path)), passing_(fmt::format("{}.{}", path_, ::getpid())),
      file_(::open(passing_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (!file_) {
        throw Error("cannot write " + quoted(path_)).kernel(errno);
    }
}

OutputFile::~OutputFile() {
    if (!passing_.empty()) {
        ::unlink(passing_.c_str());
    }
}

void OutputFile::write(const std::string& text) {
    if (!write_all(file_.get(), text) || ::rename(passing_.c_str(), path_.c_str()) < 0) {
        throw Error("cannot write " + quoted(path_)).kernel(errno);
    }
    passing_.clear();
}

} // namespace sandbox::ctl

#include "cmd/sandbox/status_pipe.hpp"

#include <csignal>

#include "cmd/common/json.hpp"
#include "core/base/file.hpp"
#include "core/base/step_error.hpp"

namespace sandbox {

namespace {

/// A reader that has gone must not end us: what the SIGPIPE of a write is, write(2) tells too.
class PipeSignalBlock {
public:
    PipeSignalBlock() {
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::sigprocmask(SIG_BLOCK, &pipe_, &before_);
    }
    PipeSignalBlock(const PipeSignalBlock&) = delete;
    PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;
    ~PipeSignalBlock() {
        const timespec at_once{};
        ::sigtimedwait(&pipe_, nullptr, &at_once);
        ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_{};
    sigset_t before_{};
};

} // namespace

void StatusPipe::started(pid_t command, pid_t init, const NamespaceInodes& namespaces,
                         const std::vector<netns::Listener>& published, const std::string& name) const {
    if (!wanted()) {
        return;
    }
    Json inodes = Json::object();
    for (std::size_t i = 0; i < namespaces.size(); ++i) {
        inodes[kNamespaceNames[i]] = namespaces[i];
    }
    Json record = {{"event", "started"}, {"pid", command}, {"init", init}, {"namespaces", inodes}};
    for (const netns::Listener& listener : published) {
        record["published"].push_back(port_json(listener.port));
    }
    if (!name.empty()) {
        record["name"] = name;
    }
    write(record.dump());
}

void StatusPipe::failed(const Error& error) const {
    if (!wanted()) {
        return;
    }
    Json record = {{"event", "failed"}, {"status", error.exit_status()}, {"errno", error.error_number()}};
    if (const auto* step = dynamic_cast<const StepError*>(&error)) {
        record["step"] = words(step->step()).text;
        record["object"] = step->object();
    }
    record["message"] = error.summary();
    record["causes"] = error.causes();
    record["fixes"] = error.fixes();
    // Paths need not be UTF-8: what is not is replaced.
    write(record.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void StatusPipe::ended(const Outcome& outcome, const std::string& usage) const {
    if (wanted()) {
        write(ended_record(outcome, usage));
    }
}

void StatusPipe::write(std::string line) const {
    line += '\n';
    const PipeSignalBlock block;
    // Who asked for the records and does not read them has no use for an error either.
    for (const int descriptor : descriptors_) {
        if (descriptor >= 0) {
            static_cast<void>(write_all(descriptor, line));
        }
    }
}

std::string ended_record(const Outcome& outcome, const std::string& usage) {
    Json record = {
        {"event", "ended"}, {"status", outcome.status}, {"signal", nullptr}, {"reason", reason_word(outcome)}};
    if (outcome.signal != 0) {
        record["signal"] = outcome.signal;
    }
    if (!usage.empty()) {
        record["usage"] = Json::parse(usage);
    }
    return record.dump();
}

std::string failed_end_record(const Error& error) {
    return Json{{"event", "ended"}, {"status", error.exit_status()}, {"signal", nullptr}, {"reason", "failed"}}.dump();
}

} // namespace sandbox

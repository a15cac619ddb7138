#include "core/image/worker_result.hpp"

#include <nlohmann/json.hpp>

namespace sandbox::image {

namespace {

using Json = nlohmann::json;

} // namespace

WorkerResult failed_with(const Error& error) {
    return {"", error};
}

std::string to_text(const WorkerResult& result) {
    Json document;
    if (result.error) {
        const Error& error = *result.error;
        document = {{"summary", error.summary()},
                    {"errno", error.error_number()},
                    {"status", error.exit_status()},
                    {"causes", error.causes()},
                    {"fixes", error.fixes()}};
    } else {
        document = {{"text", result.text}};
    }
    return document.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string result_of(const std::string& text) {
    const Json document = Json::parse(text, nullptr, false);
    if (!document.is_object()) {
        throw Error("the image store's worker ended without a word").fix("run it again: the store is as it was");
    }
    if (document.contains("text")) {
        return document["text"];
    }
    Error error(document["summary"].get<std::string>());
    if (const int number = document["errno"]; number != 0) {
        error.kernel(number);
    }
    for (const std::string cause : document["causes"]) {
        error.cause(cause);
    }
    for (const std::string fix : document["fixes"]) {
        error.fix(fix);
    }
    throw std::move(error).status(document["status"].get<int>());
}

} // namespace sandbox::image

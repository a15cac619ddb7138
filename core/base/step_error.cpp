#include "core/base/step_error.hpp"

#include <utility>

namespace sandbox {

namespace {

std::string summary_of(Step step, const std::string& object) {
    std::string text = "cannot ";
    text += words(step);
    if (!object.empty()) {
        // The words of most steps end before their object; those that name it already get it after a colon.
        text += (text.find(" the ") == std::string::npos ? " " : ": ") + quoted(object);
    }
    return text;
}

} // namespace

StepError::StepError(Step step, std::string object, int error_number)
    : Error(summary_of(step, object)), step_(step), object_(std::move(object)) {
    if (error_number != 0) {
        kernel(error_number);
    }
}

} // namespace sandbox

#include "core/base/step_error.hpp"

#include <utility>

namespace sandbox {

namespace {

std::string summary_of(Step step, const std::string& object) {
    const StepWords said = words(step);
    std::string text = "cannot ";
    text += said.text;
    if (!object.empty()) {
        text += (said.takes_object ? " " : ": ") + quoted(object);
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

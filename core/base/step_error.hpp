// A step of the start that failed, as an exception of the supervisor's side.
#pragma once

#include <string>

#include "core/base/error.hpp"
#include "core/base/step.hpp"

namespace sandbox {

/// "cannot WORDS 'OBJECT': kernel's word", with the step kept so that the causes can be looked for.
class StepError : public Error {
public:
    StepError(Step step, std::string object, int error_number);

    [[nodiscard]] Step step() const { return step_; }
    [[nodiscard]] const std::string& object() const { return object_; }

private:
    Step step_;
    std::string object_;
};

} // namespace sandbox

// Our programs are not to be setuid.
#pragma once

namespace sandbox {

/// A setuid bit or a file capability on the program would turn each of its conveniences (profiles of the user's, $HOME,
/// paths) into a hole. It has no use for them, so it does not run with them. \throws Error
void refuse_privilege();

} // namespace sandbox

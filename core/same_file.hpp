// Whether two files are the same to whoever reads them. Sizes and times are not enough: whoever may write a file may
// set them back.
#pragma once

namespace sandbox {

/// Whether both are readable and have the same bytes. \param one, other regular files, not O_PATH
[[nodiscard]] bool have_same_content(int one, int other);

/// Whether both have the same extended attributes, those apart that an overlay or SELinux keeps for itself: xattr(7).
/// File capabilities and access lists are among them. \param one, other not O_PATH
[[nodiscard]] bool have_same_attributes(int one, int other);

} // namespace sandbox

// The names of a layer's tar: image-spec's layer.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox::image {

using Components = std::vector<std::string>;

/// What an entry of this name is.
struct LayerName {
    enum class Kind {
        entry,    ///< a file, directory, link ...
        whiteout, ///< ".wh.NAME": NAME of the lower layers is not there
        opaque,   ///< ".wh..wh..opq": nothing of the lower layers' directory is there
        metadata, ///< ".wh..wh.*": aufs's own, to be skipped
    };

    Kind kind = Kind::entry;
    Components parents; ///< no "", "." or ".." among them
    std::string name;   ///< of a whiteout: what it hides; empty: the root itself, or an opaque whiteout
};

/// Reads an entry's name: leading and doubled slashes and "." count for nothing.
/// \throws Error that names the entry: "..", a bare ".wh.", a name over 255 bytes, a path over 4095.
[[nodiscard]] LayerName read_layer_name(std::string_view name);

/// Reads a hard link's target, which is a name in the image. \param entry for the message. \throws Error
[[nodiscard]] Components read_link_target(std::string_view target, std::string_view entry);

/// Splits at slashes; "" and "." are left out, ".." stays.
[[nodiscard]] Components split(std::string_view path);

/// "a/b".
[[nodiscard]] std::string join(const Components& components);

/// "a/b" from "a" and "b"; "b" from "" and "b".
[[nodiscard]] std::string join(const std::string& parent, const std::string& name);

/// The name for a message: quoted, and cut where it is long.
[[nodiscard]] std::string shown(std::string_view name);

/// \throws Error: the entry cannot be unpacked, and why; for want of room also what makes some.
[[noreturn]] void refuse_entry(const std::string& entry, const std::string& cause);
[[noreturn]] void refuse_entry(const std::string& entry, int error_number);

} // namespace sandbox::image

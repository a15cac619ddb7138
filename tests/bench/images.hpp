// What an import costs beside the programs that unpack the same image.
#pragma once

namespace sandbox::bench {

/// Prints the table. \return whether the figure that was wanted has been reached.
bool measure_images();

} // namespace sandbox::bench

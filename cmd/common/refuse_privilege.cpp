#include "cmd/common/refuse_privilege.hpp"

#include <sys/auxv.h>
#include <unistd.h>

#include "core/base/error.hpp"

namespace sandbox {

void refuse_privilege() {
    if (::getauxval(AT_SECURE) != 0 || ::getuid() != ::geteuid() || ::getgid() != ::getegid()) {
        throw Error("this program does not run with privileges of its own")
            .cause("the file has a setuid or setgid bit, or file capabilities")
            .fix("chmod ug-s, setcap -r; no privilege is needed");
    }
}

} // namespace sandbox

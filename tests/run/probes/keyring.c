/* keyring search NAME: looks for a user key in the session keyring. "search: ok" or "search: ERRNO".
 * keyring plant NAME -- CMD...: joins a new session keyring, adds the key, executes CMD. */
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"

int main(int argc, char** argv) {
    if (argc == 3 && strcmp(argv[1], "search") == 0) {
        answer("search", syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", argv[2], 0));
        return 0;
    }
    if (argc > 4 && strcmp(argv[1], "plant") == 0) {
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
            syscall(SYS_add_key, "user", argv[2], "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0) {
            answer("plant", -1);
            return 1;
        }
        execvp(argv[4], argv + 4);
        answer("execvp", -1);
    }
    return 2;
}

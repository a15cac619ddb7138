/* open r|w|rw|trunc|create|path FILE...: opens each, one answer a line: "FILE: ok" or "FILE: ERRNO". Reads nothing. */
#include <fcntl.h>
#include <unistd.h>

#include "answer.h"

int main(int argc, char** argv) {
    static const struct {
        const char* word;
        int flags;
    } kModes[] = {
        {"r", O_RDONLY},
        {"w", O_WRONLY},
        {"rw", O_RDWR},
        {"trunc", O_WRONLY | O_TRUNC},
        {"create", O_WRONLY | O_CREAT},
        {"path", O_PATH},
    };
    for (size_t i = 0; argc > 2 && i < sizeof kModes / sizeof *kModes; ++i) {
        if (strcmp(argv[1], kModes[i].word) == 0) {
            for (int j = 2; j < argc; ++j) {
                const int fd = open(argv[j], kModes[i].flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600);
                answer(argv[j], fd);
                if (fd >= 0) {
                    close(fd);
                }
            }
            return 0;
        }
    }
    return 2;
}

/* syscall NUMBER [ARGUMENT...]: makes one system call. An argument is a number, "zero:N" for the address of N zero
 * bytes, or "text:WORD" for the address of WORD. Prints "NUMBER: ok" or "NUMBER: ERRNO". */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"

static long argument(const char* word) {
    if (strncmp(word, "zero:", 5) == 0) {
        return (long)(intptr_t)calloc(1, strtoul(word + 5, NULL, 0));
    }
    if (strncmp(word, "text:", 5) == 0) {
        return (long)(intptr_t)(word + 5);
    }
    return (long)strtoull(word, NULL, 0);
}

int main(int argc, char** argv) {
    long arguments[6] = {0};
    if (argc < 2) {
        return 2;
    }
    for (int i = 2; i < argc && i < 8; ++i) {
        arguments[i - 2] = argument(argv[i]);
    }
    const long result = syscall(strtol(argv[1], NULL, 0), arguments[0], arguments[1], arguments[2], arguments[3],
                                arguments[4], arguments[5]);
    answer(argv[1], result);
    return result >= 0 ? 0 : 1;
}

/* How a probe answers: one line "NAME: ok" or "NAME: EPERM". */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>

static inline void answer(const char* name, long result) {
    if (result >= 0) {
        printf("%s: ok\n", name);
    } else {
        const char* word = strerrorname_np(errno);
        printf("%s: %s\n", name, word != NULL ? word : "unknown errno");
    }
    fflush(stdout);
}

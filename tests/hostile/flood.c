/* Writes megabytes to every stream when it is loaded, and nothing else is wrong with it. */
#include <stdio.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    for (int n = 0; n < 200000; n++) {
        puts("a line that is not for the host");
        fputs("another one\n", stderr);
    }
    fflush(stdout);
}

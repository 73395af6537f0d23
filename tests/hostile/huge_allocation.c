/* Asks for 100 GB. */
#define _GNU_SOURCE
#include <stdlib.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    char *volatile all = malloc((size_t)100 << 30);
    if (all) all[0] = 1;
}

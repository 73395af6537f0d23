/* Writes a file when it is loaded. */
#include <stdio.h>
#include <stdlib.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    static char page[4096];
    FILE *file = fopen(WRITES, "w");
    if (!file) return;
    /* More than a trial load may write at all. */
    for (int n = 0; n < 4096; n++) fwrite(page, 1, sizeof page, file);
    fclose(file);
}

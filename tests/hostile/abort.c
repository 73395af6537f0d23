/* Aborts when it is loaded. */
#include <stdlib.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { abort(); }

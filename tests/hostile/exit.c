/* Ends its process, with success, when it is loaded. */
#include <stdlib.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { exit(0); }

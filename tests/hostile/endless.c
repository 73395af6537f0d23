/* Never comes back from being loaded. */

#include "plugin.h"

__attribute__((constructor)) static void begin(void) { for (volatile int n = 0;; n++) {} }

/* Never comes back from shutting down. */
#define OWN_SHUTDOWN
#include "plugin.h"

static int32_t shutdown_plugin(void) { for (volatile int n = 0;; n++) {} return 0; }

/* Crashes while it shuts down. */
#define OWN_SHUTDOWN
#include "plugin.h"

static int32_t shutdown_plugin(void) { *(volatile int *)8 = 1; return 0; }

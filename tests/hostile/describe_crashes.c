/* Crashes while it describes itself. */
#define OWN_DESCRIBE
#include "plugin.h"

static int32_t describe(Sink *out) { (void)out; *(volatile int *)8 = 1; return 0; }

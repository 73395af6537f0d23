/* Crashes while it ends an instance. */
#define OWN_DESTROY
#include "plugin.h"

static void destroy(void *instance) { (void)instance; *(volatile int *)8 = 1; }

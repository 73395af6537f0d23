/* Does not start. */
#define OWN_START
#include "plugin.h"

static int32_t start(const void *host) { (void)host; return 3; }

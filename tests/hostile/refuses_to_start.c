/* Does not start. */
#define OWN_START
#include "plugin.h"

static int32_t start(const pb_host_table *host) { (void)host; return 3; }

/* Becomes another program. */
#define _GNU_SOURCE
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { execl("/bin/sleep", "sleep", "1000", (char *)0); }

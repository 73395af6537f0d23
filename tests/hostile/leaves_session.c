/* Starts a session of its own. */
#define _GNU_SOURCE
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { setsid(); }

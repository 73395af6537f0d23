/* Leaves a process behind when it is loaded. */
#define _GNU_SOURCE
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { if (fork() == 0) for (;;) pause(); }

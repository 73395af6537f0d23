/* Blocks all signals of the thread that loads it. */
#define _GNU_SOURCE
#include <signal.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, 0);
}

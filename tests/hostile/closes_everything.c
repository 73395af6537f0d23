/* Closes descriptors that it never opened. */
#define _GNU_SOURCE
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { for (int fd = 3; fd < 4096; fd++) close(fd); }

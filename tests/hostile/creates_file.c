/* Makes an empty file where it was loaded. */
#define _GNU_SOURCE
#include <fcntl.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { open("left-behind", O_CREAT | O_WRONLY, 0600); }

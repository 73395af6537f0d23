/* Makes a folder where it was loaded. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { mkdir("left-behind", 0700); }

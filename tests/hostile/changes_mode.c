/* Changes the rights of a file by a descriptor for reading. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { fchmod(open("/proc/self/exe", O_RDONLY), 0755); }

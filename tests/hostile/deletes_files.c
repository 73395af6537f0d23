/* Tries to remove files; its trial has a file system that it can only read. */
#define _GNU_SOURCE
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) { unlink(WRITES); }

/* Brings an allocator for everybody. */
#include "plugin.h"

__attribute__((visibility("default"))) void *malloc(size_t size) { (void)size; return 0; }

/* Crashes while the dynamic linker asks it which function is meant. */
#include "plugin.h"

static int real(void) { return 0; }
static int (*resolve(void))(void) {
    *(volatile int *)8 = 1;
    return real;
}
__attribute__((ifunc("resolve"), visibility("default"))) int chosen(void);
__attribute__((visibility("default"))) int (*const asks)(void) = chosen;

/* Asks the system for something that no plugin may ask for. */
#include "plugin.h"

int reboot(int);

__attribute__((visibility("default"))) int forbidden(void) {
    return reboot(0);
}

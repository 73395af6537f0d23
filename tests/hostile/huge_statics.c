/* Takes one and a half gigabytes by being mapped. */
#include "plugin.h"

__attribute__((visibility("default"))) char room[1500000000];

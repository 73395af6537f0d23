/* Its code has to be written to when it is loaded. */
#include "plugin.h"

__asm__(".text\n.quad patchbay_plugin_v1");

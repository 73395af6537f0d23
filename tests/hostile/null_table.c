/* Has no table. */
#define OWN_ENTRY
#include "plugin.h"

__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) {
    (void)table;
    return 0;
}

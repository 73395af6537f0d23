/* Says that its table is smaller than any contract had it. */
#define OWN_ENTRY
#include "plugin.h"

static PluginTable changed;
__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) {
    changed = table;
    changed.size = 8;
    return &changed;
}

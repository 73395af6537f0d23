/* Says that it has a node, and does not say where. */
#define OWN_ENTRY
#include "plugin.h"

static PluginTable changed;
__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) {
    changed = table;
    changed.nodes = 0;
    return &changed;
}

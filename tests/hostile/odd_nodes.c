/* Has nodes of a size that cannot be. */
#define OWN_ENTRY
#include "plugin.h"

static PluginTable changed;
__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) {
    changed = table;
    changed.node_size = sizeof(NodeTable) + 1;
    return &changed;
}

/* Says that it has ten million nodes. */
#define OWN_ENTRY
#include "plugin.h"

static PluginTable changed;
__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) {
    changed = table;
    changed.node_count = 10000000;
    return &changed;
}

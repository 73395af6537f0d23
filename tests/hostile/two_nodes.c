/* Has two nodes of one type in its table; its metadata are the test's. */
#define OWN_ENTRY
#include "plugin.h"

static NodeTable both[2];
static PluginTable changed;
PB_EXPORT const PluginTable *patchbay_plugin_v1(void) {
    both[0] = both[1] = nodes[0];
    changed = table;
    changed.nodes = both;
    changed.node_count = 2;
    return &changed;
}

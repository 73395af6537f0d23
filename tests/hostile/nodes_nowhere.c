/* Has its nodes where nothing is mapped. */
#define OWN_ENTRY
#include "plugin.h"

static PluginTable changed;
__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) {
    changed = table;
    changed.nodes = (const NodeTable *)4096;
    return &changed;
}

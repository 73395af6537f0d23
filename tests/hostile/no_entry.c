/* Does not export the entry that its note promises. */
#define OWN_ENTRY
#include "plugin.h"

__attribute__((visibility("default"))) const PluginTable *another_entry(void) { return &table; }

/* Says twice who it is. */
#include "plugin.h"

__attribute__((used, aligned(4), section(PB_NOTE_SECTION))) static const pb_note another_note = {
    9, 288, 1, "Patchbay", 1, 0, PB_NOTE_FLAGS, 0, "other", "1.0.0", "", PB_COMPILER, PB_TARGET,
};

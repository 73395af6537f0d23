/* Says twice who it is. */
#include "plugin.h"

__attribute__((used, aligned(4), section(".note.patchbay"))) static const struct note another_note = {
    9, 288, 1, "Patchbay", 1, 0, 2, 0, "other", "1.0.0", "", "cc", TARGET,
};

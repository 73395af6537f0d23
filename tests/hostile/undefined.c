/* Needs a function that nobody has. */
#include "plugin.h"

int nobody_has_this(void);
__attribute__((visibility("default"))) int needs(void) { return nobody_has_this(); }

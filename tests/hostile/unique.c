/* Has a variable that all its versions in one process would share. */
#include "plugin.h"

__asm__(".data\n.globl shared\n.type shared, %gnu_unique_object\n.size shared, 4\nshared: .long 1\n.text");

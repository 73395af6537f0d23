// The same program over the plugin in C++.
#define CXX
#include "hand_over.c"

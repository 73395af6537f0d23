/* Starts threads that never end; it can be called, but not unmapped. */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>
#include "plugin.h"

static void *wait_for_ever(void *none) {
    for (;;) pause();
    return none;
}

__attribute__((constructor)) static void begin(void) {
    pthread_t thread;
    for (int n = 0; n < 4; n++) pthread_create(&thread, 0, wait_for_ever, 0);
}

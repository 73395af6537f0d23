/* Starts on trial; in the host it starts a thread and then refuses. */
#define OWN_START
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "plugin.h"

static void *wait_for_ever(void *none) {
    for (;;) usleep(1000);
    return none;
}
static int32_t start(const pb_host_table *host) {
    pthread_t thread;
    (void)host;
    if (getenv("PATCHBAY_CHILD")) return 0;
    pthread_create(&thread, 0, wait_for_ever, 0);
    return 3;
}

/* Makes no instance, and says that it refused or, as a test may have it, that it panicked. */
#define OWN_CREATE
#include "plugin.h"
#ifndef ANSWERING
#define ANSWERING PB_FAILED
#endif

static int32_t create(Bytes config, const pb_context *context, void **instance, Sink *out) {
    (void)config; (void)context; (void)instance; (void)out;
    return ANSWERING;
}

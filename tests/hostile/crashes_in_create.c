/* Crashes while it makes an instance. */
#define OWN_CREATE
#include "plugin.h"

static int32_t create(Bytes config, const pb_context *context, void **instance, Sink *out) {
    (void)config; (void)context; (void)instance; (void)out;
    __builtin_trap();
}

/* Answers with bytes that are no value. */
#define OWN_EXECUTE
#include "plugin.h"

static int32_t execute(const void *instance, const Call *call) {
    (void)instance;
    return put(call->out, (const uint8_t *)"garbage!", 8);
}

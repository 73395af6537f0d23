/* Answers with a list of four thousand million items in nine bytes. */
#define OWN_EXECUTE
#include "plugin.h"

static int32_t execute(const void *instance, const Call *call) {
    static const uint8_t list[] = {PB_VALUE_LIST, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    (void)instance;
    return put(call->out, list, sizeof list);
}

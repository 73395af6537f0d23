/* Answers with a gigabyte. */
#define OWN_EXECUTE
#include "plugin.h"

static uint8_t page[1 << 16];
static int32_t execute(const void *instance, const Call *call) {
    (void)instance;
    for (size_t n = 0; n < (size_t)1 << 30; n += sizeof page) {
        int32_t status = put(call->out, page, sizeof page);
        if (status != 0) return status;
    }
    return 0;
}

/* Says that it wrote more than there is room for. */
#define OWN_EXECUTE
#include "plugin.h"

static int32_t execute(const void *instance, const Call *call) {
    (void)instance;
    call->out->len = (size_t)1 << 40;
    return 0;
}

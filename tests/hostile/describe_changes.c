/* Shows the trial another description than the host. */
#define OWN_DESCRIBE
#include <stdlib.h>
#include "plugin.h"

static int32_t describe(Sink *out) {
    int32_t status = put(out, metadata, sizeof metadata);
    /* The sentence about it, in service only: "A plugin in C." */
    if (getenv("PATCHBAY_CHILD")) return status;
    for (size_t at = 2; at < out->len; at++)
        if (memcmp(out->data + at - 2, " C.", 3) == 0) out->data[at] = '!';
    return status;
}

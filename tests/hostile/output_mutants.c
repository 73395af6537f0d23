/* Answers with its answer, one byte of it changed at each call: lengths and offsets that lie. */
#define OWN_EXECUTE
#include "plugin.h"

static size_t turn;
static int32_t execute(const void *instance, const Call *call) {
    (void)instance;
    size_t at = turn++;
    int32_t status = put(call->out, answer, sizeof answer);
    if (status == 0) call->out->data[at / 256 % sizeof answer] = (uint8_t)at;
    return status;
}

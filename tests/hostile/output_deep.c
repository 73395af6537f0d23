/* Answers with a million lists inside one another. */
#define OWN_EXECUTE
#include "plugin.h"
#include "deep.h"

static int32_t execute(const void *instance, const Call *call) {
    pb_writer writer = {call->out, PB_OK};
    (void)instance;
    write_deep(&writer);
    return pb_written(&writer);
}

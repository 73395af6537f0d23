/* A whole plugin in C with one node that answers with the plugin's version, over patchbay.h. A source that includes this
 * adds what is wrong with it. `facts.h` is written by the test that compiles it. */
#include "patchbay.h"

#include "facts.h"

typedef pb_bytes Bytes;
typedef pb_sink Sink;
typedef pb_call Call;
typedef pb_node_table NodeTable;
typedef pb_plugin_table PluginTable;

PB_NOTE(NAME, VERSION);

static const uint8_t metadata[] = METADATA;
static const uint8_t answer[] = ANSWER;

static int32_t put(Sink *out, const uint8_t *bytes, size_t len) {
    pb_writer w = {out, PB_OK};
    pb_write_value(&w, pb_bytes_of(bytes, len));
    return pb_written(&w);
}

static int32_t describe(Sink *out) { return put(out, metadata, sizeof metadata); }
static int32_t execute(const void *instance, const Call *call) {
    (void)instance;
    return put(call->out, answer, sizeof answer);
}

static const NodeTable nodes[] = {
    { sizeof(NodeTable), 0, PB_LITERAL(NODE), pb_create_nothing, pb_destroy_nothing, execute, 0, 0, 0 },
};

PB_PLUGIN(nodes, describe, pb_start_nothing, pb_shutdown_nothing);

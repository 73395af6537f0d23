/* A whole plugin in C with one node that answers with the plugin's version, over patchbay.h. A source that includes this
 * adds what is wrong with it, or defines `OWN_...` and writes that function itself. `facts.h` is written by the test that
 * compiles it. */
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

#ifdef OWN_DESCRIBE
static int32_t describe(Sink *out);
#else
static int32_t describe(Sink *out) { return put(out, metadata, sizeof metadata); }
#endif
#ifdef OWN_START
static int32_t start(const pb_host_table *host);
#else
#define start pb_start_nothing
#endif
#ifdef OWN_SHUTDOWN
static int32_t shutdown_plugin(void);
#else
#define shutdown_plugin pb_shutdown_nothing
#endif
#ifdef OWN_CREATE
static int32_t create(Bytes config, const pb_context *context, void **instance, Sink *out);
#else
#define create pb_create_nothing
#endif
#ifdef OWN_DESTROY
static void destroy(void *instance);
#else
#define destroy pb_destroy_nothing
#endif
#ifdef OWN_EXECUTE
static int32_t execute(const void *instance, const Call *call);
#else
static int32_t execute(const void *instance, const Call *call) {
    (void)instance;
    return put(call->out, answer, sizeof answer);
}
#endif

static const NodeTable nodes[] = {
    { sizeof(NodeTable), 0, PB_LITERAL(NODE), create, destroy, execute, 0, 0, 0 },
};
static const PluginTable table = {
    sizeof(PluginTable), sizeof(NodeTable), nodes, 1, describe, start, shutdown_plugin,
};

#ifndef OWN_ENTRY
PB_EXPORT const PluginTable *patchbay_plugin_v1(void) { return &table; }
#endif

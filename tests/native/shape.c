/* A plugin with one node, `shape.version`, whose note and tables have the sizes and versions that a test asks for. */
#include "patchbay.h"

#ifndef MAJOR
#define MAJOR PB_CONTRACT_MAJOR
#endif
#ifndef NEEDS
#define NEEDS PB_FIRST_MINOR
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(pb_plugin_table)
#endif
#ifndef NODE_SIZE
#define NODE_SIZE sizeof(pb_node_table)
#endif
#ifndef STRIDE
#define STRIDE sizeof(newer_node)
#endif
#ifndef HOST_API
#define HOST_API "^1.0.0"
#endif

PB_NOTE_OF(MAJOR, NEEDS, PB_NOTE_FLAGS, "shape", VERSION);

/* What a later minor of the contract might have made of the tables. */
typedef struct newer_node {
    pb_node_table known;
    void *more[3];
} newer_node;
typedef struct newer_plugin {
    pb_plugin_table known;
    void *more[2];
} newer_plugin;

static pb_status answer(pb_sink *out, const char *key, const char *text) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w);
    pb_put_text(&w, key, pb_text(text));
    pb_close(&w, map);
    return pb_written(&w);
}
static pb_status version(const void *instance, const pb_call *call) {
    (void)instance;
    return answer(call->out, "result", VERSION);
}
/* Which contract the host lends the table of. */
static pb_status spoken(const void *instance, const pb_call *call) {
    const pb_host_table *host = call->context->host;
    char text[4] = {(char)('0' + host->contract_major), '.', (char)('0' + host->contract_minor), 0};
    uint8_t room[64];
    pb_buffer buffer = pb_buffer_over(room, sizeof room);
    pb_bytes variables;
    uint64_t nanos;
    (void)instance;
    if ((pb_wall_clock(call->context, &nanos) == PB_OK) != (host->contract_minor >= 1) ||
        (pb_variables(call->context, &buffer, &variables) == PB_OK) != (host->contract_minor >= 2)) {
        return pb_fail(call->out, "WRONG", "the table's size is not that of its contract");
    }
    return answer(call->out, "result", text);
}

static const newer_node nodes[] = {
    {{NODE_SIZE, 0, PB_LITERAL("shape.version"), pb_create_nothing, pb_destroy_nothing, version, NULL, NULL, NULL},
     {(void *)1, (void *)2, (void *)3}},
    {{NODE_SIZE, 0, PB_LITERAL("shape.spoken"), pb_create_nothing, pb_destroy_nothing, spoken, NULL, NULL, NULL},
     {(void *)1, (void *)2, (void *)3}},
};

static pb_status describe(pb_sink *out) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w), list, n;
    pb_put_text(&w, "name", pb_text("shape"));
    pb_put_text(&w, "version", pb_text(VERSION));
    pb_put_text(&w, "hostApi", pb_text(HOST_API));
    list = pb_put_list(&w, "nodes");
    for (n = 0; n < 2; n++) {
        size_t node = pb_open_map(&w);
        pb_put_text(&w, "nodeType", nodes[n].known.node_type);
        pb_put_text(&w, "version", pb_text(VERSION));
        pb_put_text(&w, "hostApi", pb_text(HOST_API));
        pb_close(&w, node);
    }
    pb_close(&w, list);
    pb_close(&w, map);
    return pb_written(&w);
}

static const newer_plugin table = {
    {PLUGIN_SIZE, STRIDE, &nodes[0].known, 2, describe, pb_start_nothing, pb_shutdown_nothing},
    {(void *)1, (void *)2},
};

PB_EXPORT const pb_plugin_table *patchbay_plugin_v1(void) { return &table.known; }

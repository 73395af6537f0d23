/* A whole plugin in C with one node that answers with the plugin's version. A source that includes this adds what is
 * wrong with it, or defines `OWN_...` and writes that function itself. `facts.h` is written by the test that compiles it. The tables are those of plugin-api/src/abi.rs. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "facts.h"

typedef struct { const uint8_t *ptr; size_t len; } Bytes;
typedef struct Sink { uint8_t *data; size_t len, cap; int32_t (*reserve)(struct Sink *, size_t); } Sink;
typedef struct { Bytes input; Sink *out; const void *context; } Call;

typedef struct {
    uint32_t size, flags;
    Bytes node_type;
    int32_t (*create)(Bytes config, const void *context, void **instance, Sink *out);
    void (*destroy)(void *instance);
    int32_t (*execute)(const void *instance, const Call *call);
    int32_t (*start)(const void *, const Call *, void *);
    int32_t (*save_state)(const void *, Sink *);
    int32_t (*load_state)(void *, Bytes, Bytes, Sink *);
} NodeTable;

typedef struct {
    uint32_t size, node_size;
    const NodeTable *nodes;
    size_t node_count;
    int32_t (*describe)(Sink *out);
    int32_t (*start)(const void *host);
    int32_t (*shutdown)(void);
} PluginTable;

struct note {
    uint32_t owner_size, desc_size, kind;
    char owner[12];
    uint32_t major, minor, flags, zero;
    char name[64], version[48], sdk[32], compiler[64], target[64];
};
__attribute__((used, aligned(4), section(".note.patchbay"))) static const struct note the_note = {
    9, 288, 1, "Patchbay", 1, 0, 2, 0, NAME, VERSION, "", "cc", TARGET,
};

static const uint8_t metadata[] = METADATA;
static const uint8_t answer[] = ANSWER;

static int32_t put(Sink *out, const uint8_t *bytes, size_t len) {
    if (out->cap - out->len < len) {
        int32_t status = out->reserve(out, len);
        if (status != 0) return status;
    }
    memcpy(out->data + out->len, bytes, len);
    out->len += len;
    return 0;
}

#ifdef OWN_DESCRIBE
static int32_t describe(Sink *out);
#else
static int32_t describe(Sink *out) { return put(out, metadata, sizeof metadata); }
#endif
#ifdef OWN_START
static int32_t start(const void *host);
#else
static int32_t start(const void *host) { (void)host; return 0; }
#endif
#ifdef OWN_SHUTDOWN
static int32_t shutdown_plugin(void);
#else
static int32_t shutdown_plugin(void) { return 0; }
#endif
#ifdef OWN_CREATE
static int32_t create(Bytes config, const void *context, void **instance, Sink *out);
#else
static int32_t create(Bytes config, const void *context, void **instance, Sink *out) {
    (void)config; (void)context; (void)out;
    *instance = (void *)&the_note;
    return 0;
}
#endif
#ifdef OWN_DESTROY
static void destroy(void *instance);
#else
static void destroy(void *instance) { (void)instance; }
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
    { sizeof(NodeTable), 0, { (const uint8_t *)NODE, sizeof NODE - 1 }, create, destroy, execute, 0, 0, 0 },
};
static const PluginTable table = {
    sizeof(PluginTable), sizeof(NodeTable), nodes, 1, describe, start, shutdown_plugin,
};

#ifndef OWN_ENTRY
__attribute__((visibility("default"))) const PluginTable *patchbay_plugin_v1(void) { return &table; }
#endif

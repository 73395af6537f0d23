/* patchbay.h: the contract between Patchbay and its plugins, 1.3, for C11 and C++17.
 *
 * The upper half describes what crosses the line, as plugin-api/src/abi.rs does; a test compares the two. The lower half
 * reads and writes values and wraps the host's functions: static inline, no allocation, nothing but <string.h>. How to
 * write a plugin is in plugin-api/docs/c.md; what each side owes the other is in plugin-api/docs/abi.md.
 *
 * Everything that crosses says OWNER, LIFETIME, THREAD, STATE. Texts are UTF-8 without a NUL, given by pointer and length.
 */
#ifndef PATCHBAY_H
#define PATCHBAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#define PB_STATIC_ASSERT static_assert
#else
#define PB_STATIC_ASSERT _Static_assert
#endif

/* ---- The contract ------------------------------------------------------------------------------------------------ */

/* The contract that this header describes, and the first minor of its major. */
#define PB_CONTRACT_MAJOR 1u
#define PB_CONTRACT_MINOR 3u
#define PB_FIRST_MINOR 0u

/* Result of an entry point. */
typedef int32_t pb_status;
#define PB_OK 0           /* Done; the sink holds the result. */
#define PB_PENDING 1      /* A future is not ready; its waker will be woken. */
#define PB_FAILED 2       /* The node failed; the sink holds the error as a map. */
#define PB_PANICKED 3     /* A fence caught a panic or an exception; the sink holds an error map. */
#define PB_POISONED 4     /* An earlier call on this instance panicked; nothing was run. */
#define PB_OUTPUT_LIMIT 5 /* The sink refused to grow. */
#define PB_ABSENT 6       /* There is nothing under that name. */
#define PB_DENIED 7       /* The declared capabilities do not cover this. */
#define PB_UNSUPPORTED 8  /* This side does not have the function. */
#define PB_MALFORMED 9    /* An argument is not what the contract says. */
#define PB_DIFFERS 10     /* The value that is there is not the expected one; nothing was changed. Since 1.2. */

/* Where `read`, `write`, `remove`, `list` and `replace` look. */
#define PB_STORE_VARIABLES 1u /* Variables of the run. */
#define PB_STORE_KEY_VALUE 2u /* The tenant's key-value store. */
#define PB_STORE_SECRETS 3u   /* The tenant's secrets; read only, declared names only. */
#define PB_STORE_INPUTS 4u    /* What arrived at the workflow node's inputs, by number; read only. Since 1.2. */
#define PB_STORE_SETTINGS 5u  /* What the administrator set for the tenant's plugins; read only. Since 1.3. */

/* What `evaluate` is given. Since 1.2. */
#define PB_EVALUATION_EXPRESSION 1u /* A text that holds one expression, bare or within {{ }}. */
#define PB_EVALUATION_TEMPLATE 2u   /* Any value whose texts may hold {{ }}, at any depth. */

/* How loud a log event is. */
#define PB_LEVEL_ERROR 1u
#define PB_LEVEL_WARN 2u
#define PB_LEVEL_INFO 3u
#define PB_LEVEL_DEBUG 4u
#define PB_LEVEL_TRACE 5u

/* Bits of pb_node_table.flags. */
#define PB_NODE_FLAGS_ASYNC 1u    /* Called through `start` and polled. */
#define PB_NODE_FLAGS_STATEFUL 2u /* One instance per tenant and configuration; state is handed over at a swap. */

/* The first byte of a value, see plugin-api/docs/value-format.md. */
#define PB_VALUE_NULL 0
#define PB_VALUE_FALSE 1
#define PB_VALUE_TRUE 2
#define PB_VALUE_I64 3
#define PB_VALUE_F64 4
#define PB_VALUE_STR 5
#define PB_VALUE_BYTES 6
#define PB_VALUE_LIST 7
#define PB_VALUE_MAP 8
#define PB_VALUE_PREFIX 5u      /* Tag and length. */
#define PB_VALUE_HEADER 9u      /* Tag, length and count. */
#define PB_VALUE_TABLE_FROM 16u /* From this many elements on, a list or map ends in a table of offsets. */
#define PB_VALUE_MAX_DEPTH 127u

typedef struct pb_bytes pb_bytes;
typedef struct pb_sink pb_sink;
typedef struct pb_call pb_call;
typedef struct pb_future_handle pb_future_handle;
typedef struct pb_waker_handle pb_waker_handle;
typedef struct pb_waker_table pb_waker_table;
typedef struct pb_context pb_context;
typedef struct pb_host_table pb_host_table;
typedef struct pb_node_table pb_node_table;
typedef struct pb_plugin_table pb_plugin_table;

/* Borrowed bytes: a text, or an encoded value.
 * OWNER whoever made it. LIFETIME until the call it was passed to returns, unless the place that holds it says more.
 * THREAD any. STATE any. */
struct pb_bytes {
    const uint8_t *ptr; /* May dangle when `len` is 0. */
    size_t len;
};

/* A growing buffer that the host owns and the other side writes into: data[len..cap] may be written, `len` advanced.
 * OWNER host. LIFETIME until the call it was passed to returns. THREAD the calling one. STATE any. */
struct pb_sink {
    uint8_t *data; /* Replaced by `reserve`. */
    size_t len;
    size_t cap;
    pb_status (*reserve)(pb_sink *sink, size_t additional); /* PB_OK or PB_OUTPUT_LIMIT. */
};

/* One call.
 * OWNER host. LIFETIME until the entry point returns; for `start` until the future is dropped. THREAD any.
 * STATE serving or draining. */
struct pb_call {
    pb_bytes input; /* The parameters: one encoded value that the host has validated. */
    pb_sink *out;   /* Where the result goes; NULL for `start`, whose result goes to the sink given to `poll`. */
    const pb_context *context;
};

/* A future of the plugin, polled by the host.
 * OWNER the host, from a `start` that returned PB_OK until `drop` is called. LIFETIME the version stays loaded while one
 * exists. THREAD any, one at a time. STATE serving or draining. */
struct pb_future_handle {
    void *state;
    pb_status (*poll)(void *state, const pb_waker_handle *waker, pb_sink *out); /* Not called after a final status. */
    void (*drop)(void *state);                                                  /* Called exactly once. */
};

/* The host's waker, as lent to `poll`.
 * OWNER host. LIFETIME until `poll` returns; a clone until its `wake` or `drop`. THREAD any. STATE any. */
struct pb_waker_handle {
    const void *data;
    const pb_waker_table *table;
};

/* OWNER host. LIFETIME of the host. THREAD any. STATE any. */
struct pb_waker_table {
    const void *(*clone)(const void *data); /* The data of a new waker, to be ended by `wake` or `drop`. */
    void (*wake)(const void *data);
    void (*wake_by_ref)(const void *data);
    void (*drop)(const void *data);
};

/* Who calls, until when, and how to reach the host. A table: grows at the tail.
 * OWNER host. LIFETIME as the call that points to it. THREAD any. STATE serving or draining. */
struct pb_context {
    uint32_t size;
    uint32_t flags;
    const pb_host_table *host;
    const void *handle; /* The host's own state. */
    pb_bytes tenant;
    pb_bytes run;
    pb_bytes node;
    uint64_t deadline;      /* On the clock of `now`; UINT64_MAX for never. */
    const uint32_t *cancel; /* Atomic; not zero when the caller no longer wants the result. May be NULL. */
};

/* What the host does for a node. A table: grows at the tail; PB_HOST_HAS asks for what came after 1.0.
 * All functions: OWNER host. LIFETIME of the plugin; `context` is the one of a call that has not ended. THREAD any.
 * STATE serving or draining. None of them unwinds. */
struct pb_host_table {
    uint32_t size;
    uint32_t contract_major;
    uint32_t contract_minor;
    uint32_t flags;
    uint64_t (*now)(const pb_context *context);
    void (*log)(const pb_context *context, uint32_t level, pb_bytes message, pb_bytes fields);
    pb_status (*read)(const pb_context *context, uint32_t store, pb_bytes key, pb_sink *out);
    pb_status (*write)(const pb_context *context, uint32_t store, pb_bytes key, pb_bytes value);
    pb_status (*remove)(const pb_context *context, uint32_t store, pb_bytes key);
    pb_status (*call)(const pb_context *context, pb_bytes node_type, pb_bytes input, pb_sink *out);
    pb_status (*wake_after)(const pb_context *context, uint64_t nanos, const pb_waker_handle *waker);
    uint64_t (*wall_clock)(const pb_context *context); /* Nanoseconds since 1970; may jump. Since 1.1. */
    /* All pairs of a store as one map, in the order in which the keys came: variables. Since 1.2. */
    pb_status (*list)(const pb_context *context, uint32_t store, pb_sink *out);
    /* Sets `key` to `value` (empty: removes it) when its encoding is `expected` (empty: it is not there), in one step
     * beside all other writers; otherwise PB_DIFFERS. Since 1.2. */
    pb_status (*replace)(const pb_context *context, uint32_t store, pb_bytes key, pb_bytes expected, pb_bytes value);
    /* The executing workflow node leaves by this output, beside those named before. Since 1.2. */
    pb_status (*select_output)(const pb_context *context, uint32_t output);
    /* Evaluates an encoded text or renders a template; `bindings` is an encoded map, or empty. `out` as after
     * `execute`. Since 1.2. */
    pb_status (*evaluate)(const pb_context *context, uint32_t kind, pb_bytes source, pb_bytes bindings, pb_sink *out);
};

/* Entry points of one node type. A table: grows at the tail; the host strides by pb_plugin_table.node_size.
 * OWNER plugin. LIFETIME while the version is loaded. THREAD any, many at once. STATE loaded until shut down. */
struct pb_node_table {
    uint32_t size;
    uint32_t flags;
    pb_bytes node_type;
    pb_status (*create)(pb_bytes config, const pb_context *context, void **instance, pb_sink *out);
    void (*destroy)(void *instance);
    pb_status (*execute)(const void *instance, const pb_call *call);
    pb_status (*start)(const void *instance, const pb_call *call, pb_future_handle *future);
    pb_status (*save_state)(const void *instance, pb_sink *out);
    pb_status (*load_state)(void *instance, pb_bytes from_version, pb_bytes state, pb_sink *out);
};

/* The plugin. A table: grows at the tail.
 * OWNER plugin. LIFETIME while the version is loaded. THREAD any. STATE loaded; `shutdown`: drained, and the last. */
struct pb_plugin_table {
    uint32_t size;
    uint32_t node_size;
    const pb_node_table *nodes;
    size_t node_count;
    pb_status (*describe)(pb_sink *out); /* Writes the metadata: one map. */
    pb_status (*start)(const pb_host_table *host);
    pb_status (*shutdown)(void);
};

#define PB_EXPORT __attribute__((visibility("default")))

/* The entry point that a plugin defines; see PB_PLUGIN. */
PB_EXPORT const pb_plugin_table *patchbay_plugin_v1(void);

/* ---- The note: what a host knows of a plugin without running a line of it ---------------------------------------- */

#define PB_NOTE_FLAG_PANIC_ABORT 1u
#define PB_NOTE_FLAG_FOREIGN 2u

typedef struct pb_note {
    uint32_t owner_size;
    uint32_t desc_size;
    uint32_t kind;
    char owner[12];
    uint32_t contract_major;
    uint32_t contract_minor; /* The least that the plugin needs. */
    uint32_t flags;
    uint32_t zero;
    char name[64];
    char version[48];
    char sdk[32];
    char compiler[64];
    char target[64];
} pb_note;

#define PB_TEXT_OF_(token) #token
#define PB_TEXT_OF(token) PB_TEXT_OF_(token)

#ifndef PB_COMPILER
#if defined(__clang__)
#define PB_COMPILER "clang " PB_TEXT_OF(__clang_major__) "." PB_TEXT_OF(__clang_minor__)
#elif defined(__GNUC__)
#define PB_COMPILER "gcc " PB_TEXT_OF(__GNUC__) "." PB_TEXT_OF(__GNUC_MINOR__)
#else
#define PB_COMPILER "cc"
#endif
#endif

#ifndef PB_TARGET
#if defined(__x86_64__)
#define PB_TARGET_ARCH "x86_64"
#elif defined(__aarch64__)
#define PB_TARGET_ARCH "aarch64"
#else
#error "patchbay.h knows x86-64 and 64-bit Arm; define PB_TARGET for another"
#endif
#ifdef __APPLE__
#define PB_TARGET PB_TARGET_ARCH "-apple-darwin"
#else
#define PB_TARGET PB_TARGET_ARCH "-unknown-linux-gnu"
#endif
#endif

/* The panic strategy: define it as PB_NOTE_FLAG_FOREIGN | PB_NOTE_FLAG_PANIC_ABORT for a plugin whose panics end the
 * process. Hosts refuse such a plugin. */
#ifndef PB_NOTE_FLAGS
#define PB_NOTE_FLAGS PB_NOTE_FLAG_FOREIGN
#endif

#ifdef __APPLE__
#define PB_NOTE_SECTION "__DATA,__patchbay"
#else
#define PB_NOTE_SECTION ".note.patchbay"
#endif

/* A note with every field given; a plugin uses one of the two below. */
#define PB_NOTE_OF(major, minor, flags, plugin_name, plugin_version)                                                   \
    PB_STATIC_ASSERT(sizeof(plugin_name) <= 64, "the plugin's name is too long for its note");                         \
    PB_STATIC_ASSERT(sizeof(plugin_version) <= 48, "the plugin's version is too long for its note");                   \
    PB_STATIC_ASSERT(sizeof(PB_COMPILER) <= 64 && sizeof(PB_TARGET) <= 64, "a text is too long for the note");         \
    __attribute__((used, aligned(4), section(PB_NOTE_SECTION))) static const pb_note pb_the_note = {                   \
        9, 288, 1, "Patchbay", (major), (minor), (flags), 0, plugin_name, plugin_version, "", PB_COMPILER, PB_TARGET}

/* The note of a plugin that cannot work on a host older than contract 1.MINOR; once in a plugin, outside any function. */
#define PB_NOTE_NEEDS(plugin_name, plugin_version, minor)                                                              \
    PB_NOTE_OF(PB_CONTRACT_MAJOR, minor, PB_NOTE_FLAGS, plugin_name, plugin_version)

/* The note of a plugin that asks, with PB_HOST_HAS, before it uses what came after the first minor. Its name has up to 63
 * bytes, its version up to 47. */
#define PB_NOTE(plugin_name, plugin_version) PB_NOTE_NEEDS(plugin_name, plugin_version, PB_FIRST_MINOR)

/* Defines the entry point over an array of node tables; outside any function. */
#define PB_PLUGIN(nodes, describe, start, shutdown)                                                                    \
    static const pb_plugin_table pb_the_plugin = {sizeof(pb_plugin_table),                                             \
                                                  sizeof(pb_node_table),                                               \
                                                  (nodes),                                                             \
                                                  sizeof(nodes) / sizeof((nodes)[0]),                                  \
                                                  (describe),                                                          \
                                                  (start),                                                             \
                                                  (shutdown)};                                                         \
    PB_EXPORT const pb_plugin_table *patchbay_plugin_v1(void) { return &pb_the_plugin; }                               \
    PB_STATIC_ASSERT(sizeof((nodes)[0]) == sizeof(pb_node_table), "the first argument is an array of node tables")

/* A text that is written out, as a pb_bytes of a static table. */
#define PB_LITERAL(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* Whether the host's table reaches to a field that came after the first minor. */
#define PB_HOST_HAS(host_table, field)                                                                                 \
    ((host_table)->size >= offsetof(pb_host_table, field) + sizeof(((const pb_host_table *)0)->field))

/* ---- Entry points of nodes and plugins that keep nothing --------------------------------------------------------- */

static inline pb_status pb_create_nothing(pb_bytes config, const pb_context *context, void **instance, pb_sink *out) {
    (void)config, (void)context, (void)out;
    *instance = NULL;
    return PB_OK;
}
static inline void pb_destroy_nothing(void *instance) { (void)instance; }
static inline pb_status pb_start_nothing(const pb_host_table *host) {
    (void)host;
    return PB_OK;
}
static inline pb_status pb_shutdown_nothing(void) { return PB_OK; }

/* ---- Reading values ----------------------------------------------------------------------------------------------
 * A value is lent as pb_bytes that hold exactly one value. Nothing here reads outside of them, whatever they hold.
 * Readers answer PB_OK, PB_ABSENT (no such key or item), or PB_MALFORMED (another kind of value than asked for). */

static inline pb_bytes pb_bytes_of(const void *ptr, size_t len) {
    pb_bytes bytes;
    bytes.ptr = (const uint8_t *)ptr;
    bytes.len = len;
    return bytes;
}
/* A C string as bytes. */
static inline pb_bytes pb_text(const char *text) { return pb_bytes_of(text, strlen(text)); }
static inline bool pb_text_is(pb_bytes text, const char *wanted) {
    return text.len == strlen(wanted) && (text.len == 0 || memcmp(text.ptr, wanted, text.len) == 0);
}

static inline uint32_t pb_u32_at(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}
static inline uint64_t pb_u64_at(const uint8_t *at) {
    return (uint64_t)pb_u32_at(at) | (uint64_t)pb_u32_at(at + 4) << 32;
}
static inline void pb_u32_put(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
}

/* The size of the value that `len` bytes begin with; 0 when there is none that ends among them. */
static inline size_t pb_size_at(const uint8_t *at, size_t len) {
    size_t size;
    if (len == 0) return 0;
    if (at[0] <= PB_VALUE_TRUE) return 1;
    if (at[0] <= PB_VALUE_F64) return len >= 9 ? 9 : 0;
    if (at[0] > PB_VALUE_MAP || len < PB_VALUE_PREFIX) return 0;
    size = (size_t)pb_u32_at(at + 1);
    return size <= len - PB_VALUE_PREFIX ? PB_VALUE_PREFIX + size : 0;
}

/* The tag of a value, or -1 when it is none. */
static inline int pb_kind(pb_bytes value) {
    return value.len > 0 && pb_size_at(value.ptr, value.len) == value.len ? value.ptr[0] : -1;
}

static inline pb_status pb_as_bool(pb_bytes value, bool *out) {
    int kind = pb_kind(value);
    if (kind != PB_VALUE_FALSE && kind != PB_VALUE_TRUE) return PB_MALFORMED;
    *out = kind == PB_VALUE_TRUE;
    return PB_OK;
}

/* An integer as it is, or a float that is an exact integer of at most 2^53. */
static inline pb_status pb_as_int(pb_bytes value, int64_t *out) {
    int kind = pb_kind(value);
    uint64_t bits;
    double number;
    if (kind != PB_VALUE_I64 && kind != PB_VALUE_F64) return PB_MALFORMED;
    bits = pb_u64_at(value.ptr + 1);
    if (kind == PB_VALUE_I64) {
        memcpy(out, &bits, sizeof bits);
        return PB_OK;
    }
    memcpy(&number, &bits, sizeof bits);
    if (!(number >= -9007199254740992.0 && number <= 9007199254740992.0)) return PB_MALFORMED;
    if ((double)(int64_t)number < number || (double)(int64_t)number > number) return PB_MALFORMED;
    *out = (int64_t)number;
    return PB_OK;
}

/* A float, or an integer as a float. */
static inline pb_status pb_as_float(pb_bytes value, double *out) {
    int kind = pb_kind(value);
    uint64_t bits;
    int64_t integer;
    if (kind != PB_VALUE_I64 && kind != PB_VALUE_F64) return PB_MALFORMED;
    bits = pb_u64_at(value.ptr + 1);
    if (kind == PB_VALUE_F64) {
        memcpy(out, &bits, sizeof bits);
    } else {
        memcpy(&integer, &bits, sizeof bits);
        *out = (double)integer;
    }
    return PB_OK;
}

static inline pb_status pb_payload(pb_bytes value, int kind, pb_bytes *out) {
    if (pb_kind(value) != kind) return PB_MALFORMED;
    *out = pb_bytes_of(value.ptr + PB_VALUE_PREFIX, value.len - PB_VALUE_PREFIX);
    return PB_OK;
}
/* The UTF-8 of a text; not ended by a NUL. */
static inline pb_status pb_as_text(pb_bytes value, pb_bytes *out) { return pb_payload(value, PB_VALUE_STR, out); }
static inline pb_status pb_as_bytes(pb_bytes value, pb_bytes *out) { return pb_payload(value, PB_VALUE_BYTES, out); }

/* The elements of a list or map, one after the other:
 *     pb_items each = pb_each(list);
 *     pb_bytes item;
 *     while (pb_next(&each, NULL, &item)) ... */
typedef struct pb_items {
    const uint8_t *at;
    size_t len;
    uint32_t left; /* Elements to come. */
    bool is_map;
} pb_items;

/* Of anything but a list or map: none. */
static inline pb_items pb_each(pb_bytes value) {
    pb_items items = {NULL, 0, 0, false};
    int kind = pb_kind(value);
    if ((kind == PB_VALUE_LIST || kind == PB_VALUE_MAP) && value.len >= PB_VALUE_HEADER) {
        items.at = value.ptr + PB_VALUE_HEADER;
        items.len = value.len - PB_VALUE_HEADER;
        items.left = pb_u32_at(value.ptr + PB_VALUE_PREFIX);
        items.is_map = kind == PB_VALUE_MAP;
    }
    return items;
}

/* The next element; of a map with its key, of a list with an empty one. `key` may be NULL. */
static inline bool pb_next(pb_items *items, pb_bytes *key, pb_bytes *value) {
    size_t size, key_len;
    if (key) *key = pb_bytes_of(NULL, 0);
    if (items->left == 0) return false;
    items->left--;
    if (items->is_map) {
        key_len = items->len < 4 ? 0 : pb_u32_at(items->at);
        if (items->len < 4 || key_len > items->len - 4) {
            items->left = 0;
            return false;
        }
        if (key) *key = pb_bytes_of(items->at + 4, key_len);
        items->at += 4 + key_len;
        items->len -= 4 + key_len;
    }
    size = pb_size_at(items->at, items->len);
    if (size == 0) {
        items->left = 0;
        return false;
    }
    *value = pb_bytes_of(items->at, size);
    items->at += size;
    items->len -= size;
    return true;
}

/* How many elements a list or map has; 0 for anything else. */
static inline uint32_t pb_count(pb_bytes value) { return pb_each(value).left; }

/* What the `n`th slot of the table of a large list or map points to, as the rest of `value` that begins there. */
static inline pb_status pb_slot(pb_bytes value, uint32_t n, pb_items *out) {
    pb_items items = pb_each(value);
    size_t table = (size_t)items.left * 4, at;
    if (n >= items.left || table > items.len) return PB_MALFORMED;
    at = pb_u32_at(value.ptr + value.len - table + (size_t)n * 4);
    if (at < PB_VALUE_HEADER || at >= value.len - table) return PB_MALFORMED;
    out->at = value.ptr + at;
    out->len = value.len - table - at;
    out->left = 1;
    out->is_map = items.is_map;
    return PB_OK;
}

/* An item of a list. */
static inline pb_status pb_item(pb_bytes list, uint32_t place, pb_bytes *out) {
    pb_items items = pb_each(list);
    if (pb_kind(list) != PB_VALUE_LIST) return PB_MALFORMED;
    if (place >= items.left) return PB_ABSENT;
    if (items.left >= PB_VALUE_TABLE_FROM) {
        if (pb_slot(list, place, &items) != PB_OK) return PB_MALFORMED;
        place = 0;
    }
    while (pb_next(&items, NULL, out)) {
        if (place-- == 0) return PB_OK;
    }
    return PB_MALFORMED;
}

static inline int pb_key_order(pb_bytes a, pb_bytes b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The value under a key of a map. */
static inline pb_status pb_get(pb_bytes map, const char *name, pb_bytes *out) {
    pb_items items = pb_each(map);
    pb_bytes key = pb_bytes_of(NULL, 0), wanted = pb_text(name);
    uint32_t low = 0, high = items.left;
    if (pb_kind(map) != PB_VALUE_MAP) return PB_MALFORMED;
    if (high < PB_VALUE_TABLE_FROM) {
        while (pb_next(&items, &key, out)) {
            if (pb_key_order(key, wanted) == 0) return PB_OK;
        }
        return PB_ABSENT;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order;
        if (pb_slot(map, middle, &items) != PB_OK || !pb_next(&items, &key, out)) return PB_MALFORMED;
        order = pb_key_order(wanted, key);
        if (order == 0) return PB_OK;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return PB_ABSENT;
}

static inline pb_status pb_get_bool(pb_bytes map, const char *name, bool *out) {
    pb_bytes value;
    pb_status status = pb_get(map, name, &value);
    return status == PB_OK ? pb_as_bool(value, out) : status;
}
static inline pb_status pb_get_int(pb_bytes map, const char *name, int64_t *out) {
    pb_bytes value;
    pb_status status = pb_get(map, name, &value);
    return status == PB_OK ? pb_as_int(value, out) : status;
}
static inline pb_status pb_get_float(pb_bytes map, const char *name, double *out) {
    pb_bytes value;
    pb_status status = pb_get(map, name, &value);
    return status == PB_OK ? pb_as_float(value, out) : status;
}
static inline pb_status pb_get_text(pb_bytes map, const char *name, pb_bytes *out) {
    pb_bytes value;
    pb_status status = pb_get(map, name, &value);
    return status == PB_OK ? pb_as_text(value, out) : status;
}
static inline pb_status pb_get_bytes(pb_bytes map, const char *name, pb_bytes *out) {
    pb_bytes value;
    pb_status status = pb_get(map, name, &value);
    return status == PB_OK ? pb_as_bytes(value, out) : status;
}

/* ---- Writing values ----------------------------------------------------------------------------------------------
 * A writer remembers the first thing that went wrong and ignores what is written afterwards, so that one look at the
 * end is enough:
 *     pb_writer w = pb_writer_of(call->out);
 *     size_t map = pb_open_map(&w);
 *     pb_put_text(&w, "name", pb_text("rope"));
 *     pb_close(&w, map);
 *     return pb_written(&w); */

typedef struct pb_writer {
    pb_sink *sink;
    pb_status status;
} pb_writer;

/* A writer into a sink; what was in it is given up. */
static inline pb_writer pb_writer_of(pb_sink *sink) {
    pb_writer writer;
    writer.sink = sink;
    writer.status = PB_OK;
    sink->len = 0;
    return writer;
}
static inline pb_status pb_written(const pb_writer *writer) { return writer->status; }
/* Remembers the first thing that went wrong. */
static inline void pb_give_up(pb_writer *writer, pb_status status) {
    if (writer->status == PB_OK) writer->status = status;
}

/* Room for `len` bytes, which count as written; NULL when there is none. */
static inline uint8_t *pb_room(pb_writer *writer, size_t len) {
    pb_sink *sink = writer->sink;
    uint8_t *room;
    if (writer->status != PB_OK) return NULL;
    if (sink->cap - sink->len < len) {
        pb_give_up(writer, sink->reserve(sink, len));
        if (sink->cap - sink->len < len) pb_give_up(writer, PB_OUTPUT_LIMIT);
        if (writer->status != PB_OK) return NULL;
    }
    room = sink->data + sink->len;
    sink->len += len;
    return room;
}
static inline void pb_write_tag(pb_writer *writer, uint8_t tag) {
    uint8_t *room = pb_room(writer, 1);
    if (room) room[0] = tag;
}
static inline void pb_write_eight(pb_writer *writer, uint8_t tag, uint64_t bits) {
    uint8_t *room = pb_room(writer, 9);
    if (!room) return;
    room[0] = tag;
    pb_u32_put(room + 1, (uint32_t)bits);
    pb_u32_put(room + 5, (uint32_t)(bits >> 32));
}
static inline void pb_write_sized(pb_writer *writer, uint8_t tag, pb_bytes bytes) {
    uint8_t *room;
    if (bytes.len > UINT32_MAX - PB_VALUE_PREFIX) {
        pb_give_up(writer, PB_OUTPUT_LIMIT);
        return;
    }
    room = pb_room(writer, PB_VALUE_PREFIX + bytes.len);
    if (!room) return;
    room[0] = tag;
    pb_u32_put(room + 1, (uint32_t)bytes.len);
    if (bytes.len) memcpy(room + PB_VALUE_PREFIX, bytes.ptr, bytes.len);
}

static inline void pb_write_null(pb_writer *writer) { pb_write_tag(writer, PB_VALUE_NULL); }
static inline void pb_write_bool(pb_writer *writer, bool value) {
    pb_write_tag(writer, value ? PB_VALUE_TRUE : PB_VALUE_FALSE);
}
static inline void pb_write_int(pb_writer *writer, int64_t value) {
    pb_write_eight(writer, PB_VALUE_I64, (uint64_t)value);
}
/* PB_MALFORMED for what is not finite: there is no such value. */
static inline void pb_write_float(pb_writer *writer, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits >> 52 & 0x7ff) == 0x7ff) {
        pb_give_up(writer, PB_MALFORMED);
    } else {
        pb_write_eight(writer, PB_VALUE_F64, bits);
    }
}
/* The host refuses a text that is not UTF-8. */
static inline void pb_write_text(pb_writer *writer, pb_bytes text) { pb_write_sized(writer, PB_VALUE_STR, text); }
static inline void pb_write_bytes(pb_writer *writer, pb_bytes bytes) { pb_write_sized(writer, PB_VALUE_BYTES, bytes); }
/* A value that is encoded already, such as a part of the input. */
static inline void pb_write_value(pb_writer *writer, pb_bytes value) {
    uint8_t *room = pb_room(writer, value.len);
    if (room && value.len) memcpy(room, value.ptr, value.len);
}

static inline size_t pb_open(pb_writer *writer, uint8_t tag) {
    size_t place = writer->sink->len;
    uint8_t *room = pb_room(writer, PB_VALUE_HEADER);
    if (room) {
        memset(room, 0, PB_VALUE_HEADER);
        room[0] = tag;
    }
    return place;
}
/* Opens a map, to be ended by pb_close with the place given here; between them, a key before each value. */
static inline size_t pb_open_map(pb_writer *writer) { return pb_open(writer, PB_VALUE_MAP); }
/* Opens a list, to be ended by pb_close with the place given here. */
static inline size_t pb_open_list(pb_writer *writer) { return pb_open(writer, PB_VALUE_LIST); }
/* The key of the value that is written next. */
static inline void pb_write_key(pb_writer *writer, pb_bytes key) {
    uint8_t *room;
    if (key.len > UINT32_MAX - 4) {
        pb_give_up(writer, PB_OUTPUT_LIMIT);
        return;
    }
    room = pb_room(writer, 4 + key.len);
    if (!room) return;
    pb_u32_put(room, (uint32_t)key.len);
    if (key.len) memcpy(room + 4, key.ptr, key.len);
}
static inline void pb_key(pb_writer *writer, const char *key) { pb_write_key(writer, pb_text(key)); }

/* The key of the entry that the `n`th slot of a map's table points to. */
static inline pb_bytes pb_key_of_slot(const uint8_t *map, const uint8_t *table, uint32_t n) {
    const uint8_t *entry = map + pb_u32_at(table + (size_t)n * 4);
    return pb_bytes_of(entry + 4, pb_u32_at(entry));
}
static inline void pb_swap_slots(uint8_t *table, uint32_t a, uint32_t b) {
    uint32_t kept = pb_u32_at(table + (size_t)a * 4);
    pb_u32_put(table + (size_t)a * 4, pb_u32_at(table + (size_t)b * 4));
    pb_u32_put(table + (size_t)b * 4, kept);
}
/* Lets the slot at `root` sink to its place in a heap of `count` slots that has the greatest key on top. */
static inline void pb_sift(const uint8_t *map, uint8_t *table, uint32_t root, uint32_t count) {
    while (root < count / 2) {
        uint32_t child = 2 * root + 1;
        pb_bytes key = pb_key_of_slot(map, table, child);
        if (child + 1 < count && pb_key_order(key, pb_key_of_slot(map, table, child + 1)) < 0) child++;
        if (pb_key_order(pb_key_of_slot(map, table, root), pb_key_of_slot(map, table, child)) >= 0) return;
        pb_swap_slots(table, root, child);
        root = child;
    }
}
/* Sorts the slots of a map's table by key, in place; PB_MALFORMED when a key is there twice. */
static inline pb_status pb_sort_slots(const uint8_t *map, uint8_t *table, uint32_t count) {
    uint32_t n;
    for (n = count / 2; n-- > 0;) pb_sift(map, table, n, count);
    for (n = count; n-- > 1;) {
        pb_swap_slots(table, 0, n);
        pb_sift(map, table, 0, n);
    }
    for (n = 1; n < count; n++) {
        if (pb_key_order(pb_key_of_slot(map, table, n - 1), pb_key_of_slot(map, table, n)) == 0) return PB_MALFORMED;
    }
    return PB_OK;
}

/* Ends the list or map that was opened at `place`: counts its elements, writes its table, patches its length.
 * PB_MALFORMED when keys and values do not alternate in a map. A key that is there twice is found here in a map of 16
 * entries or more, otherwise by the host. */
static inline void pb_close(pb_writer *writer, size_t place) {
    pb_sink *sink = writer->sink;
    pb_items items = {NULL, 0, UINT32_MAX, false};
    pb_bytes value;
    uint32_t count = 0, n;
    size_t body;
    if (writer->status != PB_OK) return;
    if (place > sink->len || sink->len - place < PB_VALUE_HEADER) {
        pb_give_up(writer, PB_MALFORMED);
        return;
    }
    items.is_map = sink->data[place] == PB_VALUE_MAP;
    body = sink->len - place - PB_VALUE_HEADER;
    items.at = sink->data + place + PB_VALUE_HEADER;
    items.len = body;
    while (items.len > 0) {
        if (!pb_next(&items, NULL, &value)) {
            pb_give_up(writer, PB_MALFORMED);
            return;
        }
        count++;
    }
    if (count >= PB_VALUE_TABLE_FROM) {
        uint8_t *table = pb_room(writer, (size_t)count * 4);
        if (!table) return;
        items.at = sink->data + place + PB_VALUE_HEADER;
        items.len = body;
        items.left = count;
        for (n = 0; n < count; n++) {
            pb_u32_put(table + (size_t)n * 4, (uint32_t)(items.at - (sink->data + place)));
            pb_next(&items, NULL, &value);
        }
        if (items.is_map) pb_give_up(writer, pb_sort_slots(sink->data + place, table, count));
    }
    if (sink->len - place > UINT32_MAX) pb_give_up(writer, PB_OUTPUT_LIMIT);
    pb_u32_put(sink->data + place + 1, (uint32_t)(sink->len - place - PB_VALUE_PREFIX));
    pb_u32_put(sink->data + place + PB_VALUE_PREFIX, count);
}

/* A key with its value. */
static inline void pb_put_null(pb_writer *writer, const char *key) {
    pb_key(writer, key);
    pb_write_null(writer);
}
static inline void pb_put_bool(pb_writer *writer, const char *key, bool value) {
    pb_key(writer, key);
    pb_write_bool(writer, value);
}
static inline void pb_put_int(pb_writer *writer, const char *key, int64_t value) {
    pb_key(writer, key);
    pb_write_int(writer, value);
}
static inline void pb_put_float(pb_writer *writer, const char *key, double value) {
    pb_key(writer, key);
    pb_write_float(writer, value);
}
static inline void pb_put_text(pb_writer *writer, const char *key, pb_bytes text) {
    pb_key(writer, key);
    pb_write_text(writer, text);
}
static inline void pb_put_bytes(pb_writer *writer, const char *key, pb_bytes bytes) {
    pb_key(writer, key);
    pb_write_bytes(writer, bytes);
}
static inline void pb_put_value(pb_writer *writer, const char *key, pb_bytes value) {
    pb_key(writer, key);
    pb_write_value(writer, value);
}
/* A key with a map or list that pb_close ends. */
static inline size_t pb_put_map(pb_writer *writer, const char *key) {
    pb_key(writer, key);
    return pb_open_map(writer);
}
static inline size_t pb_put_list(pb_writer *writer, const char *key) {
    pb_key(writer, key);
    return pb_open_list(writer);
}

/* ---- Failing ----------------------------------------------------------------------------------------------------- */

typedef enum pb_retry { PB_RETRY_UNSAID, PB_RETRY_MAY_HELP, PB_RETRY_IS_USELESS } pb_retry;

/* Gives up what was written, writes an error, and gives `status` back, for the entry point to return. */
static inline pb_status pb_fail_as(pb_sink *out, pb_status status, const char *code, pb_bytes message, pb_retry retry) {
    pb_writer writer = pb_writer_of(out);
    size_t map = pb_open_map(&writer);
    pb_put_text(&writer, "code", pb_text(code));
    pb_put_text(&writer, "message", message);
    if (retry != PB_RETRY_UNSAID) pb_put_bool(&writer, "retryable", retry == PB_RETRY_MAY_HELP);
    pb_close(&writer, map);
    /* An error that does not fit: the status alone must do. */
    if (pb_written(&writer) != PB_OK) out->len = 0;
    return status;
}
/* A failure of the node: a stable code for machines, a message for people. */
static inline pb_status pb_fail(pb_sink *out, const char *code, const char *message) {
    return pb_fail_as(out, PB_FAILED, code, pb_text(message), PB_RETRY_UNSAID);
}
static inline pb_status pb_fail_retryable(pb_sink *out, const char *code, const char *message, pb_retry retry) {
    return pb_fail_as(out, PB_FAILED, code, pb_text(message), retry);
}
/* What a fence returns. The instance is poisoned: its later calls answer PB_POISONED, and the host replaces it. */
static inline pb_status pb_panicked(pb_sink *out, const char *message) {
    return pb_fail_as(out, PB_PANICKED, "PLUGIN_PANICKED", pb_text(message), PB_RETRY_UNSAID);
}

/* ---- Asking the host --------------------------------------------------------------------------------------------- */

/* A sink of the plugin's own, for what the host answers. Its address must not change while it is used. */
typedef struct pb_buffer {
    pb_sink sink; /* First: `reserve` finds the buffer through it. */
    void *(*resize)(void *bytes, size_t size);
} pb_buffer;

static inline pb_status pb_buffer_reserve(pb_sink *sink, size_t additional) {
    pb_buffer *buffer = (pb_buffer *)(void *)sink;
    size_t wanted;
    void *grown;
    if (sink->cap - sink->len >= additional) return PB_OK;
    if (!buffer->resize || additional > SIZE_MAX / 4 || sink->len > SIZE_MAX / 4) return PB_OUTPUT_LIMIT;
    wanted = (sink->len + additional) * 2;
    grown = buffer->resize(sink->data, wanted);
    if (!grown) return PB_OUTPUT_LIMIT;
    sink->data = (uint8_t *)grown;
    sink->cap = wanted;
    return PB_OK;
}
static inline pb_buffer pb_buffer_with(void *bytes, size_t size, void *(*resize)(void *, size_t)) {
    pb_buffer buffer;
    buffer.sink.data = (uint8_t *)bytes;
    buffer.sink.len = 0;
    buffer.sink.cap = size;
    buffer.sink.reserve = pb_buffer_reserve;
    buffer.resize = resize;
    return buffer;
}
/* Over bytes of the caller's; a longer answer is PB_OUTPUT_LIMIT. */
static inline pb_buffer pb_buffer_over(void *bytes, size_t size) { return pb_buffer_with(bytes, size, NULL); }
/* Growing: give `realloc`, and end it with `free(buffer.sink.data)`. */
static inline pb_buffer pb_buffer_growing(void *(*resize)(void *bytes, size_t size)) {
    return pb_buffer_with(NULL, 0, resize);
}
static inline pb_bytes pb_buffer_value(const pb_buffer *buffer) {
    return pb_bytes_of(buffer->sink.data, buffer->sink.len);
}

static inline void pb_log(const pb_context *context, uint32_t level, const char *message) {
    context->host->log(context, level, pb_text(message), pb_bytes_of(NULL, 0));
}
/* With fields: an encoded map. */
static inline void pb_log_fields(const pb_context *context, uint32_t level, const char *message, pb_bytes fields) {
    context->host->log(context, level, pb_text(message), fields);
}

/* Reads the value under a key of a store into `buffer`; a secret only under a name that the metadata declares. */
static inline pb_status pb_read(const pb_context *context, uint32_t store, const char *key, pb_buffer *buffer,
                                pb_bytes *value) {
    pb_status status;
    buffer->sink.len = 0;
    status = context->host->read(context, store, pb_text(key), &buffer->sink);
    *value = pb_buffer_value(buffer);
    return status;
}
/* Sets the value under a key of a store to an encoded value. */
static inline pb_status pb_store(const pb_context *context, uint32_t store, const char *key, pb_bytes value) {
    return context->host->write(context, store, pb_text(key), value);
}
static inline pb_status pb_remove(const pb_context *context, uint32_t store, const char *key) {
    return context->host->remove(context, store, pb_text(key));
}

/* What the administrator set under this name for the tenant's plugins, a text; PB_ABSENT when nothing was set, PB_UNSUPPORTED
 * on a host older than contract 1.3. */
static inline pb_status pb_setting(const pb_context *context, const char *name, pb_buffer *buffer, pb_bytes *value) {
    if (context->host->contract_minor < 3) return PB_UNSUPPORTED;
    return pb_read(context, PB_STORE_SETTINGS, name, buffer, value);
}

/* The four below: PB_UNSUPPORTED on a host older than contract 1.2; all but variables also outside a workflow. */

/* All variables of the run, as one map. */
static inline pb_status pb_variables(const pb_context *context, pb_buffer *buffer, pb_bytes *map) {
    pb_status status;
    if (!PB_HOST_HAS(context->host, list)) return PB_UNSUPPORTED;
    buffer->sink.len = 0;
    status = context->host->list(context, PB_STORE_VARIABLES, &buffer->sink);
    *map = pb_buffer_value(buffer);
    return status;
}
/* Sets a key of a store to `value` (empty: removes it) when it is `expected` (empty: not there), else PB_DIFFERS. Read
 * again and try again: no writer comes between. */
static inline pb_status pb_replace(const pb_context *context, uint32_t store, const char *key, pb_bytes expected,
                                   pb_bytes value) {
    if (!PB_HOST_HAS(context->host, replace)) return PB_UNSUPPORTED;
    return context->host->replace(context, store, pb_text(key), expected, value);
}
/* The list of the values that arrived at an input of this workflow node; PB_ABSENT when none did. */
static inline pb_status pb_input(const pb_context *context, uint32_t input, pb_buffer *buffer, pb_bytes *values) {
    char key[11];
    size_t at = sizeof key;
    if (!PB_HOST_HAS(context->host, evaluate)) return PB_UNSUPPORTED;
    key[--at] = '\0';
    do {
        key[--at] = (char)('0' + input % 10);
        input /= 10;
    } while (input);
    return pb_read(context, PB_STORE_INPUTS, key + at, buffer, values);
}
/* This workflow node leaves by that output, beside those selected before; by all of them when none is. */
static inline pb_status pb_select_output(const pb_context *context, uint32_t output) {
    if (!PB_HOST_HAS(context->host, select_output)) return PB_UNSUPPORTED;
    return context->host->select_output(context, output);
}
/* Evaluates `source`, an encoded value, as `kind` says; `bindings` is an encoded map or empty, its entry `item` is seen as
 * `$item`. With PB_FAILED, `value` is the error, fit to be passed on by pb_pass. */
static inline pb_status pb_evaluate(const pb_context *context, uint32_t kind, pb_bytes source, pb_bytes bindings,
                                    pb_buffer *buffer, pb_bytes *value) {
    pb_status status;
    if (!PB_HOST_HAS(context->host, evaluate)) return PB_UNSUPPORTED;
    buffer->sink.len = 0;
    status = context->host->evaluate(context, kind, source, bindings, &buffer->sink);
    *value = pb_buffer_value(buffer);
    return status;
}

/* Calls another node and waits for it. With PB_FAILED, `value` is its error, fit to be passed on by pb_pass. */
static inline pb_status pb_call_node(const pb_context *context, const char *node_type, pb_bytes input,
                                     pb_buffer *buffer, pb_bytes *value) {
    pb_status status;
    buffer->sink.len = 0;
    status = context->host->call(context, pb_text(node_type), input, &buffer->sink);
    *value = pb_buffer_value(buffer);
    return status;
}
/* Answers with a status and an encoded value, as another node gave them. */
static inline pb_status pb_pass(pb_sink *out, pb_status status, pb_bytes value) {
    pb_writer writer = pb_writer_of(out);
    pb_write_value(&writer, value);
    return pb_written(&writer) == PB_OK ? status : pb_written(&writer);
}

/* Nanoseconds on the host's steady clock. */
static inline uint64_t pb_now(const pb_context *context) { return context->host->now(context); }
/* Nanoseconds since 1970 on the host's wall clock; PB_UNSUPPORTED on a host of contract 1.0. */
static inline pb_status pb_wall_clock(const pb_context *context, uint64_t *nanos) {
    if (!PB_HOST_HAS(context->host, wall_clock)) return PB_UNSUPPORTED;
    *nanos = context->host->wall_clock(context);
    return PB_OK;
}
/* Nanoseconds that this call may still take; UINT64_MAX for as long as it likes. */
static inline uint64_t pb_remaining(const pb_context *context) {
    uint64_t now;
    if (context->deadline == UINT64_MAX) return UINT64_MAX;
    now = pb_now(context);
    return now < context->deadline ? context->deadline - now : 0;
}
/* Whether the caller no longer wants the result. Costs one read of memory. */
static inline bool pb_cancelled(const pb_context *context) {
    return context->cancel && __atomic_load_n(context->cancel, __ATOMIC_RELAXED) != 0;
}
/* For loops: PB_OK, or the status to return because the caller gave up or the deadline passed. */
static inline pb_status pb_check(const pb_context *context, pb_sink *out) {
    if (pb_cancelled(context)) return pb_fail(out, "CANCELLED", "the caller cancelled the call");
    if (pb_remaining(context) == 0) return pb_fail(out, "TIMEOUT", "the call's deadline passed");
    return PB_OK;
}
/* Has the host poll the future again after `nanos`; `waker` is the one that it lent to the running poll. */
static inline pb_status pb_wake_after(const pb_context *context, uint64_t nanos, const pb_waker_handle *waker) {
    return context->host->wake_after(context, nanos, waker);
}

#ifdef __cplusplus
} /* extern "C" */

#if defined(__cpp_exceptions)
#include <exception>

/* Runs `body`, which returns a status; no exception crosses the line. */
template <typename Body> pb_status pb_fenced(pb_sink *out, Body &&body) noexcept {
    try {
        return body();
    } catch (const std::exception &caught) {
        return pb_panicked(out, caught.what());
    } catch (...) {
        return pb_panicked(out, "an exception that is no std::exception");
    }
}
#endif
#endif

#endif /* PATCHBAY_H */

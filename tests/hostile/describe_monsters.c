/* Describes itself well but for one thing: a schema of 50 MB, one that is a million deep, or ten million nodes. */
#define OWN_DESCRIBE
#include "plugin.h"
#include "deep.h"

static void text(pb_writer *writer, const char *key, const char *value) {
    pb_key(writer, key);
    pb_write_text(writer, pb_text(value));
}
#ifdef HUGE_SCHEMA
static uint8_t huge[50 << 20];
static void write_schema(pb_writer *writer) {
    size_t schema = pb_open_map(writer);
    memset(huge, 'x', sizeof huge);
    pb_key(writer, "description");
    pb_write_text(writer, pb_bytes_of(huge, sizeof huge));
    pb_close(writer, schema);
}
#else
static void write_schema(pb_writer *writer) { write_deep(writer); }
#endif

static void write_nodes(pb_writer *writer) {
#ifdef MILLIONS
    static const uint8_t list[] = {PB_VALUE_LIST, 4, 0, 0, 0, 0x80, 0x96, 0x98, 0};
    pb_write_value(writer, pb_bytes_of(list, sizeof list));
#else
    size_t list = pb_open_list(writer), node = pb_open_map(writer);
    text(writer, "nodeType", NODE);
    text(writer, "version", VERSION);
    text(writer, "hostApi", "^1.0.0");
    text(writer, "effect", "pure");
    pb_key(writer, "parameters");
    write_schema(writer);
    pb_close(writer, node);
    pb_close(writer, list);
#endif
}

static int32_t describe(Sink *out) {
    pb_writer writer = {out, PB_OK};
    size_t all = pb_open_map(&writer);
    text(&writer, "name", NAME);
    text(&writer, "version", VERSION);
    text(&writer, "description", "");
    text(&writer, "hostApi", "^1.0.0");
    pb_key(&writer, "nodes");
    write_nodes(&writer);
    pb_close(&writer, all);
    return pb_written(&writer);
}

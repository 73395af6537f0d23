/* Reads values from standard input and writes each anew with the functions of patchbay.h, element by element. A frame is a
 * length and that many bytes; an answer is a status, a length and that many bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "patchbay.h"

/* Writes `value` anew; looks every element of a list or map up by place or key as well. */
static void rewrite(pb_writer *w, pb_bytes value, int depth) {
    pb_items each = pb_each(value);
    pb_bytes key, inner, found;
    int64_t integer;
    double number;
    bool truth;
    uint32_t place = 0;
    size_t at;
    int kind = pb_kind(value);
    if (depth > 200) {
        pb_give_up(w, PB_MALFORMED);
        return;
    }
    switch (kind) {
    case PB_VALUE_NULL: pb_write_null(w); return;
    case PB_VALUE_FALSE:
    case PB_VALUE_TRUE:
        if (pb_as_bool(value, &truth) == PB_OK) pb_write_bool(w, truth);
        return;
    case PB_VALUE_I64:
        if (pb_as_int(value, &integer) == PB_OK) pb_write_int(w, integer);
        return;
    case PB_VALUE_F64:
        if (pb_as_float(value, &number) == PB_OK) pb_write_float(w, number);
        return;
    case PB_VALUE_STR:
        if (pb_as_text(value, &inner) == PB_OK) pb_write_text(w, inner);
        return;
    case PB_VALUE_BYTES:
        if (pb_as_bytes(value, &inner) == PB_OK) pb_write_bytes(w, inner);
        return;
    case PB_VALUE_LIST:
        at = pb_open_list(w);
        while (pb_next(&each, NULL, &inner)) {
            if (pb_item(value, place++, &found) != PB_OK || found.ptr != inner.ptr) pb_give_up(w, PB_ABSENT);
            rewrite(w, inner, depth + 1);
        }
        if (pb_item(value, pb_count(value), &found) == PB_OK) pb_give_up(w, PB_ABSENT);
        pb_close(w, at);
        return;
    case PB_VALUE_MAP:
        at = pb_open_map(w);
        while (pb_next(&each, &key, &inner)) {
            char *name = (char *)calloc(key.len + 1, 1);
            if (name && key.len) memcpy(name, key.ptr, key.len);
            /* A key with a NUL in it cannot be asked for. */
            if (name && strlen(name) == key.len && (pb_get(value, name, &found) != PB_OK || found.ptr != inner.ptr)) {
                pb_give_up(w, PB_ABSENT);
            }
            free(name);
            pb_write_key(w, key);
            rewrite(w, inner, depth + 1);
        }
        pb_close(w, at);
        return;
    default: pb_give_up(w, PB_MALFORMED);
    }
}

int main(void) {
    uint8_t head[8];
    while (fread(head, 1, 4, stdin) == 4) {
        size_t len = pb_u32_at(head);
        /* Of exactly that size, so that a tool which watches memory sees a read behind its end. */
        uint8_t *bytes = (uint8_t *)malloc(len ? len : 1);
        pb_buffer out = pb_buffer_growing(realloc);
        pb_writer w = pb_writer_of(&out.sink);
        if (!bytes || fread(bytes, 1, len, stdin) != len) return 1;
        rewrite(&w, pb_bytes_of(bytes, len), 0);
        pb_u32_put(head, (uint32_t)pb_written(&w));
        pb_u32_put(head + 4, (uint32_t)out.sink.len);
        fwrite(head, 1, 8, stdout);
        fwrite(out.sink.data ? out.sink.data : head, 1, out.sink.len, stdout);
        free(out.sink.data);
        free(bytes);
    }
    return 0;
}

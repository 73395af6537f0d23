/* Saves the state of one counter and hands it to another, as a host does at a swap. A program: status 0 is success. */
#ifdef CXX
#include "plugin.cpp"
#else
#include "plugin.c"
#endif

int main(void) {
    pb_buffer state = pb_buffer_growing(realloc), out = pb_buffer_growing(realloc);
    const pb_node_table *counter = &patchbay_plugin_v1()->nodes[3];
    pb_call call;
    pb_bytes result;
    void *old, *fresh;
    int64_t value = 0;
    memset(&call, 0, sizeof call);
    call.out = &out.sink;
    if (!pb_text_is(counter->node_type, COUNTER)) return 1;
    /* {"by": 5} and {"start": 100}, encoded by the writer */
    pb_buffer by = pb_buffer_growing(realloc), config = pb_buffer_growing(realloc);
    pb_writer w = pb_writer_of(&by.sink);
    size_t map = pb_open_map(&w);
    pb_put_int(&w, "by", 5);
    pb_close(&w, map);
    w = pb_writer_of(&config.sink);
    map = pb_open_map(&w);
    pb_put_int(&w, "start", 100);
    pb_close(&w, map);
    call.input = pb_buffer_value(&by);
    if (counter->create(pb_buffer_value(&config), NULL, &old, &out.sink) != PB_OK) return 2;
    if (counter->execute(old, &call) != PB_OK) return 3;
    if (counter->save_state(old, &state.sink) != PB_OK) return 4;
    if (counter->create(pb_bytes_of("\0", 1), NULL, &fresh, &out.sink) != PB_OK) return 5;
    if (counter->load_state(fresh, pb_text("0.9.0"), pb_buffer_value(&state), &out.sink) != PB_OK) return 6;
    if (counter->execute(fresh, &call) != PB_OK) return 7;
    result = pb_buffer_value(&out);
    if (pb_get_int(result, "result", &value) != PB_OK || value != 110) return 8;
    /* A state that is none is refused with an error. */
    if (counter->load_state(fresh, pb_text("0.9.0"), pb_bytes_of("\2", 1), &out.sink) != PB_FAILED) return 9;
    if (pb_get(pb_buffer_value(&out), "code", &result) != PB_OK) return 10;
    counter->destroy(old);
    counter->destroy(fresh);
    free(state.sink.data), free(out.sink.data), free(by.sink.data), free(config.sink.data);
    return 0;
}

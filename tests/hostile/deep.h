/* A million lists, each the one item of the one around it. */
static void write_deep(pb_writer *writer) {
    for (uint32_t left = 1000000; left > 0; left--) {
        uint8_t *room = pb_room(writer, PB_VALUE_HEADER);
        if (!room) return;
        room[0] = PB_VALUE_LIST;
        pb_u32_put(room + 1, PB_VALUE_HEADER * left - PB_VALUE_PREFIX);
        pb_u32_put(room + 5, left > 1);
    }
}

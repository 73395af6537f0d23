/* A plugin in C that does everything the contract offers. Compiled with -DVERSION="\"1.0.0\"". */
#include <stdlib.h>

#include "patchbay.h"

PB_NOTE("native-c", VERSION);

/* ---- c.version: answers with the plugin's version ---------------------------------------------------------------- */

static pb_status answer_text(pb_sink *out, pb_bytes text) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w);
    pb_put_text(&w, "result", text);
    pb_close(&w, map);
    return pb_written(&w);
}

static pb_status answer_int(pb_sink *out, int64_t number) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w);
    pb_put_int(&w, "result", number);
    pb_close(&w, map);
    return pb_written(&w);
}

static pb_status version(const void *instance, const pb_call *call) {
    (void)instance;
    return answer_text(call->out, pb_text(VERSION));
}

/* ---- c.invoice: reads and writes nested values -------------------------------------------------------------------- */

static pb_status invoice(const void *instance, const pb_call *call) {
    pb_bytes customer, lines, line, item;
    pb_items each;
    double total = 0, price;
    int64_t count;
    (void)instance;
    if (pb_get_text(call->input, "customer", &customer) != PB_OK || pb_get(call->input, "lines", &lines) != PB_OK) {
        return pb_fail(call->out, "VALIDATION_FAILED", "an invoice has a customer and lines");
    }
    pb_writer w = pb_writer_of(call->out);
    size_t map = pb_open_map(&w);
    size_t result = pb_put_map(&w, "result");
    pb_put_text(&w, "customer", customer);
    size_t items = pb_put_map(&w, "counts");
    for (each = pb_each(lines); pb_next(&each, NULL, &line);) {
        if (pb_get_text(line, "item", &item) != PB_OK || pb_get_float(line, "price", &price) != PB_OK ||
            pb_get_int(line, "count", &count) != PB_OK) {
            return pb_fail(call->out, "VALIDATION_FAILED", "a line has an item, a price and a count");
        }
        total += price * (double)count;
        pb_write_key(&w, item);
        pb_write_int(&w, count);
    }
    pb_close(&w, items);
    pb_put_float(&w, "total", total);
    pb_put_value(&w, "lines", lines); /* as it was, without a look inside */
    pb_close(&w, result);
    pb_close(&w, map);
    return pb_written(&w);
}

/* ---- c.fail: fails as it is told ---------------------------------------------------------------------------------- */

static pb_status fail(const void *instance, const pb_call *call) {
    bool retryable;
    pb_status said = pb_get_bool(call->input, "retryable", &retryable);
    (void)instance;
    if (said == PB_MALFORMED) return pb_fail(call->out, "VALIDATION_FAILED", "parameter `retryable`: a bool");
    return pb_fail_retryable(call->out, "NATIVE_FAILURE", "as it was told",
                             said != PB_OK ? PB_RETRY_UNSAID : retryable ? PB_RETRY_MAY_HELP : PB_RETRY_IS_USELESS);
}

/* ---- c.counter: keeps state, one instance for each tenant and configuration -------------------------------------- */

typedef struct counter {
    int64_t value; /* atomic: many calls at once */
} counter;

static pb_status counter_create(pb_bytes config, const pb_context *context, void **instance, pb_sink *out) {
    counter *made = (counter *)malloc(sizeof *made);
    (void)context;
    if (!made) return pb_fail(out, "EXECUTION_ERROR", "there is no memory");
    made->value = 0;
    pb_get_int(config, "start", &made->value);
    *instance = made;
    return PB_OK;
}
static void counter_destroy(void *instance) { free(instance); }
static pb_status counter_execute(const void *instance, const pb_call *call) {
    counter *of = (counter *)(uintptr_t)instance;
    int64_t by = 1;
    if (pb_get_int(call->input, "by", &by) == PB_MALFORMED) {
        return pb_fail(call->out, "VALIDATION_FAILED", "parameter `by`: an integer");
    }
    return answer_int(call->out, __atomic_add_fetch(&of->value, by, __ATOMIC_SEQ_CST));
}
static pb_status counter_save(const void *instance, pb_sink *out) {
    const counter *of = (const counter *)instance;
    pb_writer w = pb_writer_of(out);
    pb_write_int(&w, __atomic_load_n(&of->value, __ATOMIC_SEQ_CST));
    return pb_written(&w);
}
static pb_status counter_load(void *instance, pb_bytes from_version, pb_bytes state, pb_sink *out) {
    counter *of = (counter *)instance;
    (void)from_version;
    if (pb_as_int(state, &of->value) != PB_OK) return pb_fail(out, "EXECUTION_ERROR", "the state is no integer");
    return PB_OK;
}

/* ---- c.sleep: waits on the host's timer, without a thread --------------------------------------------------------- */

typedef struct nap {
    const pb_context *context;
    uint64_t until;
} nap;

static pb_status nap_poll(void *state, const pb_waker_handle *waker, pb_sink *out) {
    const nap *of = (const nap *)state;
    uint64_t now = pb_now(of->context);
    pb_status asked = pb_check(of->context, out);
    if (asked != PB_OK) return asked;
    if (now >= of->until) return answer_text(out, pb_text("slept"));
    asked = pb_wake_after(of->context, of->until - now, waker);
    return asked == PB_OK ? PB_PENDING : pb_fail(out, "UNSUPPORTED", "the host refused a timer");
}
static void nap_drop(void *state) { free(state); }
static pb_status nap_start(const void *instance, const pb_call *call, pb_future_handle *future) {
    int64_t millis = 0;
    nap *made = (nap *)malloc(sizeof *made);
    (void)instance;
    if (!made) return PB_FAILED;
    pb_get_int(call->input, "millis", &millis);
    made->context = call->context;
    made->until = pb_now(call->context) + (uint64_t)millis * 1000000;
    future->state = made;
    future->poll = nap_poll;
    future->drop = nap_drop;
    return PB_OK;
}

/* ---- c.remember, c.greet, c.secret: the host's stores ------------------------------------------------------------- */

/* Sets a key of the tenant's store when there is a value, and answers with what is there. */
static pb_status remember(const void *instance, const pb_call *call) {
    pb_bytes key, value;
    pb_buffer buffer = pb_buffer_growing(realloc);
    char name[64];
    pb_status status;
    (void)instance;
    if (pb_get_text(call->input, "key", &key) != PB_OK || key.len >= sizeof name) {
        return pb_fail(call->out, "VALIDATION_FAILED", "parameter `key`: a text of up to 63 bytes");
    }
    memcpy(name, key.ptr, key.len);
    name[key.len] = 0;
    if (pb_get(call->input, "value", &value) == PB_OK) {
        if (value.ptr[0] == PB_VALUE_NULL) {
            pb_remove(call->context, PB_STORE_KEY_VALUE, name);
        } else {
            pb_store(call->context, PB_STORE_KEY_VALUE, name, value);
        }
    }
    status = pb_read(call->context, PB_STORE_KEY_VALUE, name, &buffer, &value);
    if (status == PB_OK) {
        pb_writer w = pb_writer_of(call->out);
        size_t map = pb_open_map(&w);
        pb_put_value(&w, "result", value);
        pb_close(&w, map);
        status = pb_written(&w);
    } else {
        status = pb_fail(call->out, "ABSENT", "nothing is under that key");
    }
    free(buffer.sink.data);
    return status;
}

static pb_status greet(const void *instance, const pb_call *call) {
    uint8_t room[256];
    pb_buffer buffer = pb_buffer_over(room, sizeof room);
    pb_bytes value, words = pb_text("Hello");
    (void)instance;
    if (pb_read(call->context, PB_STORE_VARIABLES, "greeting", &buffer, &value) == PB_OK) pb_as_text(value, &words);
    pb_log(call->context, PB_LEVEL_INFO, "greeting somebody");
    return answer_text(call->out, words);
}

static pb_status secret(const void *instance, const pb_call *call) {
    uint8_t room[256];
    pb_buffer buffer = pb_buffer_over(room, sizeof room);
    pb_bytes value, name, token;
    bool other = pb_get_text(call->input, "name", &name) == PB_OK && pb_text_is(name, "OTHER");
    pb_status status = pb_read(call->context, PB_STORE_SECRETS, other ? "OTHER" : "TOKEN", &buffer, &value);
    (void)instance;
    if (status == PB_DENIED) return pb_fail(call->out, "NOT_ALLOWED", "that secret was not declared");
    if (status != PB_OK || pb_as_text(value, &token) != PB_OK) {
        return pb_fail(call->out, "CREDENTIAL_MISSING", "the tenant has no such secret");
    }
    return answer_text(call->out, token);
}

/* ---- c.ask: calls another node and passes its answer on ---------------------------------------------------------- */

static pb_status ask(const void *instance, const pb_call *call) {
    pb_bytes node, input, value;
    pb_buffer buffer = pb_buffer_growing(realloc);
    char name[128];
    pb_status status;
    (void)instance;
    if (pb_get_text(call->input, "node", &node) != PB_OK || node.len >= sizeof name ||
        pb_get(call->input, "input", &input) != PB_OK) {
        return pb_fail(call->out, "VALIDATION_FAILED", "parameters `node` and `input` are needed");
    }
    memcpy(name, node.ptr, node.len);
    name[node.len] = 0;
    status = pb_call_node(call->context, name, input, &buffer, &value);
    status = pb_pass(call->out, status, value);
    free(buffer.sink.data);
    return status;
}

/* ---- c.clock: the time of day, when the host has a clock --------------------------------------------------------- */

static pb_status wall_clock(const void *instance, const pb_call *call) {
    uint64_t nanos;
    (void)instance;
    if (pb_wall_clock(call->context, &nanos) != PB_OK) return answer_text(call->out, pb_text("no clock"));
    return answer_int(call->out, (int64_t)nanos);
}

/* ---- c.tally, c.flow: variables as a whole; a workflow's inputs, outputs and expressions -------------------------- */

static pb_status answer_value(pb_sink *out, pb_bytes value) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w);
    pb_put_value(&w, "result", value);
    pb_close(&w, map);
    return pb_written(&w);
}

/* Adds one to the variable `tally`, whoever else does so at once, and answers with all variables. */
static pb_status tally(const void *instance, const pb_call *call) {
    pb_buffer before = pb_buffer_growing(realloc), after = pb_buffer_growing(realloc);
    pb_bytes value;
    pb_status status;
    (void)instance;
    do {
        int64_t count = 0;
        if (pb_read(call->context, PB_STORE_VARIABLES, "tally", &before, &value) == PB_OK) {
            pb_as_int(value, &count);
        } else {
            value = pb_bytes_of(NULL, 0); /* it is not there */
        }
        pb_writer w = pb_writer_of(&after.sink);
        pb_write_int(&w, count + 1);
        status = pb_replace(call->context, PB_STORE_VARIABLES, "tally", value, pb_buffer_value(&after));
    } while (status == PB_DIFFERS);
    if (status == PB_OK) status = pb_variables(call->context, &before, &value);
    status = status == PB_OK ? answer_value(call->out, value)
                             : pb_fail(call->out, "UNSUPPORTED", "the host does not count");
    free(before.sink.data);
    free(after.sink.data);
    return status;
}

/* Binds the first value at input 0 to `item`, answers with what the expression gives, and leaves by output 3. */
static pb_status flow(const void *instance, const pb_call *call) {
    pb_buffer input = pb_buffer_growing(realloc), bound = pb_buffer_growing(realloc);
    pb_buffer given = pb_buffer_growing(realloc);
    pb_bytes values, item, expression, value = pb_bytes_of(NULL, 0);
    pb_status status = pb_input(call->context, 0, &input, &values);
    (void)instance;
    if (status == PB_OK) status = pb_item(values, 0, &item);
    if (status == PB_OK) status = pb_get(call->input, "expression", &expression);
    if (status == PB_OK) {
        pb_writer w = pb_writer_of(&bound.sink);
        size_t map = pb_open_map(&w);
        pb_put_value(&w, "item", item);
        pb_close(&w, map);
        status = pb_evaluate(call->context, PB_EVALUATION_EXPRESSION, expression, pb_buffer_value(&bound), &given, &value);
    }
    if (status == PB_OK) status = pb_select_output(call->context, 3);
    if (status == PB_OK) {
        status = answer_value(call->out, value);
    } else if (status == PB_FAILED) {
        status = pb_pass(call->out, status, value);
    } else {
        status = pb_fail(call->out, status == PB_UNSUPPORTED ? "UNSUPPORTED" : "VALIDATION_FAILED", "it cannot be asked");
    }
    free(input.sink.data);
    free(bound.sink.data);
    free(given.sink.data);
    return status;
}

/* ---- The tables and the metadata ---------------------------------------------------------------------------------- */

#define PLAIN(name, execute)                                                                                           \
    {sizeof(pb_node_table), 0, PB_LITERAL(name), pb_create_nothing, pb_destroy_nothing, execute, NULL, NULL, NULL}

static const pb_node_table nodes[] = {
    PLAIN("c.version", version),
    PLAIN("c.invoice", invoice),
    PLAIN("c.fail", fail),
    {sizeof(pb_node_table), PB_NODE_FLAGS_STATEFUL, PB_LITERAL("c.counter"), counter_create, counter_destroy,
     counter_execute, NULL, counter_save, counter_load},
    {sizeof(pb_node_table), PB_NODE_FLAGS_ASYNC, PB_LITERAL("c.sleep"), pb_create_nothing, pb_destroy_nothing, NULL,
     nap_start, NULL, NULL},
    PLAIN("c.remember", remember),
    PLAIN("c.greet", greet),
    PLAIN("c.secret", secret),
    PLAIN("c.ask", ask),
    PLAIN("c.clock", wall_clock),
    PLAIN("c.tally", tally),
    PLAIN("c.flow", flow),
};

/* {"type": "object", "properties": {NAME: {"type": TYPE}}, "required": [NAME]} */
static void schema(pb_writer *w, const char *key, const char *name, const char *type) {
    size_t map = pb_put_map(w, key);
    pb_put_text(w, "type", pb_text("object"));
    size_t properties = pb_put_map(w, "properties");
    size_t property = pb_put_map(w, name);
    pb_put_text(w, "type", pb_text(type));
    pb_close(w, property);
    pb_close(w, properties);
    size_t required = pb_put_list(w, "required");
    pb_write_text(w, pb_text(name));
    pb_close(w, required);
    pb_close(w, map);
}

static void example(pb_writer *w) {
    size_t list = pb_put_list(w, "examples");
    size_t map = pb_open_map(w);
    pb_put_text(w, "title", pb_text("the version"));
    pb_close(w, pb_put_map(w, "input"));
    size_t output = pb_put_map(w, "output");
    pb_put_text(w, "result", pb_text(VERSION));
    pb_close(w, output);
    pb_close(w, map);
    pb_close(w, list);
}

static pb_status describe(pb_sink *out) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w), list, n;
    pb_put_text(&w, "name", pb_text("native-c"));
    pb_put_text(&w, "version", pb_text(VERSION));
    pb_put_text(&w, "description", pb_text("Everything the contract offers, in C."));
    pb_put_text(&w, "hostApi", pb_text("^1.0.0"));
    list = pb_put_list(&w, "nodes");
    for (n = 0; n < sizeof nodes / sizeof *nodes; n++) {
        size_t node = pb_open_map(&w);
        pb_put_text(&w, "nodeType", nodes[n].node_type);
        pb_put_text(&w, "version", pb_text(VERSION));
        pb_put_text(&w, "hostApi", pb_text("^1.0.0"));
        pb_put_bool(&w, "isAsync", (nodes[n].flags & PB_NODE_FLAGS_ASYNC) != 0);
        pb_put_bool(&w, "stateful", (nodes[n].flags & PB_NODE_FLAGS_STATEFUL) != 0);
        if (nodes[n].execute == version) {
            pb_put_text(&w, "effect", pb_text("pure"));
            schema(&w, "result", "result", "string");
            example(&w);
        } else if (nodes[n].execute == invoice) {
            schema(&w, "parameters", "customer", "string");
        } else if (nodes[n].execute == secret) {
            size_t names = pb_put_list(&w, "capabilities");
            pb_write_text(&w, pb_text("secrets"));
            pb_close(&w, names);
            names = pb_put_list(&w, "secrets");
            pb_write_text(&w, pb_text("TOKEN"));
            pb_close(&w, names);
        }
        pb_close(&w, node);
    }
    pb_close(&w, list);
    pb_close(&w, map);
    return pb_written(&w);
}

PB_PLUGIN(nodes, describe, pb_start_nothing, pb_shutdown_nothing);

// A plugin in C++ that does what plugin.c does, with exceptions inside. Compiled with -DVERSION="\"1.0.0\"".
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "patchbay.h"

PB_NOTE("native-cxx", VERSION);

namespace {

// A failure of the node, thrown anywhere below `fenced`.
struct Failure : std::runtime_error {
    Failure(const char *code, const char *message, pb_retry retry = PB_RETRY_UNSAID)
        : std::runtime_error(message), code(code), retry(retry) {}
    const char *code;
    pb_retry retry;
};

// The fence: what is thrown on purpose is a failure, everything else a panic. Nothing is thrown across the line.
template <typename Body> pb_status fenced(pb_sink *out, Body &&body) noexcept {
    return pb_fenced(out, [&]() -> pb_status {
        try {
            return body();
        } catch (const Failure &failure) {
            return pb_fail_retryable(out, failure.code, failure.what(), failure.retry);
        }
    });
}

std::string text(pb_bytes map, const char *key) {
    pb_bytes value;
    if (pb_get_text(map, key, &value) != PB_OK) throw Failure("VALIDATION_FAILED", "a text is missing");
    return std::string(reinterpret_cast<const char *>(value.ptr), value.len);
}

pb_bytes bytes(const std::string &text) { return pb_bytes_of(text.data(), text.size()); }

// A buffer that frees itself.
struct Buffer : pb_buffer {
    Buffer() : pb_buffer(pb_buffer_growing(std::realloc)) {}
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    ~Buffer() { std::free(sink.data); }
};

template <typename Write> pb_status answer(pb_sink *out, Write &&write) {
    pb_writer w = pb_writer_of(out);
    size_t map = pb_open_map(&w);
    pb_key(&w, "result");
    write(&w);
    pb_close(&w, map);
    return pb_written(&w);
}
pb_status answer_text(pb_sink *out, const std::string &of) {
    return answer(out, [&](pb_writer *w) { pb_write_text(w, bytes(of)); });
}
pb_status answer_int(pb_sink *out, int64_t of) {
    return answer(out, [&](pb_writer *w) { pb_write_int(w, of); });
}

pb_status version(const void *, const pb_call *call) {
    return fenced(call->out, [&] { return answer_text(call->out, VERSION); });
}

pb_status invoice(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        std::string customer = text(call->input, "customer");
        pb_bytes lines, line;
        if (pb_get(call->input, "lines", &lines) != PB_OK) throw Failure("VALIDATION_FAILED", "there are no lines");
        return answer(call->out, [&](pb_writer *w) {
            double total = 0;
            size_t result = pb_open_map(w);
            pb_put_text(w, "customer", bytes(customer));
            size_t counts = pb_put_map(w, "counts");
            for (pb_items each = pb_each(lines); pb_next(&each, nullptr, &line);) {
                double price;
                int64_t count;
                if (pb_get_float(line, "price", &price) != PB_OK || pb_get_int(line, "count", &count) != PB_OK) {
                    throw Failure("VALIDATION_FAILED", "a line has an item, a price and a count");
                }
                total += price * static_cast<double>(count);
                pb_write_key(w, bytes(text(line, "item")));
                pb_write_int(w, count);
            }
            pb_close(w, counts);
            pb_put_float(w, "total", total);
            pb_put_value(w, "lines", lines);
            pb_close(w, result);
        });
    });
}

pb_status fail(const void *, const pb_call *call) {
    return fenced(call->out, [&]() -> pb_status {
        bool retryable;
        pb_status said = pb_get_bool(call->input, "retryable", &retryable);
        if (said == PB_MALFORMED) throw Failure("VALIDATION_FAILED", "parameter `retryable`: a bool");
        throw Failure("NATIVE_FAILURE", "as it was told",
                      said != PB_OK ? PB_RETRY_UNSAID : retryable ? PB_RETRY_MAY_HELP : PB_RETRY_IS_USELESS);
    });
}

// Throws what is no failure: a panic, as the host sees it.
pb_status throws(const void *, const pb_call *call) {
    return fenced(call->out, [&]() -> pb_status {
        bool odd = false;
        pb_get_bool(call->input, "odd", &odd);
        if (odd) throw 7;
        throw std::logic_error("thrown on purpose");
    });
}

struct Counter {
    std::atomic<int64_t> value{0};
    std::atomic<bool> poisoned{false};
};

pb_status counter_create(pb_bytes config, const pb_context *, void **instance, pb_sink *out) {
    return fenced(out, [&] {
        auto made = std::make_unique<Counter>();
        int64_t start = 0;
        pb_get_int(config, "start", &start);
        made->value = start;
        *instance = made.release();
        return PB_OK;
    });
}
void counter_destroy(void *instance) { delete static_cast<Counter *>(instance); }
pb_status counter_execute(const void *instance, const pb_call *call) {
    auto *of = static_cast<Counter *>(const_cast<void *>(instance));
    if (of->poisoned) return PB_POISONED;
    pb_status status = fenced(call->out, [&] {
        int64_t by = 1;
        if (pb_get_int(call->input, "by", &by) == PB_MALFORMED) {
            throw Failure("VALIDATION_FAILED", "parameter `by`: an integer");
        }
        if (by == 13) throw std::logic_error("unlucky");
        return answer_int(call->out, of->value += by);
    });
    // No instance survives a panic.
    if (status == PB_PANICKED) of->poisoned = true;
    return status;
}
pb_status counter_save(const void *instance, pb_sink *out) {
    pb_writer w = pb_writer_of(out);
    pb_write_int(&w, static_cast<const Counter *>(instance)->value);
    return pb_written(&w);
}
pb_status counter_load(void *instance, pb_bytes, pb_bytes state, pb_sink *out) {
    int64_t value;
    if (pb_as_int(state, &value) != PB_OK) return pb_fail(out, "EXECUTION_ERROR", "the state is no integer");
    static_cast<Counter *>(instance)->value = value;
    return PB_OK;
}

struct Nap {
    const pb_context *context;
    uint64_t until;
};
pb_status nap_poll(void *state, const pb_waker_handle *waker, pb_sink *out) {
    return fenced(out, [&] {
        auto *of = static_cast<Nap *>(state);
        pb_status asked = pb_check(of->context, out);
        if (asked != PB_OK) return asked;
        uint64_t now = pb_now(of->context);
        if (now >= of->until) return answer_text(out, "slept");
        asked = pb_wake_after(of->context, of->until - now, waker);
        if (asked != PB_OK) throw Failure("UNSUPPORTED", "the host refused a timer");
        return pb_status{PB_PENDING};
    });
}
void nap_drop(void *state) { delete static_cast<Nap *>(state); }
pb_status nap_start(const void *, const pb_call *call, pb_future_handle *future) try {
    int64_t millis = 0;
    pb_get_int(call->input, "millis", &millis);
    auto nap = std::make_unique<Nap>();
    nap->context = call->context;
    nap->until = pb_now(call->context) + static_cast<uint64_t>(millis) * 1000000;
    *future = pb_future_handle{nap.release(), nap_poll, nap_drop};
    return PB_OK;
} catch (...) {
    return PB_PANICKED;
}

pb_status remember(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        std::string key = text(call->input, "key");
        pb_bytes value;
        if (pb_get(call->input, "value", &value) == PB_OK) {
            if (value.ptr[0] == PB_VALUE_NULL) {
                pb_remove(call->context, PB_STORE_KEY_VALUE, key.c_str());
            } else {
                pb_store(call->context, PB_STORE_KEY_VALUE, key.c_str(), value);
            }
        }
        Buffer buffer;
        if (pb_read(call->context, PB_STORE_KEY_VALUE, key.c_str(), &buffer, &value) != PB_OK) {
            throw Failure("ABSENT", "nothing is under that key");
        }
        return answer(call->out, [&](pb_writer *w) { pb_write_value(w, value); });
    });
}

pb_status greet(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        Buffer buffer;
        pb_bytes value, words = pb_text("Hello");
        if (pb_read(call->context, PB_STORE_VARIABLES, "greeting", &buffer, &value) == PB_OK) pb_as_text(value, &words);
        pb_log(call->context, PB_LEVEL_INFO, "greeting somebody");
        return answer(call->out, [&](pb_writer *w) { pb_write_text(w, words); });
    });
}

pb_status secret(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        Buffer buffer;
        pb_bytes value, name, token;
        bool other = pb_get_text(call->input, "name", &name) == PB_OK && pb_text_is(name, "OTHER");
        pb_status status = pb_read(call->context, PB_STORE_SECRETS, other ? "OTHER" : "TOKEN", &buffer, &value);
        if (status == PB_DENIED) throw Failure("NOT_ALLOWED", "that secret was not declared");
        if (status != PB_OK || pb_as_text(value, &token) != PB_OK) {
            throw Failure("CREDENTIAL_MISSING", "the tenant has no such secret");
        }
        return answer(call->out, [&](pb_writer *w) { pb_write_text(w, token); });
    });
}

pb_status ask(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        Buffer buffer;
        pb_bytes input, value;
        std::string node = text(call->input, "node");
        if (pb_get(call->input, "input", &input) != PB_OK) throw Failure("VALIDATION_FAILED", "there is no input");
        pb_status status = pb_call_node(call->context, node.c_str(), input, &buffer, &value);
        return pb_pass(call->out, status, value);
    });
}

pb_status wall_clock(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        uint64_t nanos;
        if (pb_wall_clock(call->context, &nanos) != PB_OK) return answer_text(call->out, "no clock");
        return answer_int(call->out, static_cast<int64_t>(nanos));
    });
}

// Adds one to the variable `tally`, whoever else does so at once, and answers with all variables.
pb_status tally(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        Buffer before, after;
        pb_bytes value;
        pb_status status;
        do {
            int64_t count = 0;
            if (pb_read(call->context, PB_STORE_VARIABLES, "tally", &before, &value) == PB_OK) {
                pb_as_int(value, &count);
            } else {
                value = pb_bytes_of(nullptr, 0); // it is not there
            }
            pb_writer w = pb_writer_of(&after.sink);
            pb_write_int(&w, count + 1);
            status = pb_replace(call->context, PB_STORE_VARIABLES, "tally", value, pb_buffer_value(&after));
        } while (status == PB_DIFFERS);
        if (status == PB_OK) status = pb_variables(call->context, &before, &value);
        if (status != PB_OK) throw Failure("UNSUPPORTED", "the host does not count");
        return answer(call->out, [&](pb_writer *w) { pb_write_value(w, value); });
    });
}

// Binds the first value at input 0 to `item`, answers with what the expression gives, and leaves by output 3.
pb_status flow(const void *, const pb_call *call) {
    return fenced(call->out, [&] {
        auto needed = [](pb_status status) {
            if (status == PB_UNSUPPORTED) throw Failure("UNSUPPORTED", "it cannot be asked");
            if (status != PB_OK) throw Failure("VALIDATION_FAILED", "it cannot be asked");
        };
        Buffer input, bound, given;
        pb_bytes values, item, expression, value;
        needed(pb_input(call->context, 0, &input, &values));
        needed(pb_item(values, 0, &item));
        needed(pb_get(call->input, "expression", &expression));
        pb_writer w = pb_writer_of(&bound.sink);
        size_t map = pb_open_map(&w);
        pb_put_value(&w, "item", item);
        pb_close(&w, map);
        pb_bytes bindings = pb_buffer_value(&bound);
        pb_status status =
            pb_evaluate(call->context, PB_EVALUATION_EXPRESSION, expression, bindings, &given, &value);
        if (status == PB_FAILED) return pb_pass(call->out, status, value);
        needed(status);
        needed(pb_select_output(call->context, 3));
        return answer(call->out, [&](pb_writer *of) { pb_write_value(of, value); });
    });
}

#define PLAIN(name, execute)                                                                                           \
    {sizeof(pb_node_table), 0, PB_LITERAL(name), pb_create_nothing, pb_destroy_nothing, execute, nullptr, nullptr, nullptr}

const pb_node_table nodes[] = {
    PLAIN("cxx.version", version),
    PLAIN("cxx.invoice", invoice),
    PLAIN("cxx.fail", fail),
    {sizeof(pb_node_table), PB_NODE_FLAGS_STATEFUL, PB_LITERAL("cxx.counter"), counter_create, counter_destroy,
     counter_execute, nullptr, counter_save, counter_load},
    {sizeof(pb_node_table), PB_NODE_FLAGS_ASYNC, PB_LITERAL("cxx.sleep"), pb_create_nothing, pb_destroy_nothing,
     nullptr, nap_start, nullptr, nullptr},
    PLAIN("cxx.remember", remember),
    PLAIN("cxx.greet", greet),
    PLAIN("cxx.secret", secret),
    PLAIN("cxx.ask", ask),
    PLAIN("cxx.clock", wall_clock),
    PLAIN("cxx.tally", tally),
    PLAIN("cxx.flow", flow),
    PLAIN("cxx.throws", throws),
};

// Opens a map or list, and ends it with the scope.
struct Scope {
    Scope(pb_writer *w, size_t place) : w(w), place(place) {}
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;
    ~Scope() { pb_close(w, place); }
    pb_writer *w;
    size_t place;
};

void words(pb_writer *w, const char *key, const char *word) {
    Scope list(w, pb_put_list(w, key));
    pb_write_text(w, pb_text(word));
}

void schema(pb_writer *w, const char *key, const char *name, const char *type) {
    Scope map(w, pb_put_map(w, key));
    pb_put_text(w, "type", pb_text("object"));
    {
        Scope properties(w, pb_put_map(w, "properties"));
        Scope property(w, pb_put_map(w, name));
        pb_put_text(w, "type", pb_text(type));
    }
    words(w, "required", name);
}

void example(pb_writer *w) {
    Scope list(w, pb_put_list(w, "examples"));
    Scope map(w, pb_open_map(w));
    pb_put_text(w, "title", pb_text("the version"));
    { Scope input(w, pb_put_map(w, "input")); }
    Scope output(w, pb_put_map(w, "output"));
    pb_put_text(w, "result", pb_text(VERSION));
}

void describe_node(pb_writer *w, const pb_node_table &table) {
    Scope node(w, pb_open_map(w));
    pb_put_text(w, "nodeType", table.node_type);
    pb_put_text(w, "version", pb_text(VERSION));
    pb_put_text(w, "hostApi", pb_text("^1.0.0"));
    pb_put_bool(w, "isAsync", (table.flags & PB_NODE_FLAGS_ASYNC) != 0);
    pb_put_bool(w, "stateful", (table.flags & PB_NODE_FLAGS_STATEFUL) != 0);
    if (table.execute == version) {
        pb_put_text(w, "effect", pb_text("pure"));
        schema(w, "result", "result", "string");
        example(w);
    } else if (table.execute == invoice) {
        schema(w, "parameters", "customer", "string");
    } else if (table.execute == secret) {
        words(w, "capabilities", "secrets");
        words(w, "secrets", "TOKEN");
    }
}

pb_status describe(pb_sink *out) {
    pb_writer w = pb_writer_of(out);
    {
        Scope map(&w, pb_open_map(&w));
        pb_put_text(&w, "name", pb_text("native-cxx"));
        pb_put_text(&w, "version", pb_text(VERSION));
        pb_put_text(&w, "description", pb_text("Everything the contract offers, in C++."));
        pb_put_text(&w, "hostApi", pb_text("^1.0.0"));
        Scope list(&w, pb_put_list(&w, "nodes"));
        for (const auto &table : nodes) describe_node(&w, table);
    }
    return pb_written(&w);
}

} // namespace

PB_PLUGIN(nodes, describe, pb_start_nothing, pb_shutdown_nothing);

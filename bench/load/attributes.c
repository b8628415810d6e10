// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes as instrumentation libraries write them (OpenTelemetry semantic conventions: HTTP, network,
 * code).
 */
#include <config.h>

#include <stdio.h>

#include "bench/load/load.h"

uint64_t load_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct choice {
    const char *key;
    const char *values[4]; /* NULL: a number from `low` on */
    int64_t low, range;
};

static const struct choice span_choices[] = {
    { "http.request.method", { "GET", "POST", "PUT", "GET" }, 0, 0 },
    { "http.response.status_code", { NULL }, 200, 4 },
    { "url.path", { "/api/v1/orders/42", "/api/v1/carts", "/healthz", "/api/v1/products/1138" }, 0, 0 },
    { "server.address", { "shop.example.com", "api.example.com", "10.3.4.5", "cart.internal" }, 0, 0 },
    { "server.port", { NULL }, 8080, 8 },
    { "thread.id", { NULL }, 1, 64 },
    { "client.address", { "10.1.2.3", "10.1.7.9", "192.0.2.17", "198.51.100.4" }, 0, 0 },
    { "url.scheme", { "https", "http", "https", "https" }, 0, 0 },
    { "http.route", { "/api/v1/orders/{id}", "/api/v1/carts", "/healthz", "/api/v1/products/{id}" }, 0, 0 },
    { "user_agent.original",
      { "curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64)", "okhttp/4.12", "Go-http-client/2.0" },
      0,
      0 },
    { "network.protocol.version", { "1.1", "2", "1.1", "2" }, 0, 0 },
    { "http.response.body.size", { NULL }, 120, 20000 },
    { "code.function.name", { "handleOrder", "addToCart", "check", "showProduct" }, 0, 0 },
    { "db.system.name", { "postgresql", "redis", "mysql", "postgresql" }, 0, 0 },
};
static const struct choice log_choices[] = {
    { "log.iostream", { "stdout", "stderr", "stdout", "stdout" }, 0, 0 },
    { "thread.name", { "worker-1", "worker-2", "http-nio-8080", "main" }, 0, 0 },
    { "http.response.status_code", { NULL }, 200, 4 },
    { "code.function.name", { "handleOrder", "addToCart", "check", "showProduct" }, 0, 0 },
    { "enduser.id", { "u-1029", "u-4711", "u-77", "u-300012" }, 0, 0 },
    { "url.path", { "/api/v1/orders/42", "/api/v1/carts", "/healthz", "/api/v1/products/1138" }, 0, 0 },
    { "thread.id", { NULL }, 1, 64 },
};
static const struct choice point_choices[] = {
    { "http.request.method", { "GET", "POST", "PUT", "DELETE" }, 0, 0 },
    { "http.route", { "/api/v1/orders/{id}", "/api/v1/carts", "/healthz", "/api/v1/products/{id}" }, 0, 0 },
    { "http.response.status_code", { NULL }, 200, 4 },
    { "server.address", { "shop.example.com", "api.example.com", "10.3.4.5", "cart.internal" }, 0, 0 },
    { "server.port", { NULL }, 8080, 8 },
};

static const struct choice *find(enum weir_signal signal, unsigned index)
{
    switch (signal) {
    case WEIR_TRACES:
        return index < WEIR_ARRAY_LENGTH(span_choices) ? &span_choices[index] : NULL;
    case WEIR_LOGS:
        return index < WEIR_ARRAY_LENGTH(log_choices) ? &log_choices[index] : NULL;
    default:
        return index < WEIR_ARRAY_LENGTH(point_choices) ? &point_choices[index] : NULL;
    }
}

static struct weir_str copy(struct weir_arena *arena, const char *text)
{
    return weir_arena_copy(arena, weir_str_of(text));
}

/* Text of exactly `size` bytes that begins with `start`. */
static struct weir_str stretch(struct weir_arena *arena, const char *start, unsigned size, uint64_t seed)
{
    char *text = weir_arena_alloc(arena, size);
    size_t length = strlen(start);
    for (unsigned i = 0; text && i < size; i++)
        text[i] = i < length ? start[i] : (char)('a' + load_random(&seed) % 26);
    return weir_str_make(text, text ? size : 0);
}

struct weir_attribute load_attribute(enum weir_signal signal, unsigned index, uint64_t seed, unsigned size,
                                     struct weir_arena *arena)
{
    const struct choice *choice = find(signal, index);
    struct weir_attribute attribute;
    char own_key[32];
    uint64_t state = seed + index;
    uint64_t random = load_random(&state);
    if (!choice) {
        snprintf(own_key, sizeof own_key, "app.attribute.%u", index);
        attribute.key = copy(arena, own_key);
        attribute.value = weir_value_string(stretch(arena, "value-", size ? size : 16, random));
        return attribute;
    }
    attribute.key = weir_str_of(choice->key);
    if (!choice->values[0]) {
        attribute.value = weir_value_int(choice->low + (int64_t)(random % (uint64_t)choice->range));
    } else {
        const char *text = choice->values[random % 4];
        attribute.value = weir_value_string(size ? stretch(arena, text, size, random) : weir_str_of(text));
    }
    return attribute;
}

size_t load_resource(uint64_t seed, struct weir_attribute *out, struct weir_arena *arena)
{
    static const char *const services[] = { "checkout", "cart",     "catalogue", "payment",
                                            "shipping", "frontend", "search",    "recommendation" };
    char instance[48];
    uint64_t state = seed;
    uint64_t random = load_random(&state);
    snprintf(instance, sizeof instance, "%08x-%04x-4000-8000-%012llx", (unsigned)random,
             (unsigned)(random >> 48), (unsigned long long)(load_random(&state) >> 16));
    size_t count = 0;
    out[count++] = (struct weir_attribute){ WEIR_STR("service.name"),
                                            weir_value_string(weir_str_of(services[random % 8])) };
    out[count++] =
        (struct weir_attribute){ WEIR_STR("service.version"), weir_value_string(WEIR_STR("2.17.3")) };
    out[count++] =
        (struct weir_attribute){ WEIR_STR("service.instance.id"), weir_value_string(copy(arena, instance)) };
    out[count++] =
        (struct weir_attribute){ WEIR_STR("host.name"), weir_value_string(WEIR_STR("node-17.example")) };
    out[count++] = (struct weir_attribute){ WEIR_STR("os.type"), weir_value_string(WEIR_STR("linux")) };
    out[count++] =
        (struct weir_attribute){ WEIR_STR("process.pid"), weir_value_int(1000 + (int64_t)(random % 30000)) };
    out[count++] = (struct weir_attribute){ WEIR_STR("telemetry.sdk.name"),
                                            weir_value_string(WEIR_STR("opentelemetry")) };
    out[count++] =
        (struct weir_attribute){ WEIR_STR("telemetry.sdk.language"), weir_value_string(WEIR_STR("java")) };
    return count;
}

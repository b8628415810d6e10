// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/slices.h"

#include <stdlib.h>

#include <weir/json.h>

/* A text that was read. */
struct found {
    struct found *next;
    struct weir_str text;
};

/* What is read of a slice. */
struct reading {
    struct weir_json json;
    struct weir_arena arena;
    bool hostnames, nameless; /* nameless: an endpoint has no hostname */
    struct found *hosts;
    size_t count;
};

/* One endpoint. */
struct endpoint {
    struct found *addresses;
    struct weir_str hostname;
    bool ready;
};

static struct found *add(struct reading *reading, struct found *list, struct weir_str text)
{
    struct found *found = weir_arena_alloc(&reading->arena, sizeof(*found));
    if (!found) {
        weir_json_fail(&reading->json, "out of memory");
        return list;
    }
    *found = (struct found){ list, text };
    return found;
}

static struct found *read_addresses(struct reading *reading)
{
    struct weir_json *json = &reading->json;
    struct found *list = NULL;
    struct weir_str text;
    if (weir_json_null(json) || !weir_json_array(json))
        return NULL;
    while (weir_json_element(json)) {
        if (weir_json_string(json, &text) && text.length > 0)
            list = add(reading, list, text);
    }
    return list;
}

/* What is not known counts as ready (EndpointConditions). */
static bool read_ready(struct weir_json *json)
{
    bool ready = true;
    struct weir_str key;
    if (weir_json_null(json) || !weir_json_object(json))
        return true;
    while (weir_json_member(json, &key)) {
        if (!weir_str_is(key, "ready"))
            weir_json_skip(json);
        else if (!weir_json_null(json))
            weir_json_bool(json, &ready);
    }
    return ready;
}

static void take_endpoint(struct reading *reading, const struct endpoint *endpoint)
{
    if (!endpoint->ready)
        return;
    if (!reading->hostnames) {
        for (struct found *address = endpoint->addresses; address; address = address->next, reading->count++)
            reading->hosts = add(reading, reading->hosts, address->text);
    } else if (endpoint->hostname.length == 0) {
        reading->nameless = true;
    } else {
        reading->hosts = add(reading, reading->hosts, endpoint->hostname);
        reading->count++;
    }
}

static void read_endpoint(struct reading *reading)
{
    struct endpoint endpoint = { .ready = true };
    struct weir_json *json = &reading->json;
    struct weir_str key;
    if (!weir_json_object(json))
        return;
    while (weir_json_member(json, &key)) {
        if (weir_str_is(key, "addresses"))
            endpoint.addresses = read_addresses(reading);
        else if (weir_str_is(key, "conditions"))
            endpoint.ready = read_ready(json);
        else if (!weir_str_is(key, "hostname"))
            weir_json_skip(json);
        else if (!weir_json_null(json))
            weir_json_string(json, &endpoint.hostname);
    }
    take_endpoint(reading, &endpoint);
}

static void read_slice(struct reading *reading)
{
    struct weir_json *json = &reading->json;
    struct weir_str key;
    if (!weir_json_object(json))
        return;
    while (weir_json_member(json, &key)) {
        if (!weir_str_is(key, "endpoints")) {
            weir_json_skip(json);
        } else if (!weir_json_null(json) && weir_json_array(json)) {
            while (weir_json_element(json))
                read_endpoint(reading);
        }
    }
}

/* --- slices --- */

static struct slice *find(const struct slices *slices, struct weir_str name)
{
    struct slice *slice = slices->first;
    while (slice && !weir_str_is(name, slice->name))
        slice = slice->next;
    return slice;
}

static void clear(struct slice *slice)
{
    for (size_t i = 0; i < slice->count; i++)
        free(slice->hosts[i]);
    free(slice->hosts);
    slice->hosts = NULL;
    slice->count = 0;
}

static void take(struct slice *slice, const struct reading *reading)
{
    clear(slice);
    slice->hosts = weir_xcalloc(reading->count + 1, sizeof(*slice->hosts));
    for (const struct found *host = reading->hosts; host && !weir_json_failed(&reading->json); host = host->next)
        slice->hosts[slice->count++] = weir_str_dup(host->text);
}

static struct slice *make(struct slices *slices, struct weir_str name)
{
    struct slice *slice = weir_xcalloc(1, sizeof(*slice));
    slice->name = weir_str_dup(name);
    slice->next = slices->first;
    slices->first = slice;
    return slice;
}

int slices_put(struct slices *slices, struct weir_str name, struct weir_str json, bool hostnames, struct weir_error *error)
{
    struct reading reading = { .hostnames = hostnames };
    struct slice *slice = find(slices, name);
    int result = 0;
    weir_json_start(&reading.json, json.data, json.length, &reading.arena, WEIR_JSON_DEPTH);
    read_slice(&reading);
    if (!weir_json_finish(&reading.json)) {
        weir_json_error(&reading.json, error);
        result = weir_error_prefix(error, "EndpointSlice %.*s", WEIR_STR_ARG(name));
    } else if (reading.nameless) {
        result = weir_error_set(error, "EndpointSlice %.*s: an endpoint has no hostname", WEIR_STR_ARG(name));
    } else {
        if (!slice)
            slice = make(slices, name);
        take(slice, &reading);
    }
    if (slice)
        slice->listed = true;
    weir_arena_free(&reading.arena);
    return result;
}

static void remove_at(struct slice **at)
{
    struct slice *slice = *at;
    *at = slice->next;
    clear(slice);
    free(slice->name);
    free(slice);
}

void slices_remove(struct slices *slices, struct weir_str name)
{
    for (struct slice **at = &slices->first; *at; at = &(*at)->next) {
        if (weir_str_is(name, (*at)->name)) {
            remove_at(at);
            return;
        }
    }
}

void slices_begin(struct slices *slices)
{
    for (struct slice *slice = slices->first; slice; slice = slice->next)
        slice->listed = false;
}

void slices_end(struct slices *slices)
{
    struct slice **at = &slices->first;
    while (*at) {
        if ((*at)->listed)
            at = &(*at)->next;
        else
            remove_at(at);
    }
}

void slices_free(struct slices *slices)
{
    while (slices->first)
        remove_at(&slices->first);
}

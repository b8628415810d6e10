// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/route.h"

#include <stdlib.h>

/* The endpoint of each unit of a batch, in order. A unit is what cannot be cut: a span, a record, a metric, or with the keys
 * that look at them a data point. */
struct owners {
    uint16_t *items;
    size_t count, capacity;
    size_t at; /* while they are applied */
};

/* What an identifier is made of, from the outside in. */
struct place {
    const struct router *router;
    enum weir_signal signal;
    const struct weir_resource *resource;
    const struct weir_scope *scope;
    struct weir_text text; /* the identifier's room */
};

/* --- identifiers --- */

static int compare_attributes(const void *a, const void *b)
{
    const struct weir_attribute *left = *(const struct weir_attribute *const *)a;
    const struct weir_attribute *right = *(const struct weir_attribute *const *)b;
    return weir_str_compare(left->key, right->key);
}

static void add_pair(struct weir_text *text, struct weir_str key, const struct weir_value *value)
{
    weir_text_add(text, key.data, key.length);
    weir_text_addc(text, '=');
    if (value)
        weir_value_print(value, text);
    weir_text_addc(text, '|');
}

/* All of them, in the order of their keys. */
static void add_all(struct weir_text *text, const struct weir_attributes *attributes)
{
    const struct weir_attribute **sorted = weir_xcalloc(attributes->count + 1, sizeof(*sorted));
    for (size_t i = 0; i < attributes->count; i++)
        sorted[i] = &attributes->items[i];
    qsort(sorted, attributes->count, sizeof(*sorted), compare_attributes);
    for (size_t i = 0; i < attributes->count; i++)
        add_pair(text, sorted[i]->key, &sorted[i]->value);
    free(sorted);
}

static void add_service(struct place *place)
{
    const struct weir_value *name = weir_attributes_get(&place->resource->attributes, WEIR_STR("service.name"));
    if (place->signal == WEIR_TRACES)
        add_pair(&place->text, WEIR_STR("service.name"), name);
    else if (name)
        weir_value_print(name, &place->text);
}

static struct weir_str kind_name(int32_t kind)
{
    static const char *const names[] = { "Unspecified", "Internal", "Server", "Client", "Producer", "Consumer" };
    return weir_str_of(kind >= 0 && (size_t)kind < WEIR_ARRAY_LENGTH(names) ? names[kind] : "");
}

/* One of routing_attributes: of the resource, else the scope, else the item. */
static void add_attribute(struct place *place, struct weir_str key, const struct weir_attributes *own,
                          const struct weir_span *span)
{
    const struct weir_value *value = weir_attributes_get(&place->resource->attributes, key);
    struct weir_value pseudo;
    if (!value)
        value = weir_attributes_get(&place->scope->attributes, key);
    if (!value && own)
        value = weir_attributes_get(own, key);
    if (span && weir_str_is(key, "span.name")) {
        pseudo = weir_value_string(span->name);
        value = &pseudo;
    } else if (span && weir_str_is(key, "span.kind")) {
        pseudo = weir_value_string(kind_name(span->kind));
        value = &pseudo;
    }
    add_pair(&place->text, key, value);
}

static void add_attributes(struct place *place, const struct weir_attributes *own, const struct weir_span *span)
{
    for (size_t i = 0; i < place->router->attributes->count; i++)
        add_attribute(place, weir_str_of(place->router->attributes->items[i]), own, span);
}

static void add_stream(struct place *place, const struct weir_metric *metric, const struct weir_data_point *point)
{
    add_all(&place->text, &place->resource->attributes);
    weir_text_addf(&place->text, "%.*s|%.*s|", WEIR_STR_ARG(place->scope->name), WEIR_STR_ARG(place->scope->version));
    add_all(&place->text, &place->scope->attributes);
    weir_text_addf(&place->text, "%.*s|%.*s|%d|%d|%d|", WEIR_STR_ARG(metric->name), WEIR_STR_ARG(metric->unit),
                   (int)metric->type, (int)metric->temporality, metric->monotonic);
    add_all(&place->text, &point->attributes);
}

static void add_hex(struct weir_text *text, struct weir_str bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        weir_text_addf(text, "%02x", (unsigned char)bytes.data[i]);
}

/* A record without a trace may go anywhere, as upstream has it. */
static void add_any(struct weir_text *text)
{
    static _Thread_local uint64_t counter;
    weir_text_addf(text, "%llu", (unsigned long long)counter++);
}

/* --- who owns what --- */

static bool add_owner(struct owners *owners, const struct ring *ring, struct weir_str identifier)
{
    if (owners->count == owners->capacity) {
        size_t capacity = owners->capacity ? owners->capacity * 2 : 64, bytes;
        if (!weir_size_mul(capacity, sizeof(*owners->items), &bytes))
            return false;
        uint16_t *items = realloc(owners->items, bytes);
        if (!items)
            return false;
        owners->items = items;
        owners->capacity = capacity;
    }
    owners->items[owners->count++] = (uint16_t)ring_find(ring, ring_position(identifier));
    return true;
}

/* True if data points of one metric may have different owners. */
static bool by_point(const struct router *router, enum weir_signal signal)
{
    return signal == WEIR_METRICS && (router->key == ROUTE_STREAM_ID || router->key == ROUTE_ATTRIBUTES);
}

static bool own_points(struct place *place, const struct ring *ring, const struct weir_metric *metric,
                       struct owners *owners)
{
    for (size_t i = 0; i < metric->point_count; i++) {
        weir_text_clear(&place->text);
        if (place->router->key == ROUTE_STREAM_ID)
            add_stream(place, metric, &metric->points[i]);
        else
            add_attributes(place, &metric->points[i].attributes, NULL);
        if (!add_owner(owners, ring, weir_text_view(&place->text)))
            return false;
    }
    return true;
}

static bool own_span(struct place *place, const struct ring *ring, struct weir_entry *entry, struct owners *owners)
{
    struct weir_span_index index;
    if (place->router->key == ROUTE_TRACE_ID) {
        weir_entry_span_index(entry, &index);
        return add_owner(owners, ring, index.trace_id);
    }
    const struct weir_span *span = weir_entry_span(entry);
    if (!span)
        return false;
    weir_text_clear(&place->text);
    add_attributes(place, &span->attributes, span);
    return add_owner(owners, ring, weir_text_view(&place->text));
}

static bool own_record(struct place *place, const struct ring *ring, struct weir_entry *entry, struct owners *owners)
{
    const struct weir_log_record *record = weir_entry_log_record(entry);
    if (!record)
        return false;
    weir_text_clear(&place->text);
    if (place->router->key == ROUTE_ATTRIBUTES)
        add_attributes(place, &record->attributes, NULL);
    else if (record->trace_id.length)
        add_hex(&place->text, record->trace_id);
    else
        add_any(&place->text);
    return add_owner(owners, ring, weir_text_view(&place->text));
}

static bool own_metric(struct place *place, const struct ring *ring, struct weir_entry *entry, struct owners *owners)
{
    const struct weir_metric *metric = weir_entry_metric(entry);
    if (!metric)
        return false;
    return by_point(place->router, WEIR_METRICS) ? own_points(place, ring, metric, owners)
                                                 : add_owner(owners, ring, metric->name);
}

/* The keys that look at the resource only: all entries below it are one owner's. */
static bool own_alike(struct place *place, const struct ring *ring, struct weir_entry *entry, struct owners *owners)
{
    (void)entry;
    weir_text_clear(&place->text);
    if (place->router->key == ROUTE_SERVICE)
        add_service(place);
    else
        add_all(&place->text, &place->resource->attributes);
    return add_owner(owners, ring, weir_text_view(&place->text));
}

typedef bool own_entry(struct place *place, const struct ring *ring, struct weir_entry *entry, struct owners *owners);

static own_entry *owner_function(const struct place *place)
{
    if (place->router->key == ROUTE_SERVICE || place->router->key == ROUTE_RESOURCE)
        return own_alike;
    return place->signal == WEIR_TRACES ? own_span : place->signal == WEIR_LOGS ? own_record : own_metric;
}

static bool find_owners(const struct router *router, const struct ring *ring, struct weir_batch *batch,
                        struct owners *owners)
{
    struct place place = { .router = router, .signal = weir_batch_signal(batch) };
    own_entry *own = owner_function(&place);
    bool good = true;
    for (struct weir_group *group = weir_batch_first_group(batch); good && group; group = weir_group_next(group)) {
        place.resource = weir_group_resource(group);
        good = place.resource != NULL;
        for (struct weir_scope_group *scope = good ? weir_group_first_scope(group) : NULL; good && scope;
             scope = weir_scope_group_next(scope)) {
            place.scope = weir_scope_group_scope(scope);
            good = place.scope != NULL;
            for (struct weir_entry *entry = good ? weir_scope_group_first(scope) : NULL; good && entry;
                 entry = weir_entry_next(entry))
                good = own(&place, ring, entry, owners);
        }
    }
    weir_text_free(&place.text);
    return good;
}

/* --- cutting --- */

/* Leaves the points that are the endpoint's; false: memory is out. */
static bool keep_points(struct weir_entry *entry, struct owners *owners, size_t endpoint, bool *any)
{
    const struct weir_metric *metric = weir_entry_metric(entry);
    size_t mine = 0, count = metric ? metric->point_count : 0;
    const uint16_t *whose = owners->items + owners->at;
    owners->at += count;
    for (size_t i = 0; i < count; i++)
        mine += whose[i] == endpoint;
    *any = mine > 0;
    if (mine == 0 || mine == count)
        return metric != NULL;
    struct weir_metric *edited = weir_entry_edit_metric(entry);
    if (!edited)
        return false;
    edited->point_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (whose[i] == endpoint)
            edited->points[edited->point_count++] = edited->points[i];
    }
    return true;
}

static bool keep_entry(struct weir_entry *entry, struct owners *owners, bool points, size_t endpoint, bool *any)
{
    if (points)
        return keep_points(entry, owners, endpoint, any);
    *any = owners->items[owners->at++] == endpoint;
    return true;
}

static bool keep_scope(struct weir_scope_group *scope, struct owners *owners, bool points, size_t endpoint, bool *left)
{
    struct weir_entry *next;
    *left = false;
    for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = next) {
        bool any = false;
        next = weir_entry_next(entry);
        if (!keep_entry(entry, owners, points, endpoint, &any))
            return false;
        if (!any)
            weir_entry_remove(entry);
        *left = *left || any;
    }
    return true;
}

static bool keep_group(struct weir_group *group, struct owners *owners, bool points, size_t endpoint, bool *left)
{
    struct weir_scope_group *next;
    *left = false;
    for (struct weir_scope_group *scope = weir_group_first_scope(group); scope; scope = next) {
        bool any = false;
        next = weir_scope_group_next(scope);
        if (!keep_scope(scope, owners, points, endpoint, &any))
            return false;
        if (!any)
            weir_scope_group_remove(scope);
        *left = *left || any;
    }
    return true;
}

/* The endpoint's part, as a batch of its own; NULL: memory is out. */
static struct weir_batch *cut(struct weir_batch *batch, struct owners *owners, bool points, size_t endpoint)
{
    struct weir_batch *part = weir_batch_exclusive(weir_batch_ref(batch));
    struct weir_group *next;
    if (!part) {
        weir_batch_unref(batch);
        return NULL;
    }
    owners->at = 0;
    for (struct weir_group *group = weir_batch_first_group(part); group; group = next) {
        bool any = false;
        next = weir_group_next(group);
        if (!keep_group(group, owners, points, endpoint, &any)) {
            weir_batch_unref(part);
            return NULL;
        }
        if (!any)
            weir_group_remove(group);
    }
    weir_batch_commit(part);
    return part;
}

static struct routed *add_routed(struct routed *list, size_t endpoint, struct weir_batch *batch)
{
    struct routed *routed = weir_xcalloc(1, sizeof(*routed));
    *routed = (struct routed){ .next = list, .endpoint = endpoint, .batch = batch };
    return routed;
}

/* Takes the endpoints one by one, each at its first unit. */
static struct routed *cut_all(struct weir_batch *batch, struct owners *owners, bool points)
{
    struct routed *list = NULL;
    bool seen[UINT16_MAX + 1] = { false };
    for (size_t i = 0; i < owners->count; i++) {
        size_t endpoint = owners->items[i];
        if (seen[endpoint])
            continue;
        seen[endpoint] = true;
        struct weir_batch *part = cut(batch, owners, points, endpoint);
        if (!part) {
            route_free(list);
            return NULL;
        }
        list = add_routed(list, endpoint, part);
    }
    return list;
}

static bool is_one(const struct owners *owners)
{
    for (size_t i = 1; i < owners->count; i++) {
        if (owners->items[i] != owners->items[0])
            return false;
    }
    return true;
}

struct routed *route_batch(const struct router *router, const struct ring *ring, struct weir_batch *batch)
{
    struct owners owners = { 0 };
    struct routed *list = NULL;
    bool points = by_point(router, weir_batch_signal(batch));
    if (find_owners(router, ring, batch, &owners)) {
        if (is_one(&owners)) {
            list = add_routed(NULL, owners.count ? owners.items[0] : 0, batch);
        } else {
            list = cut_all(batch, &owners, points);
            if (list)
                weir_batch_unref(batch);
        }
    }
    free(owners.items);
    return list;
}

void route_free(struct routed *routed)
{
    while (routed) {
        struct routed *next = routed->next;
        weir_batch_unref(routed->batch);
        free(routed);
        routed = next;
    }
}

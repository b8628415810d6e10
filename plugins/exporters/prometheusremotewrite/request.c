// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/request.h"

#include <stdlib.h>

#include "plugins/exporters/prometheusremotewrite/message.h"

/* A request being gathered. */
struct gathering {
    struct weir_arena *arena;
    const struct prw_format *format;
    size_t most;
    void **messages;
    size_t count;
    size_t bytes;
    uint64_t items;
    struct prw_request *first, **end;
};

static bool flush(struct gathering *gathering)
{
    if (gathering->count == 0)
        return true;
    struct prw_request *request = weir_xcalloc(1, sizeof(*request));
    *gathering->end = request;
    gathering->end = &request->next;
    request->items = gathering->items;
    request->body = gathering->format->pack(gathering->messages, gathering->count, gathering->arena);
    gathering->count = gathering->bytes = 0;
    gathering->items = 0;
    return request->body != NULL;
}

static bool add(struct gathering *gathering, void *message, size_t bytes, uint64_t items)
{
    if (!message || (gathering->count && gathering->bytes + bytes >= gathering->most && !flush(gathering)))
        return false;
    gathering->messages[gathering->count++] = message;
    gathering->bytes += bytes;
    gathering->items += items;
    return true;
}

static bool add_series(struct gathering *gathering, struct series_set *set)
{
    for (struct series *series = set->first; series; series = series->next) {
        size_t bytes = 0;
        void *message = gathering->format->series(series, gathering->arena, &bytes);
        if (!add(gathering, message, bytes, series->items))
            return false;
    }
    return flush(gathering);
}

static bool add_metadata(struct gathering *gathering, struct series_set *set)
{
    gathering->format = &prw_format_metadata;
    for (struct family *family = set->families; family; family = family->next) {
        size_t bytes = 0;
        void *message = prw_metadata_message(family, gathering->arena, &bytes);
        if (!add(gathering, message, bytes, 0))
            return false;
    }
    return flush(gathering);
}

static size_t larger_count(const struct series_set *set)
{
    size_t families = 0;
    for (const struct family *family = set->families; family; family = family->next)
        families++;
    return families > set->count ? families : set->count;
}

bool prw_requests_make(enum prw_message version, struct series_set *set, size_t most, bool metadata,
                       struct prw_request **out)
{
    struct weir_arena arena = { 0 };
    struct gathering gathering = { .arena = &arena, .most = most,
                                   .format = version == PRW_V2 ? &prw_format_v2 : &prw_format_v1 };
    gathering.end = &gathering.first;
    gathering.messages = weir_arena_calloc(&arena, larger_count(set) + 1, sizeof(void *));
    bool good = gathering.messages && add_series(&gathering, set)
                && (!metadata || version == PRW_V2 || add_metadata(&gathering, set));
    weir_arena_free(&arena);
    if (good)
        *out = gathering.first;
    else
        prw_requests_free(gathering.first);
    return good;
}

void prw_requests_free(struct prw_request *requests)
{
    while (requests) {
        struct prw_request *next = requests->next;
        weir_buffer_unref(requests->body);
        free(requests);
        requests = next;
    }
}

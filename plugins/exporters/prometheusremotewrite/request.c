// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/request.h"

#include <stdlib.h>

#include "plugins/exporters/prometheusremotewrite/message.h"

/* The list in the making. */
struct gathering {
    size_t most;
    struct prw_request *first, **end;
};

/* Adds a request with this body, NULL: memory was out. */
static bool add(struct gathering *gathering, struct weir_buffer *body, uint64_t items)
{
    if (!body)
        return false;
    struct prw_request *request = weir_xcalloc(1, sizeof(*request));
    request->body = body;
    request->items = items;
    *gathering->end = request;
    gathering->end = &request->next;
    return true;
}

/* True if something of this size is not to stand in a body of these bytes. */
static bool full(const struct gathering *gathering, size_t bytes, size_t more)
{
    return bytes > 0 && bytes + more >= gathering->most;
}

static bool add_series(struct gathering *gathering, struct series *series, enum prw_message version)
{
    while (series) {
        struct series *first = series;
        size_t count = 0, bytes = 0;
        uint64_t items = 0;
        for (; series; series = series->next, count++) {
            size_t more = prw_series_measure(series);
            if (full(gathering, bytes, more))
                break;
            bytes += more;
            items += series->items;
        }
        if (!add(gathering, version == PRW_V2 ? prw_pack_v2(first, count) : prw_pack_v1(first, count, bytes), items))
            return false;
    }
    return true;
}

static bool add_metadata(struct gathering *gathering, const struct family *family)
{
    while (family) {
        const struct family *first = family;
        size_t count = 0, bytes = 0;
        for (; family; family = family->next, count++) {
            size_t more = prw_metadata_size(family);
            if (full(gathering, bytes, more))
                break;
            bytes += more;
        }
        if (!add(gathering, prw_pack_metadata(first, count, bytes), 0))
            return false;
    }
    return true;
}

bool prw_requests_make(enum prw_message version, struct series_set *set, size_t most, bool metadata,
                       struct prw_request **out)
{
    struct gathering gathering = { .most = most };
    gathering.end = &gathering.first;
    bool good = add_series(&gathering, set->first, version)
                && (!metadata || version == PRW_V2 || add_metadata(&gathering, set->families));
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

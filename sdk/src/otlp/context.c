// SPDX-License-Identifier: Apache-2.0
/*
 * Request contexts: one allocation with everything in it.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/context.h>

struct weir_context {
    uint32_t references; /* atomic */
    const char *transport;
    struct weir_str peer;
    size_t count;
    struct weir_metadata metadata[];
};

static char *put(char *at, struct weir_str from, struct weir_str *to)
{
    if (from.length > 0)
        memcpy(at, from.data, from.length);
    *to = weir_str_make(at, from.length);
    return at + from.length;
}

/* Insertion keeps the values of one key in order; requests have a dozen headers or so. */
static void insert(struct weir_metadata *sorted, size_t count, struct weir_metadata one)
{
    size_t at = count;
    while (at > 0 && weir_str_compare(sorted[at - 1].key, one.key) > 0) {
        sorted[at] = sorted[at - 1];
        at--;
    }
    sorted[at] = one;
}

struct weir_context *weir_context_new(const char *transport, struct weir_str peer,
                                      const struct weir_metadata *metadata, size_t count)
{
    size_t text = peer.length + (transport ? strlen(transport) + 1 : 0);
    for (size_t i = 0; i < count; i++)
        text += metadata[i].key.length + metadata[i].value.length;
    struct weir_context *context = weir_xmalloc(sizeof(*context) + count * sizeof(*metadata) + text);
    char *at = (char *)&context->metadata[count];
    context->references = 1;
    context->count = count;
    context->transport = NULL;
    if (transport) {
        context->transport = at;
        at = stpcpy(at, transport) + 1;
    }
    at = put(at, peer, &context->peer);
    for (size_t i = 0; i < count; i++) {
        struct weir_metadata copy;
        at = put(at, metadata[i].key, &copy.key);
        at = put(at, metadata[i].value, &copy.value);
        insert(context->metadata, i, copy);
    }
    return context;
}

struct weir_context *weir_context_ref(struct weir_context *context)
{
    __atomic_add_fetch(&context->references, 1, __ATOMIC_RELAXED);
    return context;
}

void weir_context_unref(struct weir_context *context)
{
    if (context && __atomic_sub_fetch(&context->references, 1, __ATOMIC_ACQ_REL) == 0)
        free(context);
}

const char *weir_context_transport(const struct weir_context *context)
{
    return context ? context->transport : NULL;
}

struct weir_str weir_context_peer(const struct weir_context *context)
{
    return context ? context->peer : WEIR_STR_NONE;
}

const struct weir_metadata *weir_context_metadata(const struct weir_context *context, size_t *count)
{
    *count = context ? context->count : 0;
    return context ? context->metadata : NULL;
}

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
    size_t attribute_count;
    struct weir_metadata metadata[]; /* the attributes come behind */
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

static size_t text_of(const struct weir_metadata *pairs, size_t count)
{
    size_t text = 0;
    for (size_t i = 0; i < count; i++)
        text += pairs[i].key.length + pairs[i].value.length;
    return text;
}

struct weir_context *weir_context_new_authenticated(const char *transport, struct weir_str peer,
                                                    const struct weir_metadata *metadata, size_t count,
                                                    const struct weir_metadata *attributes,
                                                    size_t attribute_count)
{
    size_t text = peer.length + (transport ? strlen(transport) + 1 : 0) + text_of(metadata, count) +
                  text_of(attributes, attribute_count);
    size_t pairs = count + attribute_count;
    struct weir_context *context = weir_xmalloc(sizeof(*context) + pairs * sizeof(*metadata) + text);
    char *at = (char *)&context->metadata[pairs];
    context->references = 1;
    context->count = count;
    context->attribute_count = attribute_count;
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
    for (size_t i = 0; i < attribute_count; i++) {
        struct weir_metadata *copy = &context->metadata[count + i];
        at = put(at, attributes[i].key, &copy->key);
        at = put(at, attributes[i].value, &copy->value);
    }
    return context;
}

struct weir_context *weir_context_new(const char *transport, struct weir_str peer,
                                      const struct weir_metadata *metadata, size_t count)
{
    return weir_context_new_authenticated(transport, peer, metadata, count, NULL, 0);
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

const struct weir_metadata *weir_context_attributes(const struct weir_context *context, size_t *count)
{
    *count = context ? context->attribute_count : 0;
    return context ? &context->metadata[context->count] : NULL;
}

static bool is_one_of(struct weir_str key, char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (weir_str_equal_nocase(key, weir_str_of(keys[i])))
            return true;
    }
    return false;
}

struct weir_context *weir_context_select(const struct weir_context *context, char *const *keys, size_t count)
{
    size_t all_count = 0, kept = 0;
    const struct weir_metadata *all = weir_context_metadata(context, &all_count);
    struct weir_metadata *selected = weir_xcalloc(all_count ? all_count : 1, sizeof(*selected));
    for (size_t i = 0; i < all_count; i++) {
        if (is_one_of(all[i].key, keys, count))
            selected[kept++] = all[i];
    }
    struct weir_context *made = weir_context_new(NULL, WEIR_STR_NONE, selected, kept);
    free(selected);
    return made;
}

bool weir_context_same_metadata(const struct weir_context *a, const struct weir_context *b)
{
    size_t a_count = 0, b_count = 0;
    const struct weir_metadata *left = weir_context_metadata(a, &a_count);
    const struct weir_metadata *right = weir_context_metadata(b, &b_count);
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        if (!weir_str_equal(left[i].key, right[i].key) || !weir_str_equal(left[i].value, right[i].value))
            return false;
    }
    return true;
}

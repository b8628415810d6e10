// SPDX-License-Identifier: Apache-2.0
/*
 * What a receiver knows of the request that brought a batch: transport and client metadata.
 */
#ifndef WEIR_CONTEXT_H
#define WEIR_CONTEXT_H

#include <weir/str.h>

WEIR_BEGIN

/* Reference-counted and unchanging once made, so that any thread may read it. */
struct weir_context;

struct weir_metadata {
    struct weir_str key; /* lower case */
    struct weir_str value;
};

/* A context with copies of everything. `transport` is a short word of the component's own ("grpc", "http"; NULL:
 * none) that labels its metrics; `peer` is "address:port" or "" . Never NULL. Any thread. */
WEIR_EXPORT struct weir_context *weir_context_new(const char *transport, struct weir_str peer,
                                                  const struct weir_metadata *metadata, size_t count) WEIR_MUST_USE;
/* The same with what an authenticator found out about the caller, kept apart from the metadata. */
WEIR_EXPORT struct weir_context *weir_context_new_authenticated(const char *transport, struct weir_str peer,
                                                                const struct weir_metadata *metadata, size_t count,
                                                                const struct weir_metadata *attributes,
                                                                size_t attribute_count) WEIR_MUST_USE;
/* One more reference, the caller's; returns its argument. Any thread. */
WEIR_EXPORT struct weir_context *weir_context_ref(struct weir_context *context);
/* Drops a reference; the last frees. Accepts NULL. Any thread. */
WEIR_EXPORT void weir_context_unref(struct weir_context *context);

/* The word it was made with; NULL: none. This and the next two accept NULL; what they return lives as long as the
 * context. Any thread. */
WEIR_EXPORT const char *weir_context_transport(const struct weir_context *context);
/* "address:port" of the client, "" when it is not known. */
WEIR_EXPORT struct weir_str weir_context_peer(const struct weir_context *context);
/* The metadata, sorted by key; the values of one key in the order they came. */
WEIR_EXPORT const struct weir_metadata *weir_context_metadata(const struct weir_context *context, size_t *count);
/* A context of nothing but the metadata of these keys, compared without case; never NULL. Any thread. */
WEIR_EXPORT struct weir_context *weir_context_select(const struct weir_context *context, char *const *keys,
                                                     size_t count) WEIR_MUST_USE;
/* True if both have the same metadata, to the order of the values of a key. Accepts NULL. Any thread. */
WEIR_EXPORT bool weir_context_same_metadata(const struct weir_context *a, const struct weir_context *b);
/* The caller's attributes, in the authenticator's order. Accepts NULL. */
WEIR_EXPORT const struct weir_metadata *weir_context_attributes(const struct weir_context *context, size_t *count);

WEIR_END

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The independent codec that ours is compared with: protobuf-c on the OTLP protos, driven by its descriptors.
 * Out of memory ends the process.
 */
#ifndef WEIR_OTLP_TESTS_ORACLE_H
#define WEIR_OTLP_TESTS_ORACLE_H

#include <protobuf-c/protobuf-c.h>

#include <weir/batch.h>

/* A seeded generator of pseudo-random numbers (splitmix64): the same seed, the same messages. */
struct oracle_random {
    uint64_t state;
    size_t budget; /* messages that may still be made */
};

uint64_t oracle_next(struct oracle_random *random);
/* 0 to below - 1. */
size_t oracle_below(struct oracle_random *random, size_t below);

/* The signal's export request. */
const ProtobufCMessageDescriptor *oracle_request(enum weir_signal signal);

/* A request with all kinds of fields, at most `messages` sub-messages; freed with
 * protobuf_c_message_free_unpacked. */
ProtobufCMessage *oracle_generate(struct oracle_random *random, enum weir_signal signal, size_t messages);

/* The packed message; the caller frees it. */
uint8_t *oracle_pack(const ProtobufCMessage *message, size_t *length);
ProtobufCMessage *oracle_unpack(enum weir_signal signal, const void *data, size_t length);

/* Drops what weir's structs do not carry and what has the same meaning when it is left out: unknown fields,
 * string indexes of profile dictionaries, singular messages that are empty, ids of zeros. */
void oracle_prune(ProtobufCMessage *message);

/* The request unpacked, pruned and packed, which the caller frees; NULL if it cannot be unpacked. */
uint8_t *oracle_canonical(enum weir_signal signal, const void *data, size_t length, size_t *out);

/* True if some message that may be there once is there twice: protobuf-c 1.4 loses scalars when it merges the
 * two. */
bool oracle_repeats(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t length);

/* A hash for each item, over the item and everything it stands below, in order; data points with their
 * metric. */
struct oracle_items {
    uint64_t *hashes;
    size_t count;
};
struct oracle_items oracle_flatten(enum weir_signal signal, ProtobufCMessage *request);
/* Appends the items of one list to another and frees it. */
void oracle_items_join(struct oracle_items *to, struct oracle_items *from);
void oracle_items_free(struct oracle_items *items);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Running both codecs on one input.
 */
#include <config.h>

#include "sdk/src/otlp/tests/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/src/otlp/tests/batches.h"

/* protobuf-c recurses as deep as its input says; this much is safe on any stack, also under sanitizers. */
#define SAFE_LENGTH 2048u

#define REQUIRE(condition)                                                  \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* protobuf-c reads a bool of any wire type: AnyValue.bool_value (2), Sum.is_monotonic (3). */
static bool is_bool_of_any_type(const uint8_t *data, size_t length, const char *reason)
{
    const char *at = strrchr(reason, '(');
    size_t place;
    if (!strstr(reason, "a known field of the wrong wire type") || !at || sscanf(at, "(byte %zu)", &place) != 1)
        return false;
    REQUIRE(place < length);
    unsigned field = (data[place] & 0x7fu) >> 3;
    return (field == 2 && strncmp(reason, "AnyValue ", 9) == 0) || (field == 3 && strncmp(reason, "Sum ", 4) == 0);
}

static void check_refusal(enum weir_signal signal, const uint8_t *data, size_t length, const char *reason)
{
    static const char *const ours[] = { "an id that is not of", "a string that is not UTF-8",
                                        "nested too deeply", "a field of number 0", "of more than 32 bits" };
    REQUIRE(reason[0] != '\0');
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(ours); i++) {
        if (strstr(reason, ours[i]))
            return;
    }
    ProtobufCMessage *request = oracle_unpack(signal, data, length);
    if (request && is_bool_of_any_type(data, length, reason)) {
        protobuf_c_message_free_unpacked(request, NULL);
        return;
    }
    if (request)
        fprintf(stderr, "only we refuse it: %s\n", reason);
    REQUIRE(!request);
}

/* Takes the batch apart; the pieces together have the items that it had, and the same ones if `same`. */
static void check_split(struct weir_batch *batch, size_t piece, bool same)
{
    struct oracle_items whole = batch_items(batch), all = { NULL, 0 };
    while (weir_batch_items(batch) > piece) {
        struct weir_batch *head = weir_batch_split(batch, piece);
        REQUIRE(head && weir_batch_items(head) == piece);
        struct oracle_items items = batch_items(head);
        REQUIRE(items.count == piece);
        batch_walk(head);
        oracle_items_join(&all, &items);
        weir_batch_unref(head);
    }
    struct oracle_items rest = batch_items(batch);
    oracle_items_join(&all, &rest);
    REQUIRE(all.count == whole.count);
    REQUIRE(!same || all.count == 0 ||
            memcmp(all.hashes, whole.hashes, all.count * sizeof(*all.hashes)) == 0);
    oracle_items_free(&all);
    oracle_items_free(&whole);
}

bool compare_codecs(enum weir_signal signal, const uint8_t *data, size_t length)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct oracle_random random = { .state = length };
    struct weir_batch *batch = batch_try(signal, data, length, &error);
    if (!batch && length <= SAFE_LENGTH)
        check_refusal(signal, data, length, weir_error_text(&error));
    weir_error_free(&error);
    if (!batch)
        return false;
    if (signal != WEIR_PROFILES) { /* which we do not look into */
        ProtobufCMessage *request = oracle_unpack(signal, data, length);
        REQUIRE(request);
        protobuf_c_message_free_unpacked(request, NULL);
        struct weir_batch *shared = weir_batch_ref(batch), *copy;
        bool repeats = oracle_repeats(oracle_request(signal), data, length);
        batch_walk(batch);
        copy = weir_batch_exclusive(shared);
        batch_touch(copy, &random, 1 + length % 3);
        if (!repeats)
            batch_same(copy, batch);
        check_split(copy, 1 + length % 5, !repeats);
        weir_batch_unref(copy);
        check_split(batch, 1 + length % 7, !repeats);
    }
    weir_batch_unref(batch);
    return true;
}

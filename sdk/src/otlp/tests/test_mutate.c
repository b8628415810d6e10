// SPDX-License-Identifier: Apache-2.0
/*
 * Mutated requests: both codecs must agree on what is broken, and on what is not.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/tests/compare.h"
#include "tests/unit/suite.h"

#define CASES 60000
#define ROOM 4096

/* Overwrites, inserts, removes or repeats a few bytes; returns the new length. */
static size_t mutate(struct oracle_random *random, uint8_t *bytes, size_t length)
{
    size_t at = oracle_below(random, length + 1), size = 1 + oracle_below(random, 8), from;
    switch (oracle_below(random, 5)) {
    case 0:
        if (at < length)
            bytes[at] ^= (uint8_t)(1 << oracle_below(random, 8));
        return length;
    case 1:
        if (at < length)
            bytes[at] = (uint8_t)oracle_next(random);
        return length;
    case 2:
        size = size > length - at ? length - at : size;
        memmove(bytes + at, bytes + at + size, length - at - size);
        return length - size;
    case 3:
        if (length + size > ROOM)
            return length;
        memmove(bytes + at + size, bytes + at, length - at);
        for (size_t i = 0; i < size; i++)
            bytes[at + i] = (uint8_t)oracle_next(random);
        return length + size;
    default:
        from = oracle_below(random, length + 1);
        size = oracle_below(random, length - from + 1);
        if (length + size > ROOM)
            return length;
        memmove(bytes + at + size, bytes + at, length - at);
        memmove(bytes + at, bytes + from, size);
        return length + size;
    }
}

START_TEST(both_codecs_agree_on_mutated_requests)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 500 + (uint64_t)_i };
    uint8_t bytes[ROOM + 16];
    size_t accepted = 0;
    for (unsigned i = 0; i < CASES;) {
        size_t packed_length;
        ProtobufCMessage *request = oracle_generate(&random, signal, 1 + oracle_below(&random, 30));
        uint8_t *packed = oracle_pack(request, &packed_length);
        for (unsigned k = 0; k < 30 && packed_length <= ROOM; k++, i++) {
            size_t length = packed_length;
            memcpy(bytes, packed, length);
            for (size_t n = 1 + oracle_below(&random, 3); n > 0; n--)
                length = mutate(&random, bytes, length);
            accepted += compare_codecs(signal, bytes, length);
        }
        free(packed);
        protobuf_c_message_free_unpacked(request, NULL);
    }
    ck_assert_uint_gt(accepted, CASES / 20);
    ck_assert_uint_lt(accepted, CASES - CASES / 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mutate");
    TCase *tests = tcase_create("mutate");
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, both_codecs_agree_on_mutated_requests, 0, WEIR_SIGNALS);
    return run_suite(suite);
}

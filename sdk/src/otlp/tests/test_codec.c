// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding, editing, making and encoding, compared with protobuf-c.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/tests/batches.h"
#include "tests/unit/suite.h"

#define CASES 6000

struct sample {
    ProtobufCMessage *request;
    uint8_t *bytes;
    size_t length;
};

static struct sample make_sample(struct oracle_random *random, enum weir_signal signal)
{
    struct sample sample;
    sample.request = oracle_generate(random, signal, oracle_below(random, 200));
    sample.bytes = oracle_pack(sample.request, &sample.length);
    return sample;
}

static void free_sample(struct sample *sample)
{
    protobuf_c_message_free_unpacked(sample->request, NULL);
    free(sample->bytes);
}

START_TEST(made_batches_are_encoded_as_the_other_codec_does)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 100 + (uint64_t)_i };
    for (unsigned i = 0; i < CASES; i++) {
        struct sample sample = make_sample(&random, signal);
        struct oracle_items items = oracle_flatten(signal, sample.request);
        struct weir_batch *batch = batch_make(signal, sample.request);
        ck_assert_uint_eq(weir_batch_items(batch), items.count);
        batch_same_as(batch, sample.bytes, sample.length);
        batch_walk(batch);
        weir_batch_unref(batch);
        oracle_items_free(&items);
        free_sample(&sample);
    }
}
END_TEST

START_TEST(touched_nodes_are_encoded_with_the_same_content)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 200 + (uint64_t)_i };
    for (unsigned i = 0; i < CASES; i++) {
        struct sample sample = make_sample(&random, signal);
        struct weir_batch *batch = batch_of(signal, sample.bytes, sample.length);
        batch_walk(batch);
        batch_touch(batch, &random, 1 + oracle_below(&random, 4));
        batch_same_as(batch, sample.bytes, sample.length);
        batch_touch(batch, &random, 2);
        batch_same_as(batch, sample.bytes, sample.length);
        weir_batch_unref(batch);
        free_sample(&sample);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codec");
    TCase *tests = tcase_create("codec");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, made_batches_are_encoded_as_the_other_codec_does, 0, WEIR_PROFILES);
    tcase_add_loop_test(tests, touched_nodes_are_encoded_with_the_same_content, 0, WEIR_PROFILES);
    return run_suite(suite);
}

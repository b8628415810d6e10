// SPDX-License-Identifier: Apache-2.0
/* The envelope of a record on disk: what comes out is what went in, and what is broken is refused. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/context.h>
#include <weir/harness.h>

#include "sdk/src/sender/disk_record.h"
#include "tests/unit/suite.h"

static struct weir_buffer *encode(struct weir_batch *batch)
{
    struct weir_slices slices = { 0 };
    ck_assert(disk_record_encode(batch, &slices));
    struct weir_buffer *joined = weir_slices_join(&slices);
    weir_slices_free(&slices);
    return joined;
}

static struct weir_batch *decode(struct weir_buffer *buffer)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = disk_record_decode(WEIR_LOGS, buffer, buffer->data, buffer->length, &error);
    ck_assert_msg(batch != NULL, "%s", weir_error_text(&error));
    return batch;
}

START_TEST(metadata_and_bytes_survive)
{
    static const struct weir_metadata metadata[] = {
        { { "tenant", 6 }, { "b", 1 } },
        { { "x-id", 4 }, { "7", 1 } },
        { { "tenant", 6 }, { "a", 1 } },
    };
    static const char *const peers[] = { "192.0.2.1:4711", "[2001:db8::1]:65535", "/run/otel.sock", "" };
    struct weir_batch *batch = weir_harness_batch(WEIR_LOGS, 0, 5);
    struct weir_context *context = weir_context_new("grpc", weir_str_of(peers[_i]), metadata, 3);
    weir_batch_set_context(batch, context);
    weir_context_unref(context);
    struct weir_buffer *bytes = encode(batch);
    struct weir_batch *back = decode(bytes);
    ck_assert_uint_eq(weir_batch_items(back), 5);
    ck_assert_uint_eq(weir_batch_bytes(back), weir_batch_bytes(batch));
    size_t count;
    const struct weir_metadata *got = weir_context_metadata(weir_batch_context(back), &count);
    ck_assert_uint_eq(count, 3);
    ck_assert(weir_str_is(got[0].key, "tenant") && weir_str_is(got[0].value, "b"));
    ck_assert(weir_str_is(got[1].key, "tenant") && weir_str_is(got[1].value, "a"));
    ck_assert(weir_str_is(got[2].key, "x-id") && weir_str_is(got[2].value, "7"));
    ck_assert(weir_str_is(weir_context_peer(weir_batch_context(back)), peers[_i]));
    weir_batch_unref(back);
    weir_batch_unref(batch);
    weir_buffer_unref(bytes);
}
END_TEST

START_TEST(without_a_context)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_LOGS, 0, 1);
    struct weir_buffer *bytes = encode(batch);
    ck_assert_uint_eq(bytes->data[0], 0x0D);
    ck_assert_uint_eq(bytes->data[1], 1);
    ck_assert_uint_eq(bytes->data[5], 0x1A);
    struct weir_batch *back = decode(bytes);
    ck_assert_ptr_null(weir_batch_context(back));
    weir_batch_unref(back);
    weir_batch_unref(batch);
    weir_buffer_unref(bytes);
}
END_TEST

START_TEST(a_bare_request)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_LOGS, 0, 3);
    struct weir_slices slices = { 0 };
    ck_assert(weir_batch_encode(batch, &slices));
    struct weir_buffer *bytes = weir_slices_join(&slices);
    struct weir_batch *back = decode(bytes);
    ck_assert_uint_eq(weir_batch_items(back), 3);
    weir_slices_free(&slices);
    weir_batch_unref(back);
    weir_batch_unref(batch);
    weir_buffer_unref(bytes);
}
END_TEST

/* As upstream writes it (pdata/xpdata/request): a span context, an array of one value, a TCP address. */
START_TEST(upstreams_form)
{
    static const uint8_t bytes[] = {
        0x0D, 1, 0, 0, 0, /* format_version 1 */
        0x12, 33,         /* request_context */
        0x0A, 4, 0x0A, 2, 1, 2,
        0x12, 12, 0x0A, 1, 'k', 0x12, 7, 0x2A, 5, 0x0A, 3, 0x0A, 1, 'v',
        0x22, 11, 0x0A, 4, 10, 0, 0, 1, 0x10, 0xD7, 0x24, 0x1A, 0,
        0x1A, 0, /* an empty request */
    };
    struct weir_buffer *buffer = weir_buffer_copy(bytes, sizeof bytes);
    struct weir_batch *back = decode(buffer);
    size_t count;
    const struct weir_metadata *got = weir_context_metadata(weir_batch_context(back), &count);
    ck_assert_uint_eq(weir_batch_items(back), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert(weir_str_is(got[0].key, "k") && weir_str_is(got[0].value, "v"));
    ck_assert(weir_str_is(weir_context_peer(weir_batch_context(back)), "10.0.0.1:4695"));
    weir_batch_unref(back);
    buffer->data[7 + 5] = 0x07; /* a context that cannot be read: the telemetry counts more */
    back = decode(buffer);
    ck_assert_ptr_nonnull(back);
    weir_batch_unref(back);
    weir_buffer_unref(buffer);
}
END_TEST

START_TEST(what_is_no_record)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        { "\x0D\x02\x00\x00\x00\x1A\x00", 7 },     /* of a version to come */
        { "\x0D\x01\x00\x00\x00", 5 },             /* no data */
        { "\x0D\x01\x00\x00\x00\x1A\x05", 7 },     /* cut */
        { "\x0D\x01\x00", 3 },                     /* cut */
        { "\x0D\x01\x00\x00\x00\x1A\x01\xFF", 8 }, /* data that is no request */
        { "\xFF\xFF", 2 },
    };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *buffer = weir_buffer_copy(cases[_i].bytes, cases[_i].length);
    ck_assert_ptr_null(disk_record_decode(WEIR_TRACES, buffer, buffer->data, buffer->length, &error));
    ck_assert(weir_error_is_set(&error));
    weir_error_free(&error);
    weir_buffer_unref(buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk record");
    TCase *tests = tcase_create("envelope");
    tcase_add_loop_test(tests, metadata_and_bytes_survive, 0, 4);
    tcase_add_test(tests, without_a_context);
    tcase_add_test(tests, a_bare_request);
    tcase_add_test(tests, upstreams_form);
    tcase_add_loop_test(tests, what_is_no_record, 0, 6);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

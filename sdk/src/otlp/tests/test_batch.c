// SPDX-License-Identifier: Apache-2.0
/*
 * Batches of bytes as they arrive: checked, counted, merged, split, sent.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/context.h>
#include <weir/memory.h>

#include "sdk/src/otlp/tests/batches.h"
#include "tests/unit/suite.h"

#define CASES 6000

static void assert_same(const struct oracle_items *is, const struct oracle_items *should)
{
    ck_assert_uint_eq(is->count, should->count);
    if (is->count > 0)
        ck_assert_int_eq(memcmp(is->hashes, should->hashes, is->count * sizeof(uint64_t)), 0);
}

struct sample {
    uint8_t *bytes;
    size_t length;
    struct oracle_items items;
};

static struct sample make_sample(struct oracle_random *random, enum weir_signal signal, size_t messages)
{
    struct sample sample;
    ProtobufCMessage *request = oracle_generate(random, signal, messages);
    sample.bytes = oracle_pack(request, &sample.length);
    sample.items = oracle_flatten(signal, request);
    protobuf_c_message_free_unpacked(request, NULL);
    return sample;
}

static void free_sample(struct sample *sample)
{
    free(sample->bytes);
    oracle_items_free(&sample->items);
}

START_TEST(generated_requests_are_counted_and_sent_as_they_came)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = (uint64_t)_i };
    for (unsigned i = 0; i < CASES; i++) {
        struct sample sample = make_sample(&random, signal, oracle_below(&random, 200));
        struct weir_batch *batch = batch_of(signal, sample.bytes, sample.length);
        ck_assert_uint_eq(weir_batch_items(batch), sample.items.count);
        ck_assert_uint_eq(weir_batch_bytes(batch), sample.length);
        struct weir_buffer *bytes = batch_bytes(batch);
        if (sample.length > 0)
            ck_assert_mem_eq(bytes->data, sample.bytes, sample.length);
        weir_buffer_unref(bytes);
        weir_batch_unref(batch);
        free_sample(&sample);
    }
}
END_TEST

/* Takes pieces of random sizes off, some by bytes; all pieces together are what there was. */
static void check_pieces(struct oracle_random *random, struct weir_batch *batch, const struct oracle_items *should)
{
    struct oracle_items all = { NULL, 0 };
    while (weir_batch_items(batch) > 1) {
        size_t had = weir_batch_items(batch), bytes = weir_batch_bytes(batch);
        size_t take = 1 + oracle_below(random, had - 1), limit = oracle_below(random, bytes);
        bool by_bytes = oracle_below(random, 2) == 0;
        struct weir_batch *piece = by_bytes ? weir_batch_split_bytes(batch, limit) : weir_batch_split(batch, take);
        if (by_bytes && !piece)
            continue;
        ck_assert_ptr_nonnull(piece);
        take = weir_batch_items(piece);
        ck_assert(!by_bytes || take == 1 || weir_batch_bytes(piece) <= limit);
        ck_assert_uint_eq(weir_batch_items(batch), had - take);
        struct oracle_items items = batch_items(piece);
        ck_assert_uint_eq(items.count, take);
        oracle_items_join(&all, &items);
        weir_batch_unref(piece);
    }
    struct oracle_items items = batch_items(batch);
    oracle_items_join(&all, &items);
    assert_same(&all, should);
    oracle_items_free(&all);
}

START_TEST(any_merge_splits_into_the_same_items)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 1000 + (uint64_t)_i };
    for (unsigned i = 0; i < CASES / 4; i++) {
        struct weir_batch *batch = weir_batch_new(signal);
        struct oracle_items should = { NULL, 0 };
        for (size_t n = oracle_below(&random, 5); n > 0; n--) {
            struct sample sample = make_sample(&random, signal, oracle_below(&random, 150));
            struct weir_batch *more = batch_of(signal, sample.bytes, sample.length);
            if (oracle_below(&random, 3) == 0) {
                struct weir_batch *other = weir_batch_ref(more);
                ck_assert(weir_batch_append(batch, more));
                weir_batch_unref(other);
            } else {
                ck_assert(weir_batch_append(batch, more));
            }
            oracle_items_join(&should, &sample.items);
            free_sample(&sample);
        }
        ck_assert_uint_eq(weir_batch_items(batch), should.count);
        check_pieces(&random, batch, &should);
        oracle_items_free(&should);
        weir_batch_unref(batch);
    }
}
END_TEST

START_TEST(every_split_in_two_is_exact)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 2000 + (uint64_t)_i };
    for (unsigned i = 0; i < CASES / 20; i++) {
        struct sample sample = make_sample(&random, signal, 100);
        for (size_t n = 1; n < sample.items.count; n++) {
            struct weir_batch *batch = batch_of(signal, sample.bytes, sample.length);
            struct weir_batch *head = weir_batch_split(batch, n);
            ck_assert_ptr_nonnull(head);
            ck_assert_uint_eq(weir_batch_items(head), n);
            ck_assert_uint_eq(weir_batch_items(batch), sample.items.count - n);
            struct oracle_items items = batch_items(head), rest = batch_items(batch);
            oracle_items_join(&items, &rest);
            assert_same(&items, &sample.items);
            oracle_items_free(&items);
            weir_batch_unref(batch);
            weir_batch_unref(head);
        }
        free_sample(&sample);
    }
}
END_TEST

/* Sends whatever a byte-size split gives, and shows that one item more would not have fitted. */
START_TEST(splits_by_bytes_take_as_much_as_fits)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 3000 + (uint64_t)_i };
    for (unsigned i = 0; i < CASES / 20; i++) {
        struct sample sample = make_sample(&random, signal, 100);
        struct weir_batch *batch = batch_of(signal, sample.bytes, sample.length);
        size_t limit = sample.length ? oracle_below(&random, sample.length) : 0;
        struct weir_batch *head = weir_batch_split_bytes(batch, limit);
        size_t taken = head ? weir_batch_items(head) : 0;
        ck_assert(head != NULL || sample.items.count < 2);
        if (head && taken + 1 < sample.items.count) {
            struct weir_batch *again = batch_of(signal, sample.bytes, sample.length);
            struct weir_batch *more = weir_batch_split(again, taken + 1);
            ck_assert_uint_gt(weir_batch_bytes(more), limit);
            weir_batch_unref(again);
            weir_batch_unref(more);
        }
        weir_batch_unref(head);
        weir_batch_unref(batch);
        free_sample(&sample);
    }
}
END_TEST

/* A request with a value nested `depth` deep in a span's attribute, built inside out. */
static size_t nest(uint8_t *out, size_t room, unsigned depth, uint8_t field)
{
    uint8_t *at = out + room;
    size_t size = 0;
    for (unsigned i = 1; i < depth; i++) {
        for (unsigned level = 0; level < 2; level++) {
            size_t length = size;
            uint8_t header[12];
            size_t n = 0;
            header[n++] = level == 0 ? 0x0a : field;
            for (; length >= 0x80; length >>= 7)
                header[n++] = (uint8_t)(length | 0x80);
            header[n++] = (uint8_t)length;
            memcpy(at - size - n, header, n);
            size += n;
        }
    }
    memmove(out, at - size, size);
    return size;
}

/* Wraps `length` bytes at `out` in a field, in place. */
static size_t wrap(uint8_t *out, size_t length, uint8_t key)
{
    uint8_t header[12];
    size_t n = 0, left = length;
    header[n++] = key;
    for (; left >= 0x80; left >>= 7)
        header[n++] = (uint8_t)(left | 0x80);
    header[n++] = (uint8_t)left;
    memmove(out + n, out, length);
    memcpy(out, header, n);
    return length + n;
}

static struct weir_batch *nested_log(unsigned depth, struct weir_error *error)
{
    size_t room = depth * 12 + 64;
    uint8_t *bytes = weir_xmalloc(room);
    size_t length = nest(bytes, room - 64, depth, 0x2a);
    length = wrap(bytes, length, 0x2a); /* body */
    length = wrap(bytes, length, 0x12); /* record */
    length = wrap(bytes, length, 0x12); /* scope */
    length = wrap(bytes, length, 0x0a); /* group */
    struct weir_buffer *buffer = weir_buffer_copy(bytes, length);
    struct weir_batch *batch = weir_batch_from_bytes(WEIR_LOGS, buffer, buffer->data, buffer->length, error);
    weir_buffer_unref(buffer);
    free(bytes);
    return batch;
}

START_TEST(values_nest_64_deep_and_no_deeper)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = nested_log(WEIR_BATCH_MAX_DEPTH, &error);
    ck_assert_ptr_nonnull(batch);
    weir_batch_unref(batch);
    ck_assert_ptr_null(nested_log(WEIR_BATCH_MAX_DEPTH + 1, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "AnyValue has values that are nested too deeply"));
    ck_assert_ptr_null(nested_log(100000, &error));
    weir_error_free(&error);
}
END_TEST

static const struct {
    enum weir_signal signal;
    const char *bytes;
    size_t length;
    const char *error;
} refused[] = {
#define BAD(signal, bytes, error) { signal, bytes, sizeof(bytes) - 1, error }
    BAD(WEIR_TRACES, "\x0a", "ExportTraceServiceRequest has a field that is cut off (byte 0)"),
    BAD(WEIR_TRACES, "\x0a\x05\x12", "ExportTraceServiceRequest has a field that is cut off (byte 0)"),
    BAD(WEIR_TRACES, "\x08\x01", "ExportTraceServiceRequest has a known field of the wrong wire type (byte 0)"),
    BAD(WEIR_TRACES, "\x02\x01", "ExportTraceServiceRequest has a field of number 0 (byte 0)"),
    BAD(WEIR_TRACES, "\x0b\x0c", "ExportTraceServiceRequest has a known field of the wrong wire type (byte 0)"),
    BAD(WEIR_TRACES, "\x9b\x06\x9c\x06",
        "ExportTraceServiceRequest has a field of a wire type that OTLP does not have (byte 2)"),
    BAD(WEIR_TRACES, "\x8a\x80\x80\x80\x80\x00\x00",
        "ExportTraceServiceRequest has a key or length of more than 32 bits (byte 0)"),
    BAD(WEIR_TRACES, "\x0a\x09\x12\x07\x12\x05\x0a\x03" "abc", "Span has an id that is not of 16 bytes (byte 8)"),
    BAD(WEIR_TRACES, "\x0a\x09\x12\x07\x12\x05\x22\x03" "abc", "Span has an id that is not of 8 bytes (byte 8)"),
    BAD(WEIR_TRACES, "\x0a\x08\x12\x06\x12\x04\x2a\x02\xc3\x28", "Span has a string that is not UTF-8 (byte 8)"),
    BAD(WEIR_TRACES, "\x0a\x08\x12\x06\x12\x04\x85\x01\x00\x00", "Span has a field that is cut off (byte 6)"),
    BAD(WEIR_TRACES, "\x0a\x03\xc0\x3e\x01", "ResourceSpans has a known field of the wrong wire type (byte 2)"),
    BAD(WEIR_METRICS, "\x0a\x0a\x12\x08\x12\x06\x4a\x04\x0a\x02\x32\x07",
        "HistogramDataPoint has a field that is cut off (byte 10)"),
    BAD(WEIR_METRICS, "\x0a\x0c\x12\x0a\x12\x08\x4a\x06\x0a\x04\x32\x02\x01\x02",
        "HistogramDataPoint has packed numbers that are cut off (byte 12)"),
    BAD(WEIR_METRICS, "\x0a\x0d\x12\x0b\x12\x09\x52\x07\x0a\x05\x42\x03\x12\x01\x80",
        "Buckets has packed numbers that are cut off (byte 14)"),
    BAD(WEIR_LOGS, "\x0a\x08\x12\x06\x12\x04\x2a\x02\x18\x80", "AnyValue has a field that is cut off (byte 8)"),
    BAD(WEIR_PROFILES, "\x0a\x04\x12\x02\x12\x05", "ScopeProfiles has a field that is cut off (byte 4)"),
};

START_TEST(bad_bytes_are_refused_with_reason_and_place)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *buffer = weir_buffer_copy(refused[_i].bytes, refused[_i].length);
    ck_assert_ptr_null(weir_batch_from_bytes(refused[_i].signal, buffer, buffer->data, buffer->length, &error));
    ck_assert_str_eq(weir_error_text(&error), refused[_i].error);
    weir_error_free(&error);
    weir_buffer_unref(buffer);
}
END_TEST

/* A request of one resource whose first attribute is `attribute`, with much or nothing behind it. */
static struct weir_buffer *with_attribute(const struct weir_text *attribute, bool more)
{
    struct weir_text resource = { NULL, 0, 0 }, request = { NULL, 0, 0 };
    weir_text_addc(&resource, 0x0a);
    weir_text_addc(&resource, (char)attribute->length);
    weir_text_add(&resource, attribute->data, attribute->length);
    for (unsigned i = 0; more && i < 10; i++)
        weir_text_add(&resource, "\x0a\x08\x0a\x04more\x12\x00", 10);
    for (unsigned level = 0; level < 2; level++) {
        weir_text_addc(&request, 0x0a);
        weir_text_addc(&request, (char)((resource.length & 0x7f) | 0x80));
        weir_text_addc(&request, (char)(resource.length >> 7));
        weir_text_add(&request, resource.data, resource.length);
        weir_text_free(&resource);
        resource = request;
        request = (struct weir_text){ NULL, 0, 0 };
    }
    struct weir_buffer *bytes = weir_buffer_copy(resource.data, resource.length);
    weir_text_free(&resource);
    return bytes;
}

/* What is said of it; "" if nothing. */
static const char *said_of(const struct weir_text *attribute, bool more)
{
    static char text[100];
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *bytes = with_attribute(attribute, more);
    struct weir_batch *batch = weir_batch_from_bytes(WEIR_TRACES, bytes, bytes->data, bytes->length, &error);
    snprintf(text, sizeof(text), "%s", batch ? "" : weir_error_text(&error));
    if (strchr(text, '('))
        *strchr(text, '(') = '\0';
    weir_batch_unref(batch);
    weir_buffer_unref(bytes);
    weir_error_free(&error);
    return text;
}

/* Short attributes of all lengths, with a byte that is no UTF-8 in every place. */
START_TEST(short_attributes_are_checked_in_every_place)
{
    for (size_t name = 0; name <= 40; name += name < 4 ? 1 : 3) {
        for (size_t value = 0; value <= 72; value++) {
            struct weir_text text = { NULL, 0, 0 };
            weir_text_addc(&text, 0x0a);
            weir_text_addc(&text, (char)name);
            for (size_t i = 0; i < name; i++)
                weir_text_addc(&text, 'n');
            weir_text_addc(&text, 0x12);
            weir_text_addc(&text, (char)(value + 2));
            weir_text_addc(&text, 0x0a);
            weir_text_addc(&text, (char)value);
            for (size_t i = 0; i < value; i++)
                weir_text_addc(&text, 'v');
            ck_assert_str_eq(said_of(&text, _i), "");
            for (size_t i = 0; i < name + value; i++) {
                char *place = &text.data[i < name ? 2 + i : 6 + i], before = *place;
                *place = '\xff';
                ck_assert_str_eq(said_of(&text, _i), i < name ? "KeyValue has a string that is not UTF-8 "
                                                             : "AnyValue has a string that is not UTF-8 ");
                *place = before;
            }
            weir_text_free(&text);
        }
    }
}
END_TEST

START_TEST(short_attributes_are_checked_for_their_form)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *said;
    } rows[] = {
#define FORM(bytes, said) { bytes, sizeof(bytes) - 1, said }
        FORM("\x0a\2\xc3\xa4\x12\4\x0a\2\xc3\xa4", ""),
        FORM("\x0a\1k\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""),
        FORM("\x0a\1k\x12\x0c\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "AnyValue has a field that is cut off "),
        FORM("\x0a\1k\x12\3\x18\xff\xff", "AnyValue has a field that is cut off "),
        FORM("\x0a\1k\x12\3\x10\x81\0", ""),
        FORM("\x0a\1k\x12\x09\x21\xff\xff\xff\xff\xff\xff\xff\xff", ""),
        FORM("\x0a\1k\x12\x08\x21\xff\xff\xff\xff\xff\xff\xff", "AnyValue has a field that is cut off "),
        FORM("\x0a\1\xff\x12\x09\x21\xff\xff\xff\xff\xff\xff\xff\xff", "KeyValue has a string that is not UTF-8 "),
        FORM("\x0a\1k\x12\4\x0a\3vv", "AnyValue has a field that is cut off "),
        FORM("\x0a\1k\x12\5\x0a\2vv", "KeyValue has a field that is cut off "),
        FORM("\x0a\1k\x12\4\x0a\3vvv", "AnyValue has a field that is cut off "),
        FORM("\x0a\1k\x12\4\x0a\1v\x18", "AnyValue has a field that is cut off "),
        FORM("\x0a\1k\x12\5\x0a\1v\x18\1", ""),
        FORM("\x0a\1k\x12\2\x3a\0", ""),
        FORM("\x0a\1k\x12\2\x0d\0", "AnyValue has a known field of the wrong wire type "),
        FORM("\x0a\1k\x12\0", ""),
        FORM("\x0a\1k\x12\2\x10\1\x0a\1\xff", "KeyValue has a string that is not UTF-8 "),
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_text text = { NULL, 0, 0 };
        weir_text_add(&text, rows[i].bytes, rows[i].length);
        ck_assert_msg(strcmp(said_of(&text, _i), rows[i].said) == 0, "%zu: %s", i, said_of(&text, _i));
        weir_text_free(&text);
    }
}
END_TEST

static const struct {
    enum weir_signal signal;
    const char *bytes;
    size_t length;
    size_t items;
    const char *sent;
    size_t sent_length;
} unusual[] = {
#define ODD(signal, bytes, items, sent) { signal, bytes, sizeof(bytes) - 1, items, sent, sizeof(sent) - 1 }
    /* Nothing at all, and unknown fields of every kind. */
    ODD(WEIR_TRACES, "", 0, ""),
    ODD(WEIR_TRACES, "\x98\x06\x05\x99\x06" "12345678" "\x9a\x06\x01x\x9d\x06" "1234", 0,
        "\x98\x06\x05\x99\x06" "12345678" "\x9a\x06\x01x\x9d\x06" "1234"),
    /* A library group where there are no scope groups, and where there is one. */
    ODD(WEIR_TRACES, "\x0a\x07\xc2\x3e\x04\x12\x02\x0a\x00", 1, "\x0a\x06\x12\x04\x12\x02\x0a\x00"),
    ODD(WEIR_LOGS, "\x0a\x09\xc2\x3e\x02\x12\x00\x12\x02\x12\x00", 1, "\x0a\x04\x12\x02\x12\x00"),
    /* Gauge, sum with one point, sum with one point: a sum of two. Gauge behind a sum: the gauge. */
    ODD(WEIR_METRICS, "\x0a\x11\x12\x0f\x12\x0d\x0a\x01m\x2a\x00\x3a\x02\x0a\x00\x3a\x02\x0a\x00", 2,
        "\x0a\x0d\x12\x0b\x12\x09\x0a\x01m\x3a\x04\x0a\x00\x0a\x00"),
    ODD(WEIR_METRICS, "\x0a\x0c\x12\x0a\x12\x08\x3a\x02\x0a\x00\x2a\x02\x0a\x00", 1,
        "\x0a\x08\x12\x06\x12\x04\x2a\x02\x0a\x00"),
    /* Samples of two profiles. */
    ODD(WEIR_PROFILES, "\x0a\x0e\x12\x0c\x12\x04\x12\x00\x12\x00\x12\x04\x12\x02\x08\x01\x12\x01\x00", 3,
        "\x0a\x0e\x12\x0c\x12\x04\x12\x00\x12\x00\x12\x04\x12\x02\x08\x01\x12\x01\x00"),
};

START_TEST(unusual_bytes_are_read_as_everybody_reads_them)
{
    struct weir_batch *batch = batch_of(unusual[_i].signal, unusual[_i].bytes, unusual[_i].length);
    ck_assert_uint_eq(weir_batch_items(batch), unusual[_i].items);
    struct weir_buffer *bytes = batch_bytes(batch);
    ck_assert_uint_eq(bytes->length, unusual[_i].sent_length);
    if (bytes->length > 0)
        ck_assert_mem_eq(bytes->data, unusual[_i].sent, bytes->length);
    weir_buffer_unref(bytes);
    weir_batch_unref(batch);
}
END_TEST

#define SPAN "\x12\x02\x2a\x00"

START_TEST(contexts_and_permits_go_with_the_telemetry)
{
    static const char spans[] = "\x0a\x0a\x12\x08" SPAN SPAN;
    struct weir_metadata metadata[] = { { WEIR_STR("tenant"), WEIR_STR("b") },
                                        { WEIR_STR("host"), WEIR_STR("h") },
                                        { WEIR_STR("tenant"), WEIR_STR("a") } };
    struct weir_context *context = weir_context_new("grpc", WEIR_STR("1.2.3.4:5"), metadata, 3);
    size_t before = weir_memory_reserved(), count;
    struct weir_batch *batch = batch_of(WEIR_TRACES, spans, sizeof(spans) - 1);
    struct weir_batch *other = batch_of(WEIR_TRACES, spans, sizeof(spans) - 1);
    weir_memory_reserve(150);
    weir_batch_add_permit(batch, 100);
    weir_batch_add_permit(other, 50);
    weir_batch_set_context(batch, context);
    weir_context_unref(context);
    ck_assert_ptr_eq(weir_batch_context(batch), context);
    ck_assert_str_eq(weir_context_transport(context), "grpc");
    ck_assert(weir_str_is(weir_context_peer(context), "1.2.3.4:5"));
    const struct weir_metadata *sorted = weir_context_metadata(context, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert(weir_str_is(sorted[0].key, "host") && weir_str_is(sorted[1].value, "b"));
    ck_assert(weir_str_is(sorted[2].key, "tenant") && weir_str_is(sorted[2].value, "a"));

    char upper[] = "Tenant", lower[] = "tenant", none[] = "nothing", *const keys[] = { upper, lower, none };
    struct weir_context *selected = weir_context_select(context, keys, 3);
    struct weir_context *again = weir_context_select(selected, keys, 2);
    sorted = weir_context_metadata(selected, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert(weir_str_is(sorted[0].key, "tenant") && weir_str_is(sorted[0].value, "b"));
    ck_assert_uint_eq(weir_context_peer(selected).length, 0);
    ck_assert(weir_context_same_metadata(selected, again));
    ck_assert(!weir_context_same_metadata(selected, context));
    ck_assert(!weir_context_same_metadata(selected, NULL));
    weir_context_unref(again);
    weir_context_unref(selected);

    struct weir_batch *head = weir_batch_split(batch, 1);
    ck_assert_ptr_eq(weir_batch_context(head), context);
    ck_assert(weir_batch_append(head, other));
    ck_assert_ptr_null(weir_batch_context(head));
    weir_batch_unref(head);
    ck_assert_uint_eq(weir_memory_reserved(), before + 50);
    ck_assert_ptr_eq(weir_batch_context(batch), context);
    weir_batch_unref(batch);
    ck_assert_uint_eq(weir_memory_reserved(), before);
    ck_assert_ptr_null(weir_context_transport(NULL));
    ck_assert_uint_eq(weir_context_peer(NULL).length, 0);
    ck_assert_ptr_null(weir_context_metadata(NULL, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_shared_batch_is_copied_and_its_bytes_are_not)
{
    static const char spans[] = "\x0a\x0a\x12\x08" SPAN SPAN;
    struct weir_batch *batch = batch_of(WEIR_TRACES, spans, sizeof(spans) - 1);
    ck_assert_ptr_eq(weir_batch_exclusive(batch), batch);
    struct weir_batch *copy = weir_batch_exclusive(weir_batch_ref(batch));
    ck_assert_ptr_ne(copy, batch);
    struct weir_slices first = { 0 }, second = { 0 };
    ck_assert(weir_batch_encode(batch, &first) && weir_batch_encode(copy, &second));
    weir_batch_unref(batch);
    weir_batch_unref(copy);
    ck_assert_uint_eq(first.count, 1);
    ck_assert_ptr_eq(first.ranges[0].iov_base, second.ranges[0].iov_base);
    ck_assert_mem_eq(first.ranges[0].iov_base, spans, sizeof(spans) - 1);
    weir_slices_free(&first);
    weir_slices_free(&second);
}
END_TEST

START_TEST(profiles_are_neither_split_nor_merged)
{
    static const char samples[] = "\x0a\x08\x12\x06\x12\x04\x12\x00\x12\x00\x12\x01x";
    struct weir_batch *batch = batch_of(WEIR_PROFILES, samples, sizeof(samples) - 1);
    struct weir_batch *other = batch_of(WEIR_PROFILES, samples, sizeof(samples) - 1);
    ck_assert_uint_eq(weir_batch_items(batch), 2);
    ck_assert_ptr_null(weir_batch_split(batch, 1));
    ck_assert_ptr_null(weir_batch_split_bytes(batch, 4));
    ck_assert(!weir_batch_append(batch, other));
    struct weir_batch *empty = weir_batch_new(WEIR_PROFILES);
    ck_assert(weir_batch_append(empty, other));
    ck_assert_uint_eq(weir_batch_items(empty), 2);
    weir_batch_unref(empty);
    weir_batch_unref(batch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch");
    TCase *tests = tcase_create("batch");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, generated_requests_are_counted_and_sent_as_they_came, 0, WEIR_PROFILES);
    tcase_add_loop_test(tests, any_merge_splits_into_the_same_items, 0, WEIR_PROFILES);
    tcase_add_loop_test(tests, every_split_in_two_is_exact, 0, WEIR_PROFILES);
    tcase_add_loop_test(tests, splits_by_bytes_take_as_much_as_fits, 0, WEIR_PROFILES);
    tcase_add_test(tests, values_nest_64_deep_and_no_deeper);
    tcase_add_loop_test(tests, short_attributes_are_checked_in_every_place, 0, 2);
    tcase_add_loop_test(tests, short_attributes_are_checked_for_their_form, 0, 2);
    tcase_add_loop_test(tests, bad_bytes_are_refused_with_reason_and_place, 0, WEIR_ARRAY_LENGTH(refused));
    tcase_add_loop_test(tests, unusual_bytes_are_read_as_everybody_reads_them, 0, WEIR_ARRAY_LENGTH(unusual));
    tcase_add_test(tests, contexts_and_permits_go_with_the_telemetry);
    tcase_add_test(tests, a_shared_batch_is_copied_and_its_bytes_are_not);
    tcase_add_test(tests, profiles_are_neither_split_nor_merged);
    return run_suite(suite);
}

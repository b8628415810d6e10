// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON both ways, and the answers of a peer. The first byte says what the rest is: its low two bits the signal,
 * the next two the encoding or message.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/otlp_json.h>
#include <weir/otlp_response.h>

#include "sdk/src/json/otlp_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_buffer *print(struct weir_batch *batch)
{
    struct weir_buffer *out = weir_buffer_new(0);
    if (!out || !weir_batch_to_json(batch, out, NULL))
        abort();
    return out;
}

/* A batch prints as JSON that reads as a batch that prints the same. */
static void round_trip(enum weir_signal signal, struct weir_batch *batch)
{
    struct weir_buffer *once = print(batch);
    struct weir_batch *again = weir_batch_from_json(signal, once->data, once->length, NULL);
    if (!again || weir_batch_items(again) != weir_batch_items(batch))
        abort();
    struct weir_buffer *twice = print(again);
    if (once->length != twice->length || memcmp(once->data, twice->data, once->length) != 0)
        abort();
    weir_buffer_unref(once);
    weir_buffer_unref(twice);
    weir_batch_unref(again);
}

static void read_json(enum weir_signal signal, const uint8_t *data, size_t size)
{
    struct otlp_summary said, found;
    struct weir_buffer *protobuf = otlp_json_to_protobuf(signal, data, size, &said, NULL);
    if (!protobuf)
        return;
    // What we encode is good OTLP, and what we say of it is so.
    if (!otlp_validate(signal, protobuf->data, protobuf->length, &found, NULL) || found.items != said.items ||
        (found.unusual && !said.unusual))
        abort();
    struct weir_batch *batch = weir_batch_from_bytes(signal, protobuf, protobuf->data, protobuf->length, NULL);
    if (!batch)
        abort();
    round_trip(signal, batch);
    weir_batch_unref(batch);
    weir_buffer_unref(protobuf);
}

static void read_protobuf(enum weir_signal signal, const uint8_t *data, size_t size)
{
    struct weir_buffer *out = weir_buffer_new(0), *copy = weir_buffer_copy(data, size);
    if (!out || !copy)
        abort();
    (void)otlp_protobuf_to_json(signal, data, size, out, NULL);
    struct weir_batch *batch = weir_batch_from_bytes(signal, copy, copy->data, copy->length, NULL);
    if (batch && signal != WEIR_PROFILES)
        round_trip(signal, batch);
    weir_batch_unref(batch);
    weir_buffer_unref(copy);
    weir_buffer_unref(out);
}

static void read_answer(enum weir_otlp_format format, enum weir_signal signal, const uint8_t *data, size_t size)
{
    struct weir_arena arena = { 0 };
    struct weir_rpc_status status, status_again;
    struct weir_partial_success partial, partial_again;
    struct weir_buffer *out = weir_buffer_new(0);
    if (!out)
        abort();
    if (weir_status_decode(format, data, size, &arena, &status, NULL) == 0 &&
        (!weir_status_encode(format, status.code, status.message, status.retry_delay_ns, out) ||
         weir_status_decode(format, out->data, out->length, &arena, &status_again, NULL) != 0 ||
         status.code != status_again.code || status.retry_delay_ns != status_again.retry_delay_ns))
        abort();
    out->length = 0;
    if (weir_response_decode(format, signal, data, size, &arena, &partial, NULL) == 0 &&
        (!weir_response_encode(format, signal, &partial, out) ||
         weir_response_decode(format, signal, out->data, out->length, &arena, &partial_again, NULL) != 0 ||
         partial.rejected != partial_again.rejected || !weir_str_equal(partial.message, partial_again.message)))
        abort();
    weir_buffer_unref(out);
    weir_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum weir_signal signal = (enum weir_signal)(data[0] & 3);
    switch (data[0] >> 2 & 3) {
    case 0:
        read_json(signal, data + 1, size - 1);
        break;
    case 1:
        read_protobuf(signal, data + 1, size - 1);
        break;
    case 2:
        read_answer(WEIR_OTLP_JSON, signal, data + 1, size - 1);
        break;
    default:
        read_answer(WEIR_OTLP_PROTOBUF, signal, data + 1, size - 1);
        break;
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON, to and from a batch: by way of the protobuf form, which is what a batch is made of.
 */
#include <config.h>

#include <weir/otlp_json.h>

#include "sdk/src/json/otlp_codec.h"

struct weir_batch *weir_batch_from_json(enum weir_signal signal, const void *data, size_t length,
                                        struct weir_error *error)
{
    struct otlp_summary summary;
    struct weir_buffer *buffer = otlp_json_to_protobuf(signal, data, length, &summary, error);
    struct weir_batch *batch;
    if (!buffer)
        return NULL;
    if (summary.unusual) {
        batch = weir_batch_from_bytes(signal, buffer, buffer->data, buffer->length, error);
    } else {
        // What was just written needs no second look.
        batch = weir_batch_from_checked(signal, buffer, buffer->data, buffer->length, summary.items);
        if (!batch)
            weir_error_set(error, "out of memory");
    }
    weir_buffer_unref(buffer);
    return batch;
}

bool weir_batch_to_json(struct weir_batch *batch, struct weir_buffer *out, struct weir_error *error)
{
    struct weir_slices slices = { 0 };
    bool good;
    if (!weir_batch_encode(batch, &slices)) {
        weir_error_set(error, "out of memory");
        return false;
    }
    if (slices.count == 1) {
        // What came in one piece and was not changed is read where it is.
        good = otlp_protobuf_to_json(weir_batch_signal(batch), slices.ranges[0].iov_base, slices.bytes, out, error);
    } else {
        struct weir_buffer *whole = weir_slices_join(&slices);
        good = whole && otlp_protobuf_to_json(weir_batch_signal(batch), whole->data, whole->length, out, error);
        if (!whole)
            weir_error_set(error, "out of memory");
        weir_buffer_unref(whole);
    }
    weir_slices_free(&slices);
    return good;
}

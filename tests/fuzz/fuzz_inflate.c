// SPDX-License-Identifier: Apache-2.0
/*
 * Inflating whatever a peer sends: the first byte chooses the encoding, the rest is the body. What inflates
 * must also survive a round trip.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/compress.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUTPUT ((size_t)1 << 20)

static size_t granted;

static bool grow(void *user, size_t more)
{
    (void)user;
    granted += more;
    return granted <= MAX_OUTPUT + 1; // never asked for more than the cap and one byte to look behind it
}

static void round_trip(enum weir_encoding encoding, const struct weir_buffer *body)
{
    struct weir_slices slices = { 0 };
    struct weir_buffer *deflated = NULL, *again = NULL;
    const uint8_t *data = body->data ? body->data : (const uint8_t *)"";
    size_t half = body->length / 2;
    if (!weir_slices_add(&slices, NULL, data, half) ||
        !weir_slices_add(&slices, NULL, data + half, body->length - half) ||
        weir_deflate(encoding, 0, &slices, &deflated, NULL) != 0)
        abort();
    struct weir_inflate_limits limits = { body->length, 0, NULL, NULL };
    struct weir_str in = weir_str_make((const char *)deflated->data, deflated->length);
    if (weir_inflate(encoding, in, &limits, &again, NULL) != WEIR_INFLATE_OK ||
        again->length != body->length ||
        (body->length > 0 && memcmp(again->data, body->data, body->length) != 0))
        abort();
    weir_buffer_unref(again);
    weir_buffer_unref(deflated);
    weir_slices_free(&slices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum weir_encoding encoding = (enum weir_encoding)(data[0] % WEIR_ENCODINGS);
    // A copy of its own size, so that a sanitizer sees one byte too far.
    struct weir_buffer *in = weir_buffer_copy(data + 1, size - 1), *out = NULL;
    struct weir_inflate_limits limits = { MAX_OUTPUT, data[0] & 0x80 ? 100 : 0, grow, NULL };
    granted = 0;
    struct weir_error error = WEIR_ERROR_INIT;
    enum weir_inflate_status status =
        weir_inflate(encoding, weir_str_make((const char *)in->data, in->length), &limits, &out, &error);
    if (status == WEIR_INFLATE_REFUSED)
        abort();
    if (status == WEIR_INFLATE_OK) {
        if (out->length > MAX_OUTPUT || out->length > granted + 1)
            abort();
        round_trip(encoding, out);
        weir_buffer_unref(out);
    }
    weir_error_free(&error);
    weir_buffer_unref(in);
    return 0;
}

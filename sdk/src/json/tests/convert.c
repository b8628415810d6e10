// SPDX-License-Identifier: Apache-2.0
/*
 * For tests in other languages: one request from stdin, in the other encoding to stdout.
 *
 *     convert json|protobuf traces|metrics|logs        (the encoding to write)
 */
#include <config.h>

#include <stdio.h>

#include "sdk/src/json/otlp_codec.h"

static struct weir_buffer *read_stdin(void)
{
    struct weir_buffer *buffer = weir_buffer_new(0);
    size_t length;
    do {
        if (!buffer || !weir_buffer_reserve(buffer, 65536))
            return NULL;
        length = fread(buffer->data + buffer->length, 1, 65536, stdin);
        buffer->length += length;
    } while (length > 0);
    return buffer;
}

int main(int argc, char **argv)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *in = read_stdin(), *out = NULL;
    struct otlp_summary summary;
    int signal = WEIR_TRACES;
    if (argc != 3 || !in)
        return 2;
    while (signal < WEIR_PROFILES && strcmp(argv[2], weir_signal_name((enum weir_signal)signal)) != 0)
        signal++;
    if (strcmp(argv[1], "protobuf") == 0) {
        out = otlp_json_to_protobuf((enum weir_signal)signal, in->data, in->length, &summary, &error);
    } else {
        out = weir_buffer_new(0);
        if (out)
            (void)otlp_protobuf_to_json((enum weir_signal)signal, in->data, in->length, out, &error);
    }
    bool good = out && !weir_error_is_set(&error);
    if (good)
        fwrite(out->data, 1, out->length, stdout);
    else
        fprintf(stderr, "%s\n", weir_error_text(&error));
    weir_error_free(&error);
    weir_buffer_unref(in);
    weir_buffer_unref(out);
    return good ? 0 : 1;
}

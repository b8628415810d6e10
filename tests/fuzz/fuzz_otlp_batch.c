// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP requests through our codec and protobuf-c. The first byte names the signal.
 */
#include <config.h>

#include "sdk/src/otlp/tests/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        compare_codecs((enum weir_signal)(data[0] % WEIR_SIGNALS), data + 1, size - 1);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: an EndpointSlice, read for addresses and for hostnames. What is bad leaves what was known. */
#include <config.h>

#include <stdlib.h>

#include "plugins/exporters/load_balancing/slices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slices slices = { .first = NULL };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_str input = weir_str_make((const char *)data, size);
    struct weir_str known = WEIR_STR("{\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"hostname\":\"a\"}]}");
    for (int hostnames = 0; hostnames < 2; hostnames++) {
        if (slices_put(&slices, WEIR_STR("a"), known, hostnames, &error) != 0 || slices.first->count != 1)
            abort();
        if (slices_put(&slices, WEIR_STR("a"), input, hostnames, &error) != 0 && slices.first->count != 1)
            abort();
        for (size_t i = 0; i < slices.first->count; i++)
            if (!slices.first->hosts[i])
                abort();
    }
    slices_free(&slices);
    weir_error_free(&error);
    return 0;
}

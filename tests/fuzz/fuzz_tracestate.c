// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: a tracestate that is accepted says the same when it is written and read again. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/probabilistic_sampler/tracestate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tracestate state, again;
    struct weir_text text = { 0 }, second = { 0 };
    if (tracestate_parse((struct weir_str){ (const char *)data, size }, &state))
        return 0;
    tracestate_print(&state, &text);
    if (tracestate_parse(weir_text_view(&text), &again))
        abort();
    tracestate_print(&again, &second);
    if (!weir_str_equal(weir_text_view(&text), weir_text_view(&second)) || again.has_threshold != state.has_threshold ||
        (state.has_threshold && again.threshold != state.threshold) || again.member_count != state.member_count)
        abort();
    weir_text_free(&text);
    weir_text_free(&second);
    return 0;
}

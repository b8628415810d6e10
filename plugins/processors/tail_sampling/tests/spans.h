// SPDX-License-Identifier: Apache-2.0
/*
 * Traces for tests, in a small language:
 *
 *     batch "/" batch          requests
 *     group "|" group          ResourceSpans of one request
 *     span ";" span            spans of one group
 *     word word                what a span has
 *
 *     5            trace 5: its id is 15 zeros and 5         id:HEX   the trace id
 *     d:START-END  milliseconds from some time               s:ERROR  status (OK, ERROR, UNSET)
 *     f:257        flags                                     ts:TEXT  tracestate, "~" for a space
 *     child        has a parent                              n:NAME   name
 *     str:K=V int:K=V bool:K=V dbl:K=V                       attributes of the span
 *     rstr:K=V rint:K=V rbool:K=V rdbl:K=V                   of the resource
 *     +str:K=V     one more attribute of the span, even where there is one under the key
 *     scope:NAME   begins a new scope with this span
 *
 * A span without a trace of its own belongs to that of the span before.
 */
#ifndef TAIL_SAMPLING_TESTS_SPANS_H
#define TAIL_SAMPLING_TESTS_SPANS_H

#include <weir/batch.h>

/* The next request of *text, NULL at its end. */
struct weir_batch *spans_next(const char **text);

/* Numbers of the traces in the batch, each once, in the order of their first spans: "1,2". `room` is 256 bytes. */
void spans_traces(struct weir_batch *const *batches, size_t count, char *room);

/* Names of the spans in the batch, groups and scopes between them: "a b | c / d". */
void spans_names(struct weir_batch *batch, char *room);

#endif

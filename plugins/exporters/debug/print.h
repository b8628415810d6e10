// SPDX-License-Identifier: Apache-2.0
/* Values as both forms print them. What came from outside is printed without control characters. */
#ifndef DEBUG_PRINT_H
#define DEBUG_PRINT_H

#include <weir/component.h>

/* A string of the telemetry, control characters escaped so that it cannot forge lines. */
void print_string(struct weir_text *text, struct weir_str string);
/* The bare value: strings as they are, maps and arrays as compact JSON. */
void print_value(struct weir_text *text, const struct weir_value *value);
/* Str(x), Int(1), Map({...}), ... */
void print_typed(struct weir_text *text, const struct weir_value *value);
/* Ids in hex; nothing for an unset or all-zero one. */
void print_id(struct weir_text *text, weir_id_bytes id);
/* 2020-02-11 20:26:13.000000789 +0000 UTC */
void print_time(struct weir_text *text, uint64_t nanoseconds);
/* " k=v k=v", each with a blank before it. */
void print_pairs(struct weir_text *text, const struct weir_attributes *attributes);
/* The shortest decimal form that reads back the same. */
void print_double(struct weir_text *text, double number);
/* The lower bound of an exponential histogram's bucket: base^index, base = 2^(2^-scale). */
double bucket_bound(int32_t scale, int64_t index);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * How weir-load numbers items, and how weir-sink checks the numbers.
 *
 * A resource carries `weir.run` and `weir.producer` (text); each item `weir.seq`, 12 hex digits that count up
 * from 0 within a producer, and `weir.crc`, 8 hex digits of the CRC-32 (RFC 1952) over run, producer, seq and
 * the item's own text (a span's or metric's name, a log record's body), one byte of 0 behind each. With
 * --stamp a resource also carries `weir.due`, 16 hex digits: when its request was due, nanoseconds of
 * CLOCK_MONOTONIC.
 */
#ifndef BENCH_NUMBER_H
#define BENCH_NUMBER_H

#include <weir/str.h>

#define NUMBER_SEQ_DIGITS 12
#define NUMBER_CRC_DIGITS 8
#define NUMBER_DUE_DIGITS 16

/* The CRC over run and producer, from which each item's goes on. */
uint32_t number_base(struct weir_str run, struct weir_str producer);
/* The CRC of an item; `digits` are its NUMBER_SEQ_DIGITS. */
uint32_t number_crc(uint32_t base, const char *digits, struct weir_str text);

void number_print(uint64_t value, char *out, size_t digits);
/* false when the text is not `digits` hex digits long. */
bool number_parse(struct weir_str text, size_t digits, uint64_t *out);

#endif

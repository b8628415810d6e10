// SPDX-License-Identifier: Apache-2.0
/*
 * One input through both codecs, for fuzzing and for mutated messages.
 */
#ifndef WEIR_OTLP_TESTS_COMPARE_H
#define WEIR_OTLP_TESTS_COMPARE_H

#include "sdk/src/otlp/tests/oracle.h"

/*
 * What we accept protobuf-c must accept, and it must read the same from what we send on: untouched, edited,
 * split. What we refuse and protobuf-c accepts must be for one of the reasons that are ours alone: ids of a
 * wrong length, strings that are not UTF-8, deep values, fields of number 0, keys and lengths beyond 32 bits.
 * Ends the process otherwise. True if accepted.
 */
bool compare_codecs(enum weir_signal signal, const uint8_t *data, size_t length);

#endif

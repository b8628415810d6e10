// SPDX-License-Identifier: Apache-2.0
/*
 * Words for units (contrib-receivers-exporters 4.3).
 */
#ifndef WEIR_PROMETHEUS_UNITS_H
#define WEIR_PROMETHEUS_UNITS_H

#include <weir/str.h>

/* "By/s" is "bytes" and "second". A half without a word is empty; one that is not known is itself. Views into the unit
 * or into constants. */
struct unit_words {
    struct weir_str main;
    struct weir_str per;
};
struct unit_words unit_words_of(struct weir_str unit);

#endif

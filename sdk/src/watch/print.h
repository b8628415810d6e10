// SPDX-License-Identifier: Apache-2.0
/*
 * What a content is known by: FNV-1a tells accidents apart, which is all it is for.
 */
#ifndef WEIR_WATCH_PRINT_H
#define WEIR_WATCH_PRINT_H

#include <weir/str.h>

#define WEIR_PRINT_START UINT64_C(0xcbf29ce484222325)

/* Adds bytes to the print of what came before. */
static inline uint64_t weir_print_add(uint64_t print, struct weir_str content)
{
    for (size_t i = 0; i < content.length; i++)
        print = (print ^ (unsigned char)content.data[i]) * UINT64_C(0x100000001b3);
    return print;
}

#endif

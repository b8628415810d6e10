// SPDX-License-Identifier: Apache-2.0
/* Side libraries: parts of the SDK whose own libraries cost memory, loaded when first needed. */
#ifndef WEIR_BASE_SIDE_LIBRARY_H
#define WEIR_BASE_SIDE_LIBRARY_H

#include <weir/error.h>

/* The address of `symbol` in NAME.so, from WEIR_PKGLIBDIR of the environment or the directory compiled in; NULL with
 * a sentence in `error`. The library stays loaded. Any thread. */
const void *weir_side_library(const char *name, const char *symbol, struct weir_error *error);

#endif

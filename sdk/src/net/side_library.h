// SPDX-License-Identifier: Apache-2.0
/*
 * Side libraries of the SDK: what would cost memory in every process is loaded when it is first needed.
 */
#ifndef WEIR_NET_SIDE_LIBRARY_H
#define WEIR_NET_SIDE_LIBRARY_H

#include <weir/error.h>

/*
 * Loads `name` ("weir-tls.so") and returns the address of `symbol` in it, or NULL with `error` set. Looked
 * for in $WEIR_PKGLIBDIR, beside libweir, in libweir's weir/ folder, and in the folder given to configure. It
 * stays loaded until the process ends. Any thread.
 */
void *weir_side_library(const char *name, const char *symbol, struct weir_error *error);

#endif

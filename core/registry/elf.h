// SPDX-License-Identifier: Apache-2.0
/* Looks at a shared object's file before the dynamic linker does. */
#ifndef WEIR_CORE_REGISTRY_ELF_H
#define WEIR_CORE_REGISTRY_ELF_H

#include <weir/error.h>

/*
 * Checks that the file at `path` can be a plugin for this process: a shared object in ELF format, for this machine,
 * which needs no newer C library and no newer libweir than are here, and which exports the symbol `weir_component`.
 * Returns 0, or -1 with a sentence in `error`. Reads the file, runs none of it.
 * Format: System V ABI, chapters 4 and 5; symbol versions: LSB Core, "Symbol Versioning".
 */
int elf_check_plugin(const char *path, struct weir_error *error);

#endif

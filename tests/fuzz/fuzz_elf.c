// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzz target: the look at a plugin's ELF file. Whatever the bytes are, it answers yes, or no with a sentence of one
 * line.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/registry/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_error error = WEIR_ERROR_INIT;
    int file = memfd_create("plugin", MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    char *path = weir_xasprintf("/proc/self/fd/%d", file);
    int result = elf_check_plugin(path, &error);
    const char *text = weir_error_text(&error);
    if ((result == 0) != (*text == '\0') || strchr(text, '\n'))
        abort();
    weir_error_free(&error);
    free(path);
    close(file);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Loading side libraries. */
#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>

#include "sdk/src/base/side_library.h"

const void *weir_side_library(const char *name, const char *symbol, struct weir_error *error)
{
    const char *folder = secure_getenv("WEIR_PKGLIBDIR");
    char *path = weir_xasprintf("%s/%s.so", folder && *folder ? folder : WEIR_PKGLIBDIR, name);
    const void *found = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library)
        found = dlsym(library, symbol);
    if (!found)
        weir_error_set(error, "cannot load the side library %s: %s", path, dlerror());
    free(path);
    return found;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Side libraries of the SDK: found beside libweir, wherever that is.
 */
#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/component.h>

#include "sdk/src/net/side_library.h"

/* Opens folder/name; a library that is there and cannot be loaded is an error, one that is not there is not.
 */
static void *open_in(const char *folder, const char *name, struct weir_error *error)
{
    char *path = weir_xasprintf("%s/%s", folder, name);
    void *library = NULL;
    if (access(path, F_OK) == 0) {
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!library)
            weir_error_set(error, "cannot load %s: %s", name, dlerror());
    }
    free(path);
    return library;
}

static void *open_beside(const char *name, const char *below, struct weir_error *error)
{
    Dl_info info;
    static const char anchor = 0; // in libweir, or in the program that has libweir's code inside
    if (!dladdr(&anchor, &info) || !info.dli_fname)
        return NULL;
    const char *slash = strrchr(info.dli_fname, '/');
    if (!slash)
        return NULL;
    char *folder = weir_xasprintf("%.*s%s", (int)(slash - info.dli_fname), info.dli_fname, below);
    void *library = open_in(folder, name, error);
    free(folder);
    return library;
}

/* weir-tls.so is in the Debian package libweir1-tls. */
static void missing(const char *name, struct weir_error *error)
{
    size_t before = strlen("weir-"), after = strlen(".so");
    weir_error_set(error, "%s is not installed: it belongs beside libweir or in %s; the Debian package libweir%d-%.*s has it",
                   name, WEIR_PKGLIBDIR, WEIR_ABI_MAJOR, (int)(strlen(name) - before - after), name + before);
}

void *weir_side_library(const char *name, const char *symbol, struct weir_error *error)
{
    struct weir_error why = WEIR_ERROR_INIT;
    const char *folder = secure_getenv("WEIR_PKGLIBDIR");
    void *library = folder ? open_in(folder, name, &why) : NULL;
    if (!library)
        library = open_beside(name, "", &why);
    if (!library)
        library = open_beside(name, "/weir", &why);
    if (!library)
        library = open_in(WEIR_PKGLIBDIR, name, &why);
    void *address = library ? dlsym(library, symbol) : NULL;
    if (!address && library)
        weir_error_set(error, "%s is not of this version of libweir: it has no %s", name, symbol);
    else if (!address && weir_error_is_set(&why))
        weir_error_set(error, "%s", weir_error_text(&why));
    else if (!address)
        missing(name, error);
    weir_error_free(&why);
    return address;
}

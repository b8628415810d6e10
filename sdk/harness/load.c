// SPDX-License-Identifier: Apache-2.0
/* Plugins for tests, without the collector's registry. */
#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>

#include "sdk/harness/harness.h"

const struct weir_component *weir_harness_load_file(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        harness_fail(path, dlerror());
    const struct weir_component *component = dlsym(library, "weir_component");
    if (!component)
        harness_fail(path, dlerror());
    if (component->abi_major != WEIR_ABI_MAJOR || component->struct_size > sizeof *component)
        harness_fail(path, "was built for another plugin ABI than the harness");
    return component;
}

const struct weir_component *weir_harness_load(enum weir_kind kind, const char *type)
{
    const char *root = getenv("WEIR_PLUGIN_PATH");
    char *path = weir_xasprintf("%s/%s/%s.so", root ? root : ".", weir_kind_name(kind, true), type);
    const struct weir_component *component = weir_harness_load_file(path);
    free(path);
    return component;
}

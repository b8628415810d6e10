// SPDX-License-Identifier: Apache-2.0
/* Loading one plugin: ELF file, dynamic linker, ABI guard, identity, table. */
#include <config.h>

#include <dlfcn.h>
#include <link.h>
#include <ltdl.h>
#include <string.h>

#include <weir/describe.h>

#include "core/registry/elf.h"
#include "core/registry/load.h"

/*
 * libltdl binds functions when they are first called, where one that is missing ends the process, and says "file not
 * found" whatever went wrong. So the dynamic linker is asked first; the handle is never closed, for plugins stay.
 */
static int link_library(const char *path, struct weir_error *error)
{
    if (dlopen(path, RTLD_NOW | RTLD_LOCAL))
        return 0;
    const char *why = dlerror();
    size_t length = strlen(path);
    if (strncmp(why, path, length) == 0 && strncmp(why + length, ": ", 2) == 0)
        why += length + 2; /* the caller names the file */
    return weir_error_set(error, "cannot be loaded: %s: install what it needs, or rebuild it for this weir", why);
}

static lt_dlhandle open_library(const char *path, struct weir_error *error)
{
    lt_dladvise advise;
    lt_dlhandle handle = NULL;
    if (link_library(path, error) != 0)
        return NULL;
    if (lt_dladvise_init(&advise) == 0) {
        lt_dladvise_local(&advise);
        lt_dladvise_resident(&advise);
        handle = lt_dlopenadvise(path, advise);
        lt_dladvise_destroy(&advise);
    }
    if (!handle)
        weir_error_set(error, "cannot be loaded: %s", lt_dlerror());
    return handle;
}

/* The part of the structure that every version has. */
#define GUARD_SIZE offsetof(struct weir_component, kind)

/* The size of the object at `address` as its library's symbol table has it. */
static size_t symbol_size(const void *address)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol ? symbol->st_size : 0;
}

static int check_guard(const struct weir_component *component, struct weir_error *error)
{
    size_t size = symbol_size(component);
    if (size < GUARD_SIZE)
        return weir_error_set(error, "is no weir plugin: its weir_component has %zu bytes; build it with "
                                     "<weir/component.h>", size);
    if (component->abi_major != WEIR_ABI_MAJOR)
        return weir_error_set(error, "was built for plugin ABI %u.%u, this weir has %d.%d: rebuild it",
                              component->abi_major, component->abi_minor, WEIR_ABI_MAJOR, WEIR_ABI_MINOR);
    if (component->abi_minor > WEIR_ABI_MINOR)
        return weir_error_set(error, "was built for plugin ABI %u.%u, this weir has %d.%d: upgrade weir",
                              component->abi_major, component->abi_minor, WEIR_ABI_MAJOR, WEIR_ABI_MINOR);
    if (component->struct_size < GUARD_SIZE || component->struct_size > sizeof *component ||
        component->struct_size > size)
        return weir_error_set(error, "says its component structure has %u bytes, this weir's has %zu: rebuild it",
                              component->struct_size, sizeof *component);
    return 0;
}

/* A plugin of an older minor version has a shorter structure: what it does not know is zero. */
static const struct weir_component *complete(const struct weir_component *component)
{
    static struct completed {
        struct completed *next;
        struct weir_component component;
    } *all; /* never freed, as plugins are never unloaded */
    if (component->struct_size == sizeof *component)
        return component;
    struct completed *completed = weir_xcalloc(1, sizeof *completed);
    memcpy(&completed->component, component, component->struct_size);
    completed->next = all;
    all = completed;
    return &completed->component;
}

static bool has_name(const struct weir_component *component, const char *type)
{
    if (strcmp(component->type, type) == 0)
        return true;
    for (const char *const *alias = component->aliases; alias && *alias; alias++)
        if (strcmp(*alias, type) == 0)
            return true;
    return false;
}

static bool takes_telemetry(enum weir_kind kind)
{
    return kind == WEIR_PROCESSOR || kind == WEIR_EXPORTER || kind == WEIR_CONNECTOR;
}

static int check_identity(const struct weir_component *component, enum weir_kind kind, const char *type,
                          struct weir_error *error)
{
    if ((unsigned)component->kind >= WEIR_KINDS)
        return weir_error_set(error, "says it is of kind %u, which does not exist: rebuild it", (unsigned)component->kind);
    if (component->kind != kind)
        return weir_error_set(error, "is a plugin of the wrong kind: it holds the %s \"%s\", and belongs into the "
                                     "folder %s",
                              weir_kind_name(component->kind, false), component->type ? component->type : "",
                              weir_kind_name(component->kind, true));
    if (!component->type || !component->version || !component->summary)
        return weir_error_set(error, "is incomplete: its author must set type, version and summary");
    if (!has_name(component, type))
        return weir_error_set(error, "holds the %s \"%s\", not \"%s\": a plugin file is named for its type",
                              weir_kind_name(kind, false), component->type, type);
    if (!component->create)
        return weir_error_set(error, "is incomplete: its author must add the function create");
    if (takes_telemetry(kind) && !component->consume)
        return weir_error_set(error, "is incomplete: it takes telemetry, so its author must add the function consume");
    return 0;
}

static int check_table(const struct weir_component *component, struct weir_error *error)
{
    if (component->options && weir_options_verify(component->options, error) != 0)
        return weir_error_prefix(error, "has an option table that its author must correct");
    return 0;
}

const struct weir_component *load_plugin(const char *path, enum weir_kind kind, const char *type,
                                         struct weir_error *error)
{
    if (elf_check_plugin(path, error) != 0)
        return NULL;
    lt_dlhandle handle = open_library(path, error);
    if (!handle)
        return NULL;
    const struct weir_component *component = lt_dlsym(handle, "weir_component");
    if (!component) {
        weir_error_set(error, "is no weir plugin: %s", lt_dlerror());
        return NULL;
    }
    if (check_guard(component, error) != 0)
        return NULL;
    component = complete(component);
    if (check_identity(component, kind, type, error) != 0 || check_table(component, error) != 0)
        return NULL;
    return component;
}

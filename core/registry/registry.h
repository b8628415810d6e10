// SPDX-License-Identifier: Apache-2.0
/*
 * The registry: finds components by kind and type name on the plugin path and loads those that are asked for.
 *
 * DIR/exporters/loki.so holds the exporter "loki"; a symbolic link beside it gives it a second name. Libraries stay
 * loaded until the process ends.
 */
#ifndef WEIR_CORE_REGISTRY_H
#define WEIR_CORE_REGISTRY_H

#include <weir/component.h>
#include <weir/error.h>

struct registry;

/*
 * A registry over directories, searched in this order: each of `dirs`, the colon-separated WEIR_PLUGIN_PATH of the
 * environment, then the directory compiled in (the first two replace nothing: a name found in two of them is an error
 * that names both). Main thread, as all of this.
 */
struct registry *registry_new(const char *const *dirs, size_t count);
/* Loaded libraries stay. Accepts NULL. */
void registry_free(struct registry *registry);

/* Adds a component of the program itself, which is found before any file of that name; for tests. */
void registry_add(struct registry *registry, const struct weir_component *component);

/* The component, loaded now if it was not; NULL with a sentence that says what to do in `error`. Lives as long as the
 * process. */
const struct weir_component *registry_find(struct registry *registry, enum weir_kind kind, const char *type,
                                           struct weir_error *error);

/* One plugin file, as `weir components` shows it. */
struct registry_listing {
    const struct weir_component *component; /* NULL: cannot be loaded, see error */
    enum weir_kind kind;
    const char *name; /* of the file, without .so */
    const char *path;
    const char *error;
};

/* Loads everything that is found, without the links, and calls visit for each, sorted by kind and name. */
void registry_list(struct registry *registry, void (*visit)(const struct registry_listing *listing, void *argument),
                   void *argument);

#endif

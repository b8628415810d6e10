// SPDX-License-Identifier: Apache-2.0
/* Finding plugins by kind and name. */
#include <config.h>

#include <dirent.h>
#include <limits.h>
#include <ltdl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <weir/node.h>

#include "core/registry/load.h"
#include "core/registry/registry.h"

/* A name that was looked up, with its result. */
struct loaded {
    struct loaded *next;
    enum weir_kind kind;
    char *type;
    char *path;
    const struct weir_component *component; /* NULL: failed */
    char *error;
};

struct registry {
    char **dirs;
    size_t dir_count;
    struct loaded *loaded;
};

static void add_dir(struct registry *registry, struct weir_str dir)
{
    if (dir.length == 0)
        return;
    registry->dirs = weir_xrealloc(registry->dirs, (registry->dir_count + 1) * sizeof(char *));
    registry->dirs[registry->dir_count++] = weir_str_dup(dir);
}

struct registry *registry_new(const char *const *dirs, size_t count)
{
    struct registry *registry = weir_xcalloc(1, sizeof *registry);
    lt_dlinit();
    for (size_t i = 0; i < count; i++)
        add_dir(registry, weir_str_of(dirs[i]));
    const char *path = getenv("WEIR_PLUGIN_PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        add_dir(registry, weir_str_make(path, length));
        path += length + (path[length] == ':');
    }
    add_dir(registry, weir_str_of(WEIR_PLUGIN_DIR));
    return registry;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    while (registry->loaded) {
        struct loaded *loaded = registry->loaded;
        registry->loaded = loaded->next;
        free(loaded->type);
        free(loaded->path);
        free(loaded->error);
        free(loaded);
    }
    for (size_t i = 0; i < registry->dir_count; i++)
        free(registry->dirs[i]);
    free(registry->dirs);
    free(registry);
}

static char *plugin_path(const struct registry *registry, size_t dir, enum weir_kind kind, const char *type)
{
    return weir_xasprintf("%s/%s/%s.so", registry->dirs[dir], weir_kind_name(kind, true), type);
}

static bool same_file(const char *a, const char *b)
{
    struct stat left, right;
    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

/* The names on the path, for the nearest one. */
struct name_cursor {
    const struct registry *registry;
    enum weir_kind kind;
    size_t dir;
    DIR *stream;
    char name[NAME_MAX + 1];
};

static const char *plugin_name(struct name_cursor *cursor, const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    if (length <= 3 || strcmp(entry->d_name + length - 3, ".so") != 0)
        return NULL;
    memcpy(cursor->name, entry->d_name, length - 3);
    cursor->name[length - 3] = '\0';
    return cursor->name;
}

static const char *next_name(void *argument)
{
    struct name_cursor *cursor = argument;
    for (;;) {
        if (!cursor->stream) {
            if (cursor->dir == cursor->registry->dir_count)
                return NULL;
            char *path = weir_xasprintf("%s/%s", cursor->registry->dirs[cursor->dir++],
                                        weir_kind_name(cursor->kind, true));
            cursor->stream = opendir(path);
            free(path);
            continue;
        }
        const struct dirent *entry = readdir(cursor->stream);
        const char *name = entry ? plugin_name(cursor, entry) : NULL;
        if (name)
            return name;
        if (!entry) {
            closedir(cursor->stream);
            cursor->stream = NULL;
        }
    }
}

/* Sorted names of all plugins of the kind; the caller frees both levels. */
static char **all_names(const struct registry *registry, enum weir_kind kind, size_t *count)
{
    char **names = NULL;
    *count = 0;
    struct name_cursor cursor = { .registry = registry, .kind = kind };
    for (const char *name = next_name(&cursor); name; name = next_name(&cursor)) {
        size_t at = 0;
        while (at < *count && strcmp(names[at], name) < 0)
            at++;
        if (at < *count && strcmp(names[at], name) == 0)
            continue;
        names = weir_xrealloc(names, (*count + 1) * sizeof(char *));
        memmove(names + at + 1, names + at, (*count - at) * sizeof(char *));
        names[at] = weir_xstrdup(name);
        ++*count;
    }
    return names;
}

struct names {
    char **items;
    size_t count;
    size_t at;
};

static const char *next_of_names(void *argument)
{
    struct names *names = argument;
    return names->at < names->count ? names->items[names->at++] : NULL;
}

static void explain_missing(const struct registry *registry, enum weir_kind kind, const char *type,
                            struct weir_error *error)
{
    struct weir_text text = { 0 };
    struct names names = { 0 };
    names.items = all_names(registry, kind, &names.count);
    const char *nearest = weir_nearest_name(type, next_of_names, &names);
    weir_text_addf(&text, "unknown type: \"%s\" (valid values: [", type);
    for (size_t i = 0; i < names.count; i++)
        weir_text_addf(&text, "%s%s", i ? " " : "", names.items[i]);
    weir_text_adds(&text, "])");
    if (nearest)
        weir_text_addf(&text, "; did you mean \"%s\"?", nearest);
    weir_text_addf(&text, "; a plugin is the file %s/%s.so in", weir_kind_name(kind, true), type);
    for (size_t i = 0; i < registry->dir_count; i++)
        weir_text_addf(&text, "%s %s", i ? " or" : "", registry->dirs[i]);
    weir_text_addf(&text, ", from the Debian package weir-%s-", weir_kind_name(kind, false));
    for (const char *c = type; *c; c++)
        weir_text_addc(&text, *c == '_' ? '-' : *c);
    weir_error_set(error, "%s", weir_text_string(&text));
    for (size_t i = 0; i < names.count; i++)
        free(names.items[i]);
    free(names.items);
    weir_text_free(&text);
}

/* A link that leads nowhere exists, too: its error names it. */
static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* The one file that has this name; NULL with `error` set when there is none or there are two. */
static char *find_file(const struct registry *registry, enum weir_kind kind, const char *type,
                       struct weir_error *error)
{
    char *found = NULL;
    for (size_t i = 0; i < registry->dir_count; i++) {
        char *path = plugin_path(registry, i, kind, type);
        if (!exists(path) || (found && same_file(found, path))) {
            free(path);
        } else if (found) {
            weir_error_set(error, "there are two plugins for the %s \"%s\": %s and %s; remove one",
                           weir_kind_name(kind, false), type, found, path);
            free(path);
            free(found);
            return NULL;
        } else {
            found = path;
        }
    }
    if (!found)
        explain_missing(registry, kind, type, error);
    return found;
}

static struct loaded *add_loaded(struct registry *registry, enum weir_kind kind, const char *type)
{
    struct loaded *loaded = weir_xcalloc(1, sizeof *loaded);
    loaded->kind = kind;
    loaded->type = weir_xstrdup(type);
    loaded->next = registry->loaded;
    registry->loaded = loaded;
    return loaded;
}

void registry_add(struct registry *registry, const struct weir_component *component)
{
    add_loaded(registry, component->kind, component->type)->component = component;
}

static struct loaded *look_up(struct registry *registry, enum weir_kind kind, const char *type)
{
    for (struct loaded *l = registry->loaded; l; l = l->next)
        if (l->kind == kind && strcmp(l->type, type) == 0)
            return l;
    struct weir_error error = WEIR_ERROR_INIT;
    struct loaded *loaded = add_loaded(registry, kind, type);
    loaded->path = find_file(registry, kind, type, &error);
    if (loaded->path) {
        loaded->component = load_plugin(loaded->path, kind, type, &error);
        if (!loaded->component)
            weir_error_prefix(&error, "%s", loaded->path);
    }
    if (!loaded->component)
        loaded->error = weir_xstrdup(weir_error_text(&error));
    weir_error_free(&error);
    return loaded;
}

const struct weir_component *registry_find(struct registry *registry, enum weir_kind kind, const char *type,
                                           struct weir_error *error)
{
    const struct loaded *loaded = look_up(registry, kind, type);
    if (!loaded->component)
        weir_error_set(error, "%s", loaded->error);
    return loaded->component;
}

static bool is_alias(const char *path)
{
    struct stat status;
    char *real = realpath(path, NULL);
    if (!real || lstat(path, &status) != 0)
        return free(real), false;
    const char *name = strrchr(path, '/');
    const char *real_name = strrchr(real, '/');
    /* A link of the same name leads elsewhere (a build tree); one of another name is an alias. */
    bool alias = S_ISLNK(status.st_mode) && strcmp(name, real_name) != 0;
    free(real);
    return alias;
}

void registry_list(struct registry *registry, void (*visit)(const struct registry_listing *listing, void *argument),
                   void *argument)
{
    for (int kind = 0; kind < WEIR_KINDS; kind++) {
        size_t count = 0;
        char **names = all_names(registry, (enum weir_kind)kind, &count);
        for (size_t i = 0; i < count; i++) {
            const struct loaded *loaded = look_up(registry, (enum weir_kind)kind, names[i]);
            if (!loaded->path || !is_alias(loaded->path)) {
                struct registry_listing listing = { loaded->component, (enum weir_kind)kind, loaded->type,
                                                    loaded->path, loaded->error };
                visit(&listing, argument);
            }
            free(names[i]);
        }
        free(names);
    }
}

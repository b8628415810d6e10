// SPDX-License-Identifier: Apache-2.0
/*
 * A folder of configuration files: what packages and administrators drop beside the main file.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/provider.h"

/* What a shell's *.yaml names: an editor's or dpkg's leftovers are not among it. */
static int is_config(const struct dirent *entry)
{
    static const char ending[] = ".yaml";
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length >= sizeof(ending) &&
           strcmp(entry->d_name + length - (sizeof(ending) - 1), ending) == 0;
}

/* By their bytes, whatever the locale. */
static int compare_names(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

int folder_each(const char *path, void (*add)(const char *path, void *argument), void *argument,
                struct weir_error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_config, compare_names);
    if (count < 0)
        return weir_error_errno(error, errno, "unable to read the folder dir:%s", path);
    size_t length = strlen(path);
    const char *slash = length > 0 && path[length - 1] == '/' ? "" : "/";
    for (int i = 0; i < count; i++) {
        char *file = weir_xasprintf("%s%s%s", path, slash, entries[i]->d_name);
        add(file, argument);
        free(file);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

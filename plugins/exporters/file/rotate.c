// SPDX-License-Identifier: Apache-2.0
/* Names and ages of backups, as the rotation that upstream uses has them. */
#include <config.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/str.h>

#include "plugins/exporters/file/writer.h"

#define STAMP_LENGTH 23 /* 2006-01-02T15-04-05.000 */
#define DAY (INT64_C(86400) * 1000000000)

/* Where the extension begins: the last dot of the last part of the path, or its end. */
static size_t extension_at(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - path) : strlen(path);
}

char *rotate_backup_name(const char *path, int64_t now, bool local_time)
{
    time_t seconds = (time_t)(now / 1000000000);
    struct tm parts;
    char stamp[32];
    size_t base = extension_at(path);
    if (local_time)
        localtime_r(&seconds, &parts);
    else
        gmtime_r(&seconds, &parts);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H-%M-%S", &parts);
    return weir_xasprintf("%.*s-%s.%03d%s", (int)base, path, stamp, (int)(now / 1000000 % 1000), path + base);
}

struct backups {
    char **names; /* sorted: oldest first, for the stamp sorts like the time */
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True if the stamp has digits where a stamp has them. */
static bool is_stamp(const char *text)
{
    static const char form[] = "0000-00-00T00-00-00.000";
    for (size_t i = 0; i < STAMP_LENGTH; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static bool is_backup(const char *name, struct weir_str base, const char *extension)
{
    size_t length = base.length + 1 + STAMP_LENGTH + strlen(extension);
    return strlen(name) == length && memcmp(name, base.data, base.length) == 0 && name[base.length] == '-' &&
           is_stamp(name + base.length + 1) && strcmp(name + base.length + 1 + STAMP_LENGTH, extension) == 0;
}

static struct backups find_backups(const char *folder, struct weir_str base, const char *extension)
{
    struct backups backups = { NULL, 0 };
    DIR *stream = opendir(folder);
    for (const struct dirent *entry = stream ? readdir(stream) : NULL; entry; entry = readdir(stream)) {
        if (!is_backup(entry->d_name, base, extension))
            continue;
        backups.names = weir_xrealloc(backups.names, (backups.count + 1) * sizeof(char *));
        backups.names[backups.count++] = weir_xstrdup(entry->d_name);
    }
    if (stream)
        closedir(stream);
    if (backups.count > 1)
        qsort(backups.names, backups.count, sizeof(char *), compare_names);
    return backups;
}

void rotate_prune(const struct writer_options *options, int64_t now)
{
    if (options->max_backups == 0 && options->max_days == 0)
        return;
    const char *slash = strrchr(options->path, '/');
    const char *name = slash ? slash + 1 : options->path;
    char *folder = slash ? weir_xstrndup(options->path, (size_t)(slash - options->path) + 1) : weir_xstrdup(".");
    size_t extension = extension_at(options->path);
    struct weir_str base = weir_str_make(name, extension - (size_t)(name - options->path));
    struct backups backups = find_backups(folder, base, options->path + extension);
    char *oldest = rotate_backup_name(name, now - (int64_t)options->max_days * DAY, options->local_time);
    for (size_t i = 0; i < backups.count; i++) {
        bool too_many = options->max_backups > 0 && backups.count - i > options->max_backups;
        bool too_old = options->max_days > 0 && strcmp(backups.names[i], oldest) < 0;
        if (too_many || too_old) {
            char *path = weir_xasprintf("%s/%s", folder, backups.names[i]);
            unlink(path);
            free(path);
        }
        free(backups.names[i]);
    }
    free(backups.names);
    free(oldest);
    free(folder);
}

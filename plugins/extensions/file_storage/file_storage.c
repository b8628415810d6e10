// SPDX-License-Identifier: Apache-2.0
/*
 * The file_storage extension: a directory where other components keep what must survive a restart. It only says where
 * and how (weir/storage.h); the queue of an exporter is written by the sender's journal.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/storage.h>

struct compaction_config {
    bool on_start;
    bool on_rebound;
    bool cleanup_on_start;
    char *directory;
    int64_t rebound_needed_threshold;
    int64_t rebound_trigger_threshold;
    int64_t max_transaction_size;
    struct weir_duration check_interval;
};

struct storage_config {
    char *directory;
    struct weir_duration timeout;
    int64_t max_size;
    bool fsync;
    bool create_directory;
    char *directory_permissions;
    struct compaction_config compaction;
};

#define NO_EFFECT "No effect: disk space comes back as whole segments are removed. "

static const struct weir_option compaction_options[] = {
    WEIR_OPTION(struct compaction_config, on_start, "on_start", .preset = "false",
                .doc = NO_EFFECT "Upstream: compact at start."),
    WEIR_OPTION(struct compaction_config, on_rebound, "on_rebound", .preset = "false",
                .doc = NO_EFFECT "Upstream: compact once a full queue has been emptied."),
    WEIR_OPTION(struct compaction_config, directory, "directory", .preset = "/var/lib/otelcol/file_storage",
                .doc = NO_EFFECT "Upstream: where the copy is made."),
    WEIR_OPTION(struct compaction_config, rebound_needed_threshold, "rebound_needed_threshold_mib",
                .preset = "100", .bounded = true, .unit = "MiB",
                .doc = NO_EFFECT "Upstream: size from which compaction is wanted."),
    WEIR_OPTION(struct compaction_config, rebound_trigger_threshold, "rebound_trigger_threshold_mib",
                .preset = "10", .bounded = true, .unit = "MiB",
                .doc = NO_EFFECT "Upstream: content below which it is done."),
    WEIR_OPTION(struct compaction_config, max_transaction_size, "max_transaction_size", .preset = "65536",
                .doc = NO_EFFECT "Upstream: entries copied in one step."),
    WEIR_OPTION(struct compaction_config, check_interval, "check_interval", .preset = "5s",
                .doc = NO_EFFECT "Upstream: time between looks at the size."),
    WEIR_OPTION(struct compaction_config, cleanup_on_start, "cleanup_on_start", .preset = "false",
                .doc = NO_EFFECT "Upstream: remove what an interrupted compaction left."),
    WEIR_OPTION_END,
};

/* One warning for the section, not one for each key: the reason is the same. */
static void compaction_check(const void *group, struct weir_checker *checker)
{
    const struct compaction_config *config = group;
    static const char *const switches[] = { "on_start", "on_rebound", "cleanup_on_start" };
    if (config->max_transaction_size < 0)
        weir_check_fail(checker, "max_transaction_size",
                        "max transaction size for compaction cannot be less than 0");
    if (config->on_rebound && config->check_interval.ns <= 0)
        weir_check_fail(checker, "check_interval",
                        "compaction check interval must be positive when rebound compaction is set");
    const bool on[] = { config->on_start, config->on_rebound, config->cleanup_on_start };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(switches); i++)
        if (on[i]) {
            weir_check_warn(checker, switches[i],
                            "has no effect: there is nothing to compact, for disk space comes back as whole "
                            "segments are removed");
            return;
        }
}

static const struct weir_option_table compaction_table = { compaction_options, sizeof(struct compaction_config),
                                                           compaction_check };

static const struct weir_option storage_options[] = {
    WEIR_OPTION(struct storage_config, directory, "directory", .preset = "/var/lib/otelcol/file_storage",
                .doc = "Directory under which each client has a directory of its own."),
    WEIR_OPTION(struct storage_config, timeout, "timeout", .preset = "1s",
                .doc = "How long to wait for another process that has a client's directory locked."),
    WEIR_OPTION(struct storage_config, max_size, "max_size", .preset = "0", .unit = "bytes",
                .doc = "Most that one client may have on disk; 0: as much as fits."),
    WEIR_OPTION(struct storage_config, fsync, "fsync", .preset = "false",
                .doc = "Sync every write before it counts as written."),
    WEIR_OPTION(struct storage_config, create_directory, "create_directory", .preset = "false",
                .doc = "Make the directory, and those above it, if it is not there."),
    WEIR_OPTION(struct storage_config, directory_permissions, "directory_permissions", .preset = "0750",
                .doc = "Permissions of directories that are made, in octal, before the umask."),
    WEIR_OPTION_IGNORED("recreate", "what cannot be read is always set aside and the rest is kept"),
    WEIR_OPTION_GROUP(struct storage_config, compaction, "compaction", &compaction_table,
                      .doc = "Accepted and checked, without effect."),
    WEIR_OPTION_END,
};

/* -1 with the reason, in upstream's words. */
static int parse_permissions(const char *text, unsigned *mode, const char **why)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 8);
    if (end == text || *end != '\0' || errno || value > INT32_MAX || value < INT32_MIN) {
        *why = "directory_permissions value must be a valid octal representation";
        return -1;
    }
    if ((value & 0777) != value) {
        *why = "directory_permissions contain invalid bits for file access";
        return -1;
    }
    *mode = (unsigned)value;
    return 0;
}

static void check_directory(const struct storage_config *config, struct weir_checker *checker)
{
    struct stat info;
    if (stat(config->directory, &info) == 0) {
        if (!S_ISDIR(info.st_mode))
            weir_check_fail(checker, "directory", "%s is not a directory", config->directory);
    } else if (errno != ENOENT) {
        weir_check_fail(checker, "directory", "problem accessing configured directory: %s, err: %s",
                        config->directory, strerror(errno));
    } else if (!config->create_directory) {
        weir_check_fail(checker, "directory",
                        "directory must exist: %s: %s. You can enable the create_directory option to "
                        "automatically create it",
                        config->directory, strerror(errno));
    }
}

static void storage_check(const void *group, struct weir_checker *checker)
{
    const struct storage_config *config = group;
    const int64_t needed = config->compaction.rebound_needed_threshold,
                  trigger = config->compaction.rebound_trigger_threshold;
    const char *why;
    unsigned mode;
    if (!config->directory || !*config->directory)
        weir_check_fail(checker, "directory", "must not be empty");
    else
        check_directory(config, checker);
    if (config->timeout.ns < 0)
        weir_check_fail(checker, "timeout", "timeout cannot be less than 0");
    if (config->max_size < 0)
        weir_check_fail(checker, "max_size", "max_size cannot be less than 0");
    if (config->compaction.on_rebound && config->max_size > 0 &&
        (needed > config->max_size >> 20 || trigger > config->max_size >> 20))
        weir_check_fail(checker, "max_size", "must not be less than the rebound thresholds of compaction");
    if (config->create_directory &&
        parse_permissions(config->directory_permissions ? config->directory_permissions : "", &mode, &why) != 0)
        weir_check_fail(checker, "directory_permissions", "%s", why);
}

static const struct weir_option_table storage_table = { storage_options, sizeof(struct storage_config),
                                                        storage_check };

static int storage_create(struct weir_instance *instance, struct weir_error *error)
{
    const struct storage_config *config = weir_instance_config(instance);
    struct weir_storage_place *place = weir_xcalloc(1, sizeof *place);
    const char *why;
    (void)error;
    place->directory = config->directory;
    place->directory_mode = 0750;
    if (config->create_directory)
        (void)parse_permissions(config->directory_permissions, &place->directory_mode, &why); /* has been checked */
    place->create = config->create_directory;
    place->sync = config->fsync;
    place->max_bytes = (uint64_t)config->max_size;
    place->lock_timeout = config->timeout.ns;
    weir_instance_set_data(instance, place);
    return 0;
}

/* Makes what is missing of the path's directories; one that somebody else makes meanwhile is as good. */
static int make_directories(const char *path, unsigned mode)
{
    char *copy = weir_xstrdup(path);
    int result = 0;
    for (char *at = copy + 1; result == 0 && (at = strchr(at, '/')); at++) {
        *at = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            result = -1;
        *at = '/';
    }
    if (result == 0 && mkdir(copy, mode) != 0 && errno != EEXIST)
        result = -1;
    free(copy);
    return result;
}

static int storage_start(struct weir_instance *instance, struct weir_error *error)
{
    const struct weir_storage_place *place = weir_instance_data(instance);
    if (place->create && make_directories(place->directory, place->directory_mode) != 0)
        return weir_error_errno(error, errno, "cannot make directory %s", place->directory);
    if (access(place->directory, R_OK | W_OK | X_OK) != 0)
        return weir_error_errno(error, errno, "problem accessing configured directory: %s", place->directory);
    return 0;
}

static void storage_destroy(struct weir_instance *instance)
{
    free(weir_instance_data(instance));
    weir_instance_set_data(instance, NULL);
}

static const struct weir_storage_place *storage_place(struct weir_instance *extension)
{
    return weir_instance_data(extension);
}

static const void *storage_offer(struct weir_instance *instance, const char *interface)
{
    static const struct weir_storage functions = { sizeof functions, storage_place };
    (void)instance;
    return strcmp(interface, WEIR_STORAGE) == 0 ? &functions : NULL;
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXTENSION,
    .type = "file_storage",
    .version = PACKAGE_VERSION,
    .summary = "Keeps on disk what other components must not lose.",
    .options = &storage_table,
    .create = storage_create,
    .start = storage_start,
    .destroy = storage_destroy,
    .offer = storage_offer,
};

// SPDX-License-Identifier: Apache-2.0
/*
 * The file exporter: telemetry as lines of OTLP JSON, or as length-prefixed protobuf (contrib-receivers-exporters 8.1).
 * One file for all signals of an instance. Batches are encoded on their worker and written on libuv's thread pool; the
 * answer comes when they are written.
 */
#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <weir/component.h>
#include <weir/compress.h>
#include <weir/otlp_json.h>

#include "plugins/exporters/file/writer.h"

enum file_format { FORMAT_JSON, FORMAT_PROTO };
enum file_compression { COMPRESSION_NONE, COMPRESSION_ZSTD };

struct file_rotation {
    int64_t max_megabytes;
    int64_t max_days;
    int64_t max_backups;
    bool localtime;
};

struct file_compression_params {
    int64_t level;
};

struct file_config {
    char *path;
    bool append;
    bool rotation_on;
    struct file_rotation rotation;
    int format;
    int compression;
    struct file_compression_params compression_params;
    bool create_directory;
    char *directory_permissions;
};

static const struct weir_option rotation_options[] = {
    WEIR_OPTION(struct file_rotation, max_megabytes, "max_megabytes", .preset = "100", .bounded = true, .min = 1,
                .max = INT32_MAX, .unit = "MiB", .doc = "Size at which a file is set aside and a new one begun."),
    WEIR_OPTION(struct file_rotation, max_days, "max_days", .preset = "0", .bounded = true, .max = INT32_MAX,
                .unit = "days", .doc = "Age at which a backup is removed; 0 keeps them whatever their age."),
    WEIR_OPTION(struct file_rotation, max_backups, "max_backups", .preset = "100", .bounded = true,
                .max = INT32_MAX, .doc = "Backups that are kept; 0 keeps all."),
    WEIR_OPTION(struct file_rotation, localtime, "localtime", .preset = "false",
                .doc = "Name backups by local time instead of UTC."),
    WEIR_OPTION_END,
};
static const struct weir_option_table rotation_table = { rotation_options, sizeof(struct file_rotation), NULL };

static const struct weir_option params_options[] = {
    WEIR_OPTION(struct file_compression_params, level, "level", .preset = "0", .bounded = true, .min = -7,
                .max = 22, .doc = "Level of zstd; 0 is its fastest ordinary one."),
    WEIR_OPTION_END,
};
static const struct weir_option_table params_table = { params_options, sizeof(struct file_compression_params),
                                                       NULL };

static const struct weir_option_value formats[] = { { "json", FORMAT_JSON }, { "proto", FORMAT_PROTO }, { NULL, 0 } };
static const struct weir_option_value compressions[] = { { "", COMPRESSION_NONE },
                                                         { "none", COMPRESSION_NONE },
                                                         { "zstd", COMPRESSION_ZSTD },
                                                         { NULL, 0 } };

static const struct weir_option file_options[] = {
    WEIR_OPTION(struct file_config, path, "path", .required = true, .doc = "File to write to."),
    WEIR_OPTION(struct file_config, append, "append", .preset = "false",
                .doc = "Keep what is in the file; otherwise it is emptied on start."),
    WEIR_OPTION_OPTIONAL(struct file_config, rotation, rotation_on, "rotation", &rotation_table, WEIR_NONE_OFF,
                         .doc = "Set the file aside when it has grown."),
    WEIR_OPTION(struct file_config, format, "format", .preset = "json", .values = formats,
                .doc = "json: a line for each batch; proto: 4 bytes of length, big endian, and the message."),
    WEIR_OPTION(struct file_config, compression, "compression", .preset = "", .values = compressions,
                .doc = "Compress each batch; it is then written with its length before it, as for proto."),
    WEIR_OPTION_GROUP(struct file_config, compression_params, "compression_params", &params_table,
                      .doc = "How hard to compress."),
    WEIR_OPTION(struct file_config, create_directory, "create_directory", .preset = "false",
                .doc = "Make the directory of the file if it is not there."),
    WEIR_OPTION(struct file_config, directory_permissions, "directory_permissions", .preset = "0755",
                .doc = "Permissions of directories that are made, in octal."),
    WEIR_OPTION_IGNORED("flush_interval", "every batch is written at once"),
    WEIR_OPTION_REFUSED("group_by", "this version writes to one file only"),
    WEIR_OPTION_REFUSED("encoding", "this version has no encoding extensions"),
    WEIR_OPTION_END,
};

static bool parse_mode(const char *text, mode_t *mode)
{
    char *end;
    unsigned long value = strtoul(text, &end, 8);
    if (end == text || *end != '\0' || value > 07777)
        return false;
    *mode = (mode_t)value;
    return true;
}

static void file_check(const void *group, struct weir_checker *checker)
{
    const struct file_config *config = group;
    mode_t mode;
    if (config->append && config->rotation_on)
        weir_check_fail(checker, "append", "append and rotation enabled at the same time is not supported");
    if (config->append && config->compression != COMPRESSION_NONE)
        weir_check_fail(checker, "append", "append and compression enabled at the same time is not supported");
    if (!parse_mode(config->directory_permissions, &mode))
        weir_check_fail(checker, "directory_permissions", "\"%s\" is no octal number from 0 to 7777",
                        config->directory_permissions);
    if (weir_check_given(checker, "directory_permissions") && !config->create_directory)
        weir_check_fail(checker, "directory_permissions",
                        "directory_permissions is of use only with create_directory");
}

static const struct weir_option_table file_table = { file_options, sizeof(struct file_config), file_check };

/* Freed when neither the instance nor a job needs it: a write that hangs may outlast its instance. */
struct file_instance {
    _Atomic unsigned references;
    struct writer *writer;
};

/* One batch on its way into the file. */
struct record {
    struct weir_job job;
    struct record *next, **link; /* among those of the shard */
    struct file_instance *instance;
    struct weir_shard *shard; /* NULL once the shard has stopped, and the ack is completed */
    struct weir_ack *ack;
    struct weir_slices bytes;
    bool failed;
    struct weir_error error;
};

/* The part on one worker. */
struct file_shard {
    struct record *records; /* being written */
    bool draining;
};

static void release_instance(struct file_instance *own)
{
    if (atomic_fetch_sub(&own->references, 1) > 1)
        return;
    writer_close(own->writer);
    free(own);
}

static int make_directories(const char *path, mode_t mode, struct weir_error *error)
{
    char *copy = weir_xstrdup(path);
    int result = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && result == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            result = weir_error_errno(error, errno, "mkdir %s", copy);
        *slash = '/';
    }
    free(copy);
    return result;
}

static int file_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    struct file_instance *own = weir_xcalloc(1, sizeof *own);
    own->references = 1;
    weir_instance_set_data(instance, own);
    return 0;
}

static int file_start(struct weir_instance *instance, struct weir_error *error)
{
    const struct file_config *config = weir_instance_config(instance);
    struct file_instance *own = weir_instance_data(instance);
    mode_t mode = 0755;
    parse_mode(config->directory_permissions, &mode);
    if (config->create_directory && make_directories(config->path, mode, error) != 0)
        return -1;
    struct writer_options options = {
        .path = config->path,
        .append = config->append,
        .rotate = config->rotation_on,
        .max_bytes = (uint64_t)config->rotation.max_megabytes << 20,
        .max_days = (unsigned)config->rotation.max_days,
        .max_backups = (unsigned)config->rotation.max_backups,
        .local_time = config->rotation.localtime,
        .wall_clock = weir_wall_clock,
    };
    own->writer = writer_open(&options, error);
    return own->writer ? 0 : -1;
}

static int file_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    (void)error;
    weir_shard_set_data(shard, weir_xcalloc(1, sizeof(struct file_shard)));
    return 0;
}

/* A JSON line. */
static bool encode_json(struct weir_batch *batch, struct weir_slices *out)
{
    struct weir_buffer *line = weir_buffer_new(weir_batch_bytes(batch) * 2);
    bool good = line && weir_batch_to_json(batch, line, NULL) && weir_buffer_append(line, "\n", 1) &&
                weir_slices_add(out, line, line->data, line->length);
    weir_buffer_unref(line);
    return good;
}

static bool add_with_length(struct weir_slices *body, struct weir_slices *out)
{
    uint8_t head[4] = { (uint8_t)(body->bytes >> 24), (uint8_t)(body->bytes >> 16), (uint8_t)(body->bytes >> 8),
                        (uint8_t)body->bytes };
    struct weir_buffer *length = body->bytes <= UINT32_MAX ? weir_buffer_copy(head, sizeof head) : NULL;
    bool good = length && weir_slices_add(out, length, length->data, length->length);
    for (size_t i = 0; good && i < body->count; i++)
        good = weir_slices_add(out, body->buffers[i], body->ranges[i].iov_base, body->ranges[i].iov_len);
    weir_buffer_unref(length);
    return good;
}

static bool add_compressed(const struct weir_slices *body, int level, struct weir_slices *out)
{
    struct weir_buffer *packed = NULL;
    struct weir_slices one = { 0 };
    bool good = weir_deflate(WEIR_ENCODING_ZSTD, level, body, &packed, NULL) == 0 &&
                weir_slices_add(&one, packed, packed->data, packed->length) && add_with_length(&one, out);
    weir_slices_free(&one);
    weir_buffer_unref(packed);
    return good;
}

static bool encode(const struct file_config *config, struct weir_batch *batch, struct weir_slices *out)
{
    struct weir_slices body = { 0 };
    bool good = config->format == FORMAT_JSON ? encode_json(batch, &body) : weir_batch_encode(batch, &body);
    if (good && config->compression == COMPRESSION_ZSTD)
        good = add_compressed(&body, (int)config->compression_params.level, out);
    else if (good && config->format == FORMAT_PROTO)
        good = add_with_length(&body, out);
    else if (good) {
        *out = body;
        return true;
    }
    weir_slices_free(&body);
    return good;
}

static void write_record(struct weir_job *job)
{
    struct record *record = WEIR_CONTAINER_OF(job, struct record, job);
    record->failed = writer_append(record->instance->writer, &record->bytes, &record->error) != 0;
}

static void link_record(struct file_shard *own, struct record *record)
{
    record->next = own->records;
    record->link = &own->records;
    if (record->next)
        record->next->link = &record->next;
    own->records = record;
}

static void unlink_record(struct record *record)
{
    *record->link = record->next;
    if (record->next)
        record->next->link = record->link;
}

static void answer(const struct record *record)
{
    if (!record->failed) {
        weir_ack_ok(record->ack);
        return;
    }
    struct weir_result failure = WEIR_RESULT_RETRYABLE(weir_error_text(&record->error));
    weir_log(weir_instance_logger(weir_shard_instance(record->shard)), WEIR_ERROR, "Cannot write telemetry",
             WEIR_F_TEXT("error", failure.reason));
    weir_ack_complete(record->ack, &failure);
}

static void drained_if_idle(struct weir_shard *shard)
{
    struct file_shard *own = weir_shard_data(shard);
    if (!own->draining || own->records)
        return;
    own->draining = false;
    weir_shard_drained(shard);
}

static void written(struct weir_job *job)
{
    struct record *record = WEIR_CONTAINER_OF(job, struct record, job);
    if (record->shard) {
        unlink_record(record);
        answer(record);
        drained_if_idle(record->shard);
    }
    release_instance(record->instance);
    weir_slices_free(&record->bytes);
    weir_error_free(&record->error);
    free(record);
}

static void file_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct file_instance *instance = weir_instance_data(weir_shard_instance(shard));
    struct weir_slices bytes = { 0 };
    bool good = encode(weir_instance_config(weir_shard_instance(shard)), batch, &bytes);
    weir_batch_unref(batch);
    if (!good) {
        struct weir_result failure = WEIR_RESULT_RETRYABLE("out of memory");
        weir_slices_free(&bytes);
        weir_ack_complete(ack, &failure);
        return;
    }
    struct record *record = weir_xcalloc(1, sizeof *record);
    record->job = (struct weir_job){ .work = write_record, .done = written };
    record->instance = instance;
    record->shard = shard;
    record->ack = ack;
    record->bytes = bytes;
    atomic_fetch_add(&instance->references, 1);
    link_record(weir_shard_data(shard), record);
    weir_worker_offload(weir_shard_worker(shard), &record->job);
}

static void file_drain(struct weir_shard *shard)
{
    struct file_shard *own = weir_shard_data(shard);
    own->draining = true;
    drained_if_idle(shard);
}

/* Writes that still hang have their answer now, and end by themselves. */
static void file_worker_stop(struct weir_shard *shard)
{
    struct file_shard *own = weir_shard_data(shard);
    struct weir_result stopping = WEIR_RESULT_RETRYABLE("shutting down");
    for (struct record *record = own ? own->records : NULL; record; record = record->next) {
        record->shard = NULL;
        weir_ack_complete(record->ack, &stopping);
    }
    weir_shard_set_data(shard, NULL);
    free(own);
}

static void file_destroy(struct weir_instance *instance)
{
    struct file_instance *own = weir_instance_data(instance);
    if (own)
        release_instance(own);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "file",
    .version = PACKAGE_VERSION,
    .summary = "Writes telemetry to a file, as lines of OTLP JSON or as length-prefixed protobuf.",
    .stability = { WEIR_ALPHA, WEIR_ALPHA, WEIR_ALPHA, WEIR_UNSUPPORTED },
    .options = &file_table,
    .create = file_create,
    .start = file_start,
    .worker_start = file_worker_start,
    .consume = file_consume,
    .drain = file_drain,
    .worker_stop = file_worker_stop,
    .destroy = file_destroy,
};

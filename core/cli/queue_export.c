// SPDX-License-Identifier: Apache-2.0
/* weir queue export DIR: each request as a file. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/otlp_json.h>

#include "core/cli/queue.h"

struct export {
    const struct queue *queue;
    const char *folder;
    bool json;
    uint64_t count, items;
    struct weir_error *error;
};

/* NULL with the error set. */
static struct weir_buffer *to_json(const struct queued_request *request, struct weir_error *error)
{
    struct weir_batch *batch =
        weir_batch_from_bytes((enum weir_signal)request->queue->signal, request->record->buffer, request->bytes.data,
                              request->bytes.length, error);
    struct weir_buffer *out = batch ? weir_buffer_new(request->bytes.length * 2 + 1) : NULL;
    bool ok = out && weir_batch_to_json(batch, out, error) && weir_buffer_append(out, "\n", 1);
    weir_batch_unref(batch);
    if (ok)
        return out;
    if (!weir_error_is_set(error))
        weir_error_set(error, "out of memory");
    weir_buffer_unref(out);
    return NULL;
}

static int write_file(const char *path, const void *data, size_t length, struct weir_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640), failed = fd < 0 ? errno : 0;
    for (size_t done = 0; !failed && done < length;) {
        ssize_t wrote = write(fd, (const char *)data + done, length - done);
        if (wrote < 0 && errno != EINTR)
            failed = errno;
        else if (wrote > 0)
            done += (size_t)wrote;
    }
    if (fd >= 0 && close(fd) != 0 && !failed)
        failed = errno;
    return failed ? weir_error_errno(error, failed, "cannot write %s", path) : 0;
}

static int write_request(struct export *export, const struct queued_request *request)
{
    struct weir_buffer *json = export->json ? to_json(request, export->error) : NULL;
    if (export->json && !json)
        return weir_error_prefix(export->error, "%s: record %" PRIu64, request->queue->name,
                                 request->record->sequence);
    char *path = weir_xasprintf("%s/%s-%020" PRIu64 ".%s", export->folder, request->queue->name,
                                request->record->sequence, json ? "json" : "pb");
    int result = json ? write_file(path, json->data, json->length, export->error)
                      : write_file(path, request->bytes.data, request->bytes.length, export->error);
    free(path);
    weir_buffer_unref(json);
    return result;
}

static bool export_record(const struct weir_journal_found *found, void *user)
{
    struct export *export = user;
    struct queued_request request;
    if (found->state != WEIR_JOURNAL_IS_WAITING)
        return true;
    if (!queue_request(export->queue, &found->record, &request, export->error) ||
        write_request(export, &request) != 0)
        return false;
    export->count++;
    export->items += found->record.items;
    return true;
}

int queue_export(const struct cli *cli, struct queues *queues)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const char *format = cli->format ? cli->format : "json";
    struct export export = { .folder = cli->output, .json = strcmp(format, "json") == 0, .error = &error };
    if (!cli->output)
        return cli_usage("queue export takes a folder: --output FOLDER");
    if (!export.json && strcmp(format, "protobuf") != 0)
        return cli_usage("invalid format \"%s\": json or protobuf", format);
    if (mkdir(cli->output, 0750) != 0 && errno != EEXIST)
        return cli_fail("cannot make the folder %s: %s", cli->output, strerror(errno));
    for (size_t i = 0; !weir_error_is_set(&error) && i < queues->count; i++) {
        export.queue = &queues->items[i];
        (void)weir_journal_walk(export.queue->path, cli->dead ? WEIR_JOURNAL_DEAD_LETTER : NULL, export_record, &export,
                                &error);
    }
    printf("exported %" PRIu64 " requests with %" PRIu64 " items\n", export.count, export.items);
    int result = weir_error_is_set(&error) ? cli_fail("%s", weir_error_text(&error)) : EXIT_STOPPED;
    weir_error_free(&error);
    return result;
}

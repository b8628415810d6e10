// SPDX-License-Identifier: Apache-2.0
/* The queues on disk that `weir queue` works on. */
#ifndef WEIR_CORE_CLI_QUEUE_H
#define WEIR_CORE_CLI_QUEUE_H

#include <weir/batch.h>
#include <weir/journal.h>

#include "core/cli/cli.h"

/* A directory with a journal, which no collector has open. */
struct queue {
    char *path;
    const char *name; /* the end of `path` */
    int signal;       /* enum weir_signal; -1: its name does not say */
    int lock;         /* a file descriptor, or -1 */
};

struct queues {
    struct queue *items;
    size_t count;
};

/* All queues in `directory`, which is one itself or holds some, each locked. -1 with `error` set: there is none, or a
 * collector has one open. */
int queues_open(const char *directory, struct queues *out, struct weir_error *error);
void queues_close(struct queues *queues);

/* A request of a queue, from `weir_journal_found::record`, valid as long as that. */
struct queued_request {
    const struct queue *queue;
    const struct weir_journal_record *record;
    struct weir_str bytes; /* in OTLP's protobuf */
};
/* False with `error` set: there is no request in it, or the queue's signal is not known. */
bool queue_request(const struct queue *queue, const struct weir_journal_record *record, struct queued_request *out,
                   struct weir_error *error);

int queue_export(const struct cli *cli, struct queues *queues);
int queue_replay(const struct cli *cli, struct queues *queues);

#endif

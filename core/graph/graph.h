// SPDX-License-Identifier: Apache-2.0
/*
 * The graph of one configuration: its components as instances, the pipelines as edges between them.
 */
#ifndef WEIR_CORE_GRAPH_H
#define WEIR_CORE_GRAPH_H

#include <weir/sys/host.h>

#include "core/config/config.h"
#include "core/registry/registry.h"

/* What the graph keeps about an instance besides what the SDK does. */
struct graph_node {
    struct weir_instance *instance;
    struct weir_logger *logger;
    const char *pipeline; /* processors: the pipeline that owns it; NULL for the others */
    bool started;
    bool opened; /* its shards were opened */
};

struct graph {
    struct graph_node **nodes; /* in the order of the data: receivers first, exporters last */
    size_t node_count;
    struct graph_node **extensions; /* in the order of service::extensions */
    size_t extension_count;
    const struct weir_host *host;
    void *host_context;
};

/*
 * Makes the graph: loads the plugins that the config names, decodes and checks every component's options, connects what
 * the pipelines list, and creates every instance; opens nothing. Adds what is wrong to `problems` (with file, line and
 * column), all of it; returns NULL then. `config` must outlive the graph. Main thread, after weir_workers_create.
 */
struct graph *graph_build(struct weir_config *config, struct registry *registry, const struct weir_host *host,
                          void *host_context, struct weir_problems *problems);

/* Destroys and frees everything; what was started has been stopped. Accepts NULL. */
void graph_free(struct graph *graph);

/* The running extension of this id, NULL when there is none. Main thread. */
struct weir_instance *graph_extension(const struct graph *graph, const char *id);

/* Starts extensions, then components from exporters to receivers, on all workers. On failure -1 with `error` set: the
 * caller then calls graph_stop, as after success. Main thread; the workers run. */
int graph_start(struct graph *graph, struct weir_error *error);

/* Tells everyone who wants to know that the collector is ready, or no longer. */
void graph_announce(struct graph *graph, bool ready);

/* Has receivers take no more, then lets everything that is under way arrive, for at most `timeout` nanoseconds. True
 * if all of it did. Main thread. */
bool graph_drain(struct graph *graph, int64_t timeout);

/* Stops shards from exporters to receivers, then instances, then extensions. */
void graph_stop(struct graph *graph);

/* What an answer of the pipeline means: the least that its components promise, up to and including its exporters and
 * connectors. `link` is the first of them, in the order of the data, that promises no more; NULL with
 * WEIR_PROMISE_SINK. */
enum weir_promise graph_promise(const struct graph *graph, const struct weir_pipeline *pipeline,
                                const struct graph_node **link);

/* To be called by the host's `drained`. Any worker. */
void graph_shard_drained(void);

/* Adds the reconciliation to `text`: a line for each instance and signal, and whether the ledger closes; returns true
 * if it does. The workers must be at rest. */
bool graph_print_ledger(const struct graph *graph, struct weir_text *text);

#endif

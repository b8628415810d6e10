// SPDX-License-Identifier: Apache-2.0
/*
 * The graph of the running configuration: its components as instances, the pipelines as edges between them; and the
 * nodes that a reload took out and that still bring home what they have under way.
 */
#ifndef WEIR_CORE_GRAPH_H
#define WEIR_CORE_GRAPH_H

#include <weir/sys/host.h>

#include "core/config/config.h"
#include "core/registry/registry.h"

struct graph;

enum graph_state {
    GRAPH_NEW,      /* not started, or as part of a change that does not run yet */
    GRAPH_LIVE,     /* part of the running configuration */
    GRAPH_WAITING,  /* taken out: others that are on their way out may still send to it */
    GRAPH_DRAINING, /* sends on what it holds */
    GRAPH_SETTLING, /* waits for the answers to what it sent */
    GRAPH_CLOSED,   /* its shards are closed */
    GRAPH_GONE,     /* nothing on any worker knows it any more: may be freed */
};

/* What the graph keeps about an instance besides what the SDK does. */
struct graph_node {
    struct graph *graph;
    struct weir_instance *instance;
    struct weir_logger *logger;
    struct weir_config *config; /* that its options were decoded from */
    char *pipeline;             /* processors: the pipeline that owns it; NULL for the others */
    char *identity;             /* everything in the configuration that made it what it is */
    struct graph_node **targets; /* that it sends to */
    size_t target_count;
    struct graph_node **planned; /* that it will send to, once the change is in effect */
    size_t planned_count;
    struct graph_node **extensions; /* that it was given */
    size_t extension_count;
    bool started;
    bool opened; /* its shards were opened */
    bool stuck;  /* it was stopped with something under way, which may still come back: nothing of it is freed */
    enum graph_state state;
    int64_t deadline;          /* of its way out, then of what it has under way, on worker 0's clock */
    bool retired;              /* what it held at last is for a successor */
    atomic_int undrained;      /* shards that have not reported weir_shard_drained yet */
    atomic_int unsettled;      /* shards that wait for answers */
    struct weir_task farewell; /* comes once what its shards have posted has run */
    bool farewell_posted;
};

/* Numbers of all that had one kind, id and pipeline in the life of the process, for one signal. */
struct graph_row {
    const struct weir_component *component;
    char *id;
    char *pipeline; /* NULL but for processors */
    enum weir_signal signal;
    struct weir_label *labels; /* that the component added */
    size_t label_count;
    struct weir_ledger ledger;
    struct graph_transport {
        char *name;
        uint64_t accepted;
        uint64_t refused;
    } *transports; /* receivers */
    size_t transport_count;
};

struct graph_rows {
    struct graph_row *items;
    size_t count;
};

struct graph {
    struct registry *registry;
    struct weir_host host;               /* what instances see */
    const struct weir_host *outer;       /* what the graph passes on to */
    void *context;
    struct weir_config *config;
    struct graph_node **nodes; /* in the order of the data: receivers first, exporters last */
    size_t node_count;
    struct graph_node **extensions; /* in the order of service::extensions */
    size_t extension_count;
    struct graph_node **retiring; /* those taken out first come first; in the order of the data */
    size_t retiring_count;
    struct graph_rows past;      /* of nodes that are gone */
    struct graph_change *change; /* being put into effect */
    struct weir_timer deadline; /* of the next retiring node */
    struct weir_task wake;
    atomic_bool wake_posted;
    bool ending;                /* graph_drain has been called */
    int64_t drain_timeout; /* that retiring nodes get, nanoseconds */
};

/* What another configuration makes of a graph. */
struct graph_change {
    struct graph *graph;
    struct weir_config *config;
    struct graph_node **nodes; /* those of the graph that stay, and new ones that are created */
    size_t node_count;
    struct graph_node **extensions;
    size_t extension_count;
};

/*
 * Makes the graph: loads the plugins that the config names, decodes and checks every component's options, connects what
 * the pipelines list, and creates every instance; opens nothing. Adds what is wrong to `problems` (with file, line and
 * column), all of it; returns NULL then. Of `host`, drained and idle are the graph's own; `context` is for
 * graph_context. Main thread, after weir_workers_create.
 */
struct graph *graph_build(struct weir_config *config, struct registry *registry, const struct weir_host *host,
                          void *context, struct weir_problems *problems);

/* The context of the graph that the instance belongs to. Any thread. */
void *graph_context(const struct weir_instance *instance);

/* True if the instance belongs to the running configuration; one that is freed already does not. Main thread. */
bool graph_is_live(const struct graph *graph, const struct weir_instance *instance);

/* Destroys and frees everything; what was started has been stopped. Accepts NULL. */
void graph_free(struct graph *graph);

/* Starts extensions, then components from exporters to receivers, on all workers. On failure -1 with `error` set: the
 * caller then calls graph_stop, as after success. Main thread; the workers run. */
int graph_start(struct graph *graph, struct weir_error *error);

/* Tells everyone who wants to know that the collector is ready, or no longer. */
void graph_announce(struct graph *graph, bool ready);

/* Instances of the running configuration, extensions among them, whose status is an error. Main thread. */
unsigned graph_count_failing(const struct graph *graph);

/* Has receivers take no more, then lets everything that is under way arrive, for at most `timeout` nanoseconds. True
 * if all of it did. Main thread. */
bool graph_drain(struct graph *graph, int64_t timeout);

/* Stops shards from exporters to receivers, then instances, then extensions. */
void graph_stop(struct graph *graph);

/*
 * Reload. graph_plan compares `config` with what runs: what is the same stays, all else is created beside it; nothing is
 * opened. NULL when there are errors in `problems`. The change is given to graph_apply, or to graph_discard; until then
 * there is no other. Main thread.
 */
struct graph_change *graph_plan(struct graph *graph, struct weir_config *config, struct weir_problems *problems);
/* True if the change would leave every node and every edge as it is. */
bool graph_change_is_empty(const struct graph_change *change);
/* Nodes that are in one of the two only: those that the change brings and those that it takes out. */
void graph_change_count(const struct graph_change *change, size_t *brought, size_t *taken);
/*
 * Starts what is new, then has every worker turn to the new edges between two batches, then takes out what is no longer
 * there: receivers stop taking in, and each node goes once it has sent on what it holds and has all its answers, or at
 * the latest drain_timeout from now; graph_tend does that while the loop runs. -1 with `error` set when something did
 * not start: then all is as before. Consumes the change. Main thread, outside of the loop.
 */
int graph_apply(struct graph_change *change, struct weir_error *error);
void graph_discard(struct graph_change *change);
/* Moves retiring nodes on as far as they can go now. Main thread. */
void graph_tend(struct graph *graph);

/* What an answer of the pipeline means: the least that its components promise, up to and including its exporters and
 * connectors. `link` is the first of them, in the order of the data, that promises no more; NULL with
 * WEIR_PROMISE_SINK. */
enum weir_promise graph_promise(const struct graph *graph, const struct weir_pipeline *pipeline,
                                const struct graph_node **link);

/* The ledgers of all nodes there are and were, those of one kind, id, pipeline and signal added up, and with `by_labels`
 * only if their labels are the same. `quiet`: the workers are at rest. Free with graph_rows_free. Main thread. */
void graph_ledger(const struct graph *graph, bool quiet, bool by_labels, struct graph_rows *out);
void graph_rows_free(struct graph_rows *rows);

/* Adds the reconciliation to `text`: a line for each instance and signal, and whether the ledger closes; returns true
 * if it does. The workers must be at rest. */
bool graph_print_ledger(const struct graph *graph, struct weir_text *text);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The instruments and their series. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/processors/tail_sampling/metrics.h"

enum {
    TRACES_SAMPLED,
    GLOBAL_TRACES_SAMPLED,
    EARLY_RELEASES,
    NEW_TRACE_ID,
    TIMER_LATENCY,
    LATE_SPAN_AGE,
    EVALUATION_ERROR,
    EXECUTION_COUNT,
    EXECUTION_TIME,
    DROPPED_TOO_EARLY,
    REMOVAL_AGE,
    ON_MEMORY,
    TOO_LARGE,
};

static const double latency_bounds[] = { 1,   2,   5,   10,  25,   50,   75,   100,  150,   200,   300,  400,
                                         500, 750, 1000, 2000, 3000, 4000, 5000, 10000, 20000, 30000, 50000 };
static const double age_bounds[] = { 0,   5,   10,   25,   50,   75,   100,  250,
                                     500, 750, 1000, 2500, 5000, 7500, 10000 };
#define PREFIX "processor_tail_sampling_"

const struct weir_instrument tail_instruments[] = {
    [TRACES_SAMPLED] = { PREFIX "count_traces_sampled", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{traces}",
                         "Count of traces that were sampled or not per sampling policy", NULL, 0 },
    [GLOBAL_TRACES_SAMPLED] = { PREFIX "global_count_traces_sampled", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{traces}",
                                "Global count of traces that were sampled or not by at least one policy", NULL, 0 },
    [EARLY_RELEASES] = { PREFIX "early_releases_from_cache_decision", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{spans}",
                         "Number of spans that were decided at once by a decision cache", NULL, 0 },
    [NEW_TRACE_ID] = { PREFIX "new_trace_id_received", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{traces}",
                       "Counts the arrival of new traces", NULL, 0 },
    [TIMER_LATENCY] = { PREFIX "sampling_decision_timer_latency", WEIR_HISTOGRAM, WEIR_LEVEL_BASIC, "ms",
                        "Latency (in milliseconds) of each run of the sampling decision timer", latency_bounds,
                        WEIR_ARRAY_LENGTH(latency_bounds) },
    [LATE_SPAN_AGE] = { PREFIX "sampling_late_span_age", WEIR_HISTOGRAM, WEIR_LEVEL_BASIC, "s",
                        "Time (in seconds) from the sampling decision was taken and the arrival of a late span",
                        age_bounds, WEIR_ARRAY_LENGTH(age_bounds) },
    [EVALUATION_ERROR] = { PREFIX "sampling_policy_evaluation_error", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{errors}",
                           "Count of sampling policy evaluation errors", NULL, 0 },
    [EXECUTION_COUNT] = { PREFIX "sampling_policy_execution_count", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{executions}",
                          "Total number of executions of a sampling policy", NULL, 0 },
    [EXECUTION_TIME] = { PREFIX "sampling_policy_execution_time_sum", WEIR_COUNTER, WEIR_LEVEL_BASIC, "us",
                         "Total time (in microseconds) spent executing a sampling policy, from every 64th vote", NULL, 0 },
    [DROPPED_TOO_EARLY] = { PREFIX "sampling_trace_dropped_too_early", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{traces}",
                            "Count of traces that needed to be dropped before the configured wait time", NULL, 0 },
    [REMOVAL_AGE] = { PREFIX "sampling_trace_removal_age", WEIR_HISTOGRAM, WEIR_LEVEL_BASIC, "s",
                      "Time (in seconds) from arrival of a new trace until its removal from memory", age_bounds,
                      WEIR_ARRAY_LENGTH(age_bounds) },
    [ON_MEMORY] = { PREFIX "sampling_traces_on_memory", WEIR_GAUGE, WEIR_LEVEL_BASIC, "{traces}",
                    "Tracks the number of traces current on memory", NULL, 0 },
    [TOO_LARGE] = { PREFIX "traces_dropped_too_large", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{traces}",
                    "Count of traces that were dropped for their size", NULL, 0 },
    { .name = NULL },
};

static const char *const decisions[DECISIONS] = { "sampled", "not_sampled", "dropped" };

static const char *sampled_word(int decision)
{
    return decision == DECISION_SAMPLED ? "true" : "false";
}

void tail_metrics_init(struct tail_metrics *metrics, struct weir_instance *instance)
{
    for (int i = 0; i < DECISIONS; i++) {
        struct weir_label labels[] = { { "sampled", sampled_word(i) }, { "decision", decisions[i] } };
        metrics->traces[i] = weir_meter_series(instance, GLOBAL_TRACES_SAMPLED, labels, 2);
    }
    for (int i = 0; i < 2; i++) {
        struct weir_label label = { "sampled", i ? "true" : "false" };
        metrics->early[i] = weir_meter_series(instance, EARLY_RELEASES, &label, 1);
    }
    metrics->new_traces = weir_meter_series(instance, NEW_TRACE_ID, NULL, 0);
    metrics->timer_latency = weir_meter_series(instance, TIMER_LATENCY, NULL, 0);
    metrics->late_age = weir_meter_series(instance, LATE_SPAN_AGE, NULL, 0);
    metrics->errors = weir_meter_series(instance, EVALUATION_ERROR, NULL, 0);
    metrics->too_early = weir_meter_series(instance, DROPPED_TOO_EARLY, NULL, 0);
    metrics->removal_age = weir_meter_series(instance, REMOVAL_AGE, NULL, 0);
    metrics->on_memory = weir_meter_series(instance, ON_MEMORY, NULL, 0);
    metrics->too_large = weir_meter_series(instance, TOO_LARGE, NULL, 0);
}

/* The value of the label `policy`: with the component's name in front, where it has one. */
static char *label_of(const struct weir_instance *instance, const char *policy)
{
    const char *slash = strchr(weir_instance_id(instance), '/');
    return slash ? weir_xasprintf("%s.%s", slash + 1, policy) : weir_xstrdup(policy);
}

void voter_metrics_init(struct voter_metrics *metrics, struct weir_instance *instance, const char *policy)
{
    char *text = label_of(instance, policy);
    struct weir_label label = { "policy", text };
    for (int i = 0; i < DECISIONS; i++) {
        struct weir_label labels[] = { label, { "sampled", sampled_word(i) }, { "decision", decisions[i] } };
        metrics->traces[i] = weir_meter_series(instance, TRACES_SAMPLED, labels, 3);
    }
    metrics->votes = weir_meter_series(instance, EXECUTION_COUNT, &label, 1);
    metrics->time = weir_meter_series(instance, EXECUTION_TIME, &label, 1);
    free(text);
}

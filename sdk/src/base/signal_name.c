// SPDX-License-Identifier: Apache-2.0
/*
 * What the signals and their items are called.
 */
#include <config.h>

#include <weir/base.h>

const char *weir_signal_name(enum weir_signal signal)
{
    static const char *const names[WEIR_SIGNALS] = {
        [WEIR_TRACES] = "traces",
        [WEIR_METRICS] = "metrics",
        [WEIR_LOGS] = "logs",
        [WEIR_PROFILES] = "profiles",
    };
    return names[signal];
}

const char *weir_signal_items(enum weir_signal signal)
{
    static const char *const names[WEIR_SIGNALS] = {
        [WEIR_TRACES] = "spans",
        [WEIR_METRICS] = "metric_points",
        [WEIR_LOGS] = "log_records",
        [WEIR_PROFILES] = "profile_samples",
    };
    return names[signal];
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The nop receiver: receives nothing. For pipelines that are fed otherwise, and for trying out
 * configurations.
 */
#include <config.h>

#include <weir/component.h>

static int nop_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_RECEIVER,
    .type = "nop",
    .version = PACKAGE_VERSION,
    .summary = "Receives nothing.",
    .stability = { [WEIR_TRACES] = WEIR_BETA,
                   [WEIR_METRICS] = WEIR_BETA,
                   [WEIR_LOGS] = WEIR_BETA,
                   [WEIR_PROFILES] = WEIR_DEVELOPMENT },
    .create = nop_create,
};

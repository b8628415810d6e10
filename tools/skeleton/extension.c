// SPDX-License-Identifier: Apache-2.0
/* The @name@ extension: says when the collector is ready. */
#include <config.h>

#include <weir/component.h>

struct @name@_config {
    char *message;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct @name@_config, message, "message", .preset = "Open", .doc = "What is said."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct @name@_config), NULL };

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

static void ready(struct weir_instance *instance, bool is_ready)
{
    const struct @name@_config *config = weir_instance_config(instance);
    weir_log(weir_instance_logger(instance), WEIR_INFO, config->message, WEIR_F_BOOL("ready", is_ready));
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXTENSION,
    .type = "@name@",
    .version = PACKAGE_VERSION,
    .summary = "Says when the collector is ready.",
    .options = &table,
    .create = create,
    .ready = ready,
};

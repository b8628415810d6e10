// SPDX-License-Identifier: Apache-2.0
/*
 * The sections of exporters that this version knows by name only.
 */
#include <config.h>

#include <weir/sender.h>

/* `key: {enabled: false}` says what is the case anyway. */
static void check_off(const struct weir_subtree *section, const char *key, const char *what,
                      struct weir_checker *checker)
{
    const struct weir_node *node = section->node;
    if (!node)
        return;
    const struct weir_node *enabled = weir_node_get(node, "enabled");
    if (node->type == WEIR_NODE_MAP && node->count == 1 && enabled && enabled->type == WEIR_NODE_BOOL &&
        !enabled->boolean)
        return;
    weir_check_fail(checker, key,
                    "%s is not available in this version: leave the section out or write %s: {enabled: "
                    "false}; the client that sent the data is told the result and can send it again",
                    what, key);
}

static void check(const void *group, struct weir_checker *checker)
{
    const struct weir_sender_options *options = group;
    check_off(&options->sending_queue, "sending_queue", "a sending queue", checker);
    check_off(&options->retry_on_failure, "retry_on_failure", "retrying", checker);
}

static const struct weir_option rows[] = {
    WEIR_OPTION(struct weir_sender_options, sending_queue, "sending_queue",
                .doc = "Batches are not queued: only enabled: false is possible."),
    WEIR_OPTION(struct weir_sender_options, retry_on_failure, "retry_on_failure",
                .doc = "Batches are tried once: only enabled: false is possible."),
    WEIR_OPTION_END,
};

const struct weir_option_table weir_sender_table = { rows, sizeof(struct weir_sender_options), check };

void weir_sender_check_timeout(struct weir_duration timeout, struct weir_checker *checker)
{
    if (timeout.ns < 0)
        weir_check_fail(checker, "timeout", "'timeout' must be non-negative");
}

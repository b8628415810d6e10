// SPDX-License-Identifier: Apache-2.0
/* Feature gates: upstream's ids are accepted, those that mean something here take effect. */
#include <config.h>

#include <string.h>

#include "core/cli/cli.h"

enum stage { ALPHA, BETA, STABLE, DEPRECATED };

static const char *const stage_names[] = { "Alpha", "Beta", "Stable", "Deprecated" };

struct gate {
    const char *id;
    enum stage stage;
    size_t offset; /* of its flag in struct weir_config_gates; WEIR_NO_OFFSET: nothing here depends on it */
    const char *description;
};

static const struct gate gates[] = {
    { "confmap.enableMergeAppendOption", ALPHA, offsetof(struct weir_config_gates, append_lists),
      "Lists of extensions, receivers and exporters are appended when configurations are merged." },
    { "pdata.useProtoPooling", ALPHA, WEIR_NO_OFFSET, "Without effect: there is no object pool." },
    { "pkg.exporterhelper.queueBatchEnabled", ALPHA, WEIR_NO_OFFSET,
      "Without effect: sending_queue::batch is what gathers batches in a queue." },
    { "receiverhelper.newReceiverMetrics", ALPHA, WEIR_NO_OFFSET,
      "Without effect: refused and failed telemetry are told apart by the ledger." },
    { "service.AllowNoPipelines", ALPHA, offsetof(struct weir_config_gates, allow_no_pipelines),
      "A configuration may have no pipeline." },
    { "service.partialReload", ALPHA, WEIR_NO_OFFSET,
      "Without effect: a reload always leaves alone what has not changed." },
    { "service.partialReloadReceivers", BETA, WEIR_NO_OFFSET,
      "Without effect: a reload always leaves alone what has not changed." },
    { "service.profilesSupport", ALPHA, offsetof(struct weir_config_gates, profiles),
      "Pipelines of profiles." },
    { "telemetry.newPipelineTelemetry", ALPHA, WEIR_NO_OFFSET,
      "Without effect: weir_ledger_items shows the same and more." },
};

static const struct gate *find_gate(struct weir_str id)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(gates); i++)
        if (weir_str_is(id, gates[i].id))
            return &gates[i];
    return NULL;
}

static int unknown_gate(struct weir_str id, struct weir_error *error)
{
    struct weir_text valid = { 0 };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(gates); i++)
        weir_text_addf(&valid, "%s%s", i ? " " : "", gates[i].id);
    weir_error_set(error, "no such feature gate \"%.*s\". valid gates: [%s]", WEIR_STR_ARG(id),
                   weir_text_string(&valid));
    weir_text_free(&valid);
    return -1;
}

static bool *gate_flag(struct weir_config_gates *flags, const struct gate *gate)
{
    return gate->offset == WEIR_NO_OFFSET ? NULL : (bool *)((char *)flags + gate->offset);
}

static int set_gate(struct cli *cli, struct weir_str word, struct weir_error *error)
{
    bool on = word.data[0] != '-';
    if (word.data[0] == '-' || word.data[0] == '+')
        word = weir_str_make(word.data + 1, word.length - 1);
    const struct gate *gate = find_gate(word);
    if (!gate)
        return unknown_gate(word, error);
    if (gate->stage == STABLE && !on)
        return weir_error_set(error, "feature gate \"%s\" is stable, can not be disabled", gate->id);
    bool *flag = gate_flag(&cli->gates, gate);
    if (flag)
        *flag = on;
    return 0;
}

int cli_set_gates(struct cli *cli, const char *list, struct weir_error *error)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        struct weir_str word = weir_str_trim(weir_str_make(list, length));
        if (word.length > 0 && set_gate(cli, word, error) != 0)
            return -1;
        list += length + (list[length] == ',');
    }
    return 0;
}

static bool is_on(struct cli *cli, const struct gate *gate)
{
    const bool *flag = gate_flag(&cli->gates, gate);
    return flag ? *flag : gate->stage == BETA || gate->stage == STABLE;
}

int cli_featuregate(struct cli *cli)
{
    if (cli->argument_count == 1) {
        const struct gate *gate = find_gate(weir_str_of(cli->arguments[0]));
        if (!gate)
            return cli_fail("feature \"%s\" not found", cli->arguments[0]);
        printf("Feature: %s\nEnabled: %s\nStage: %s\nDescription: %s\n", gate->id,
               is_on(cli, gate) ? "true" : "false", stage_names[gate->stage], gate->description);
        return EXIT_STOPPED;
    }
    printf("%-40s  %-7s  %-10s  %s\n", "ID", "Enabled", "Stage", "Description");
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(gates); i++)
        printf("%-40s  %-7s  %-10s  %s\n", gates[i].id, is_on(cli, &gates[i]) ? "true" : "false",
               stage_names[gates[i].stage], gates[i].description);
    return EXIT_STOPPED;
}

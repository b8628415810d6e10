// SPDX-License-Identifier: Apache-2.0
/*
 * The truncate processor: cuts long strings in the attributes of spans and log records, and in the bodies of log
 * records, so that one careless application does not fill the store of all.
 */
#include <config.h>

#include <weir/component.h>

struct truncate_config {
    int64_t max_bytes;
    bool bodies;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct truncate_config, max_bytes, "max_bytes", .preset = "4096", .min = 1, .unit = "bytes",
                .doc = "Longest string that passes as it is; of longer ones the first characters that fit."),
    WEIR_OPTION(struct truncate_config, bodies, "log_bodies", .preset = "true",
                .doc = "Whether the bodies of log records are cut, too."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct truncate_config), NULL };

enum { VALUES_CUT };
static const struct weir_instrument metrics[] = {
    [VALUES_CUT] = { "processor_truncate_values_cut", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{value}",
                     "Number of strings that were cut.", NULL, 0 },
    { .name = NULL },
};

/* Main thread. The instance's data is all that the shards need: configuration and counter never change. */
static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    weir_instance_set_data(instance, weir_meter_series(instance, VALUES_CUT, NULL, 0));
    return 0;
}

static bool too_long(const struct truncate_config *config, const struct weir_value *value)
{
    return value->type == WEIR_VALUE_STRING && value->string.length > (size_t)config->max_bytes;
}

static bool any_too_long(const struct truncate_config *config, const struct weir_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++)
        if (too_long(config, &attributes->items[i].value))
            return true;
    return false;
}

/* Strings are views: a shorter view needs no memory. A character of UTF-8 is left whole: bytes 10xxxxxx go on with
 * one that began before. */
static size_t cut(const struct truncate_config *config, struct weir_value *value)
{
    size_t length = (size_t)config->max_bytes;
    if (!too_long(config, value))
        return 0;
    while (length > 0 && ((unsigned char)value->string.data[length] & 0xc0) == 0x80)
        length--;
    value->string.length = length;
    return 1;
}

static size_t cut_all(const struct truncate_config *config, struct weir_attributes *attributes)
{
    size_t count = 0;
    for (size_t i = 0; i < attributes->count; i++)
        count += cut(config, &attributes->items[i].value);
    return count;
}

/* Reading decodes an entry; it is encoded again only if it is edited. -1 when memory is out. */
static int cut_entry(const struct truncate_config *config, enum weir_signal signal, struct weir_entry *entry,
                     size_t *count)
{
    if (signal == WEIR_TRACES) {
        const struct weir_span *read = weir_entry_span(entry);
        if (read && !any_too_long(config, &read->attributes))
            return 0;
        struct weir_span *span = weir_entry_edit_span(entry);
        if (!span)
            return -1;
        *count += cut_all(config, &span->attributes);
        return 0;
    }
    const struct weir_log_record *read = weir_entry_log_record(entry);
    if (read && !any_too_long(config, &read->attributes) && !(config->bodies && too_long(config, &read->body)))
        return 0;
    struct weir_log_record *record = weir_entry_edit_log_record(entry);
    if (!record)
        return -1;
    *count += cut_all(config, &record->attributes);
    if (config->bodies)
        *count += cut(config, &record->body);
    return 0;
}

static int cut_batch(const struct truncate_config *config, struct weir_batch *batch, size_t *count)
{
    enum weir_signal signal = weir_batch_signal(batch);
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        struct weir_scope_group *scope = weir_group_first_scope(group);
        for (; scope; scope = weir_scope_group_next(scope)) {
            struct weir_entry *entry = weir_scope_group_first(scope);
            for (; entry; entry = weir_entry_next(entry))
                if (cut_entry(config, signal, entry, count) != 0)
                    return -1;
        }
    }
    weir_batch_commit(batch);
    return 0;
}

/* On the shard's worker. The batch is ours alone (WEIR_MUTATES), and so is the duty to answer: passing on both hands
 * it to who comes next. */
static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_instance *instance = weir_shard_instance(shard);
    size_t count = 0;
    if (cut_batch(weir_instance_config(instance), batch, &count) != 0) {
        struct weir_result refused = WEIR_RESULT_RETRYABLE("out of memory");
        weir_batch_unref(batch);
        weir_ack_complete(ack, &refused);
        return;
    }
    if (count > 0)
        weir_series_add(weir_instance_data(instance), (double)count);
    weir_shard_send(shard, batch, ack);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "truncate",
    .version = PACKAGE_VERSION,
    .summary = "Cuts long strings in attributes and log bodies.",
    .stability = { [WEIR_TRACES] = WEIR_ALPHA, [WEIR_LOGS] = WEIR_ALPHA },
    .traits = WEIR_MUTATES,
    .options = &table,
    .metrics = metrics,
    .create = create,
    .consume = consume,
};

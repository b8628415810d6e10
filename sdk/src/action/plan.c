// SPDX-License-Identifier: Apache-2.0
/*
 * Actions that only put and delete attributes under fixed keys come to one rule for each key, and rules can be applied to
 * the bytes of an entry. An action on one key does not concern another, so each key's actions are played through twice:
 * for an entry that has it, and for one that has not.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/action/action.h"

/* Where the attribute of a key is, after some actions. */
enum place {
    ABSENT,
    AS_IT_CAME,
    IN_ITS_PLACE, /* with another value */
    AT_THE_END,
};

struct played {
    enum place place;
    const struct action *source; /* of the value */
    size_t appended;             /* by which action; AT_THE_END only */
};

static bool is_plain(const struct action *action)
{
    switch (action->kind) {
    case WEIR_ACTION_INSERT:
    case WEIR_ACTION_UPDATE:
    case WEIR_ACTION_UPSERT:
        return action->has_value;
    case WEIR_ACTION_DELETE:
        return action->key.data && !action->pattern;
    default:
        return false;
    }
}

static void play(struct played *played, const struct action *action, size_t index)
{
    bool present = played->place != ABSENT;
    if (action->kind == WEIR_ACTION_DELETE) {
        played->place = ABSENT;
    } else if (!present && action->kind != WEIR_ACTION_UPDATE) {
        *played = (struct played){ AT_THE_END, action, index };
    } else if (present && action->kind != WEIR_ACTION_INSERT) {
        played->source = action;
        if (played->place == AS_IT_CAME)
            played->place = IN_ITS_PLACE;
    }
}

static struct played play_all(const struct weir_actions *actions, struct weir_str key, enum place start)
{
    struct played played = { .place = start };
    for (size_t i = 0; i < actions->count; i++) {
        if (weir_str_equal(actions->items[i].key, key))
            play(&played, &actions->items[i], i);
    }
    return played;
}

static bool is_first_of_key(const struct weir_actions *actions, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (weir_str_equal(actions->items[i].key, actions->items[index].key))
            return false;
    }
    return true;
}

static bool encode(struct weir_actions *actions, const struct played *played, struct weir_str *out)
{
    struct weir_attribute attribute = { .key = played->source->key, .value = played->source->value };
    *out = otlp_rule_attribute(&actions->arena, &attribute);
    return out->data != NULL;
}

/* A delete ends the difference between the two: what is added after it is the same in both. */
static bool make_rule(struct weir_actions *actions, struct weir_str key, struct otlp_rule *out, size_t *appended)
{
    struct played present = play_all(actions, key, AS_IT_CAME), absent = play_all(actions, key, ABSENT);
    *out = (struct otlp_rule){ .key = key, .remove = present.place == ABSENT || present.place == AT_THE_END };
    *appended = absent.appended;
    return (present.place != IN_ITS_PLACE || encode(actions, &present, &out->put)) &&
           (absent.place != AT_THE_END || encode(actions, &absent, &out->added));
}

static void insert_sorted(struct weir_actions *actions, size_t *order, struct otlp_rule rule, size_t appended)
{
    size_t at = actions->rule_count++;
    for (; at > 0 && order[at - 1] > appended; at--) {
        actions->rules[at] = actions->rules[at - 1];
        order[at] = order[at - 1];
    }
    actions->rules[at] = rule;
    order[at] = appended;
}

bool action_plan(struct weir_actions *actions)
{
    size_t order[OTLP_RULES_MOST];
    for (size_t i = 0; i < actions->count; i++) {
        if (!is_plain(&actions->items[i]))
            return true;
    }
    if (actions->count == 0 || actions->count > OTLP_RULES_MOST)
        return true;
    actions->rules = weir_xcalloc(actions->count, sizeof(*actions->rules));
    for (size_t i = 0; i < actions->count; i++) {
        struct otlp_rule rule;
        size_t appended;
        if (!is_first_of_key(actions, i))
            continue;
        if (!make_rule(actions, actions->items[i].key, &rule, &appended))
            return false;
        insert_sorted(actions, order, rule, appended);
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* The keys of one action, what goes together, and making a list of them ready (contrib-processors 3.1). */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/digest.h>

#include "sdk/src/action/action.h"

static bool given(const char *text)
{
    return text && *text;
}

static bool sets_value(int kind)
{
    return kind == WEIR_ACTION_INSERT || kind == WEIR_ACTION_UPDATE || kind == WEIR_ACTION_UPSERT;
}

static bool takes_pattern_for_keys(int kind)
{
    return kind == WEIR_ACTION_DELETE || kind == WEIR_ACTION_HASH;
}

static size_t source_count(const struct weir_action_options *action)
{
    return (action->value.node != NULL) + given(action->from_attribute) + given(action->from_context);
}

static void check_sources(const struct weir_action_options *action, struct weir_checker *checker)
{
    size_t sources = source_count(action);
    if (sets_value(action->action)) {
        if (sources == 0 && !action->default_value.node)
            weir_check_fail(checker, NULL,
                            "error creating AttrProc. Either field \"value\", \"from_attribute\" or \"from_context\" "
                            "setting must be specified");
        if (sources > 1)
            weir_check_fail(checker, NULL,
                            "error creating AttrProc due to multiple value sources being set: only one of \"value\", "
                            "\"from_attribute\" and \"from_context\" may be given");
    } else if (sources > 0) {
        weir_check_fail(checker, NULL,
                        "error creating AttrProc. This action does not use \"value\", \"from_attribute\" or "
                        "\"from_context\"");
    }
}

static void check_extract(const struct weir_regex *pattern, struct weir_checker *checker)
{
    size_t count = weir_regex_group_count(pattern);
    if (count == 0)
        weir_check_fail(checker, "pattern",
                        "error creating AttrProc. Field \"pattern\" contains no named matcher groups");
    for (size_t i = 0; i < count; i++)
        if (!*weir_regex_group_name(pattern, i)) {
            weir_check_fail(checker, "pattern",
                            "error creating AttrProc. Field \"pattern\" contains at least one unnamed matcher group");
            return;
        }
}

static void check_pattern(const struct weir_action_options *action, struct weir_checker *checker)
{
    struct weir_error error = WEIR_ERROR_INIT;
    if (!given(action->pattern)) {
        if (action->action == WEIR_ACTION_EXTRACT)
            weir_check_fail(checker, NULL,
                            "error creating AttrProc due to missing required field \"pattern\" for action \"extract\"");
        return;
    }
    if (sets_value(action->action) || action->action == WEIR_ACTION_CONVERT) {
        weir_check_fail(checker, "pattern", "error creating AttrProc. This action does not use the \"pattern\" field");
        return;
    }
    struct weir_regex *pattern = weir_regex_new(weir_str_of(action->pattern), &error);
    if (!pattern)
        weir_check_fail(checker, "pattern", "error creating AttrProc. Field \"pattern\" has invalid pattern: %s",
                        weir_error_text(&error));
    else if (action->action == WEIR_ACTION_EXTRACT)
        check_extract(pattern, checker);
    weir_regex_free(pattern);
    weir_error_free(&error);
}

static void check_conversion(const struct weir_action_options *action, struct weir_checker *checker)
{
    enum conversion conversion;
    if (action->action != WEIR_ACTION_CONVERT) {
        if (given(action->converted_type))
            weir_check_fail(checker, "converted_type",
                            "error creating AttrProc. This action does not use the \"converted_type\" field");
    } else if (!given(action->converted_type)) {
        weir_check_fail(checker, NULL,
                        "error creating AttrProc due to missing required field \"converted_type\" for action "
                        "\"convert\"");
    } else if (!action_conversion(action->converted_type, &conversion)) {
        weir_check_fail(checker, "converted_type",
                        "error creating AttrProc due to invalid value \"%s\" in field \"converted_type\", expected "
                        "string, int or double",
                        action->converted_type);
    }
}

static void check(const void *group, struct weir_checker *checker)
{
    const struct weir_action_options *action = group;
    if (!given(action->key) && !(takes_pattern_for_keys(action->action) && given(action->pattern)))
        weir_check_fail(checker, NULL, "error creating AttrProc due to missing required field \"key\"");
    check_sources(action, checker);
    check_pattern(action, checker);
    check_conversion(action, checker);
}

static const struct weir_option_value kinds[] = {
    { "insert", WEIR_ACTION_INSERT },   { "update", WEIR_ACTION_UPDATE }, { "upsert", WEIR_ACTION_UPSERT },
    { "delete", WEIR_ACTION_DELETE },   { "hash", WEIR_ACTION_HASH },     { "extract", WEIR_ACTION_EXTRACT },
    { "convert", WEIR_ACTION_CONVERT }, { NULL, 0 },
};

static const struct weir_option rows[] = {
    WEIR_OPTION(struct weir_action_options, key, "key", .doc = "The attribute."),
    WEIR_OPTION(struct weir_action_options, action, "action", .values = kinds, .nocase = true, .required = true,
                .doc = "What is done to it."),
    WEIR_OPTION(struct weir_action_options, value, "value", .doc = "Its new value, of the type that is written."),
    WEIR_OPTION(struct weir_action_options, from_attribute, "from_attribute",
                .doc = "Attribute whose value is copied."),
    WEIR_OPTION(struct weir_action_options, from_context, "from_context",
                .doc = "What the value is taken from: metadata.NAME, auth.NAME, client.address."),
    WEIR_OPTION(struct weir_action_options, default_value, "default_value",
                .doc = "The value where the source has none."),
    WEIR_OPTION(struct weir_action_options, pattern, "pattern",
                .doc = "Regular expression: for delete and hash of keys, for extract of the value."),
    WEIR_OPTION(struct weir_action_options, converted_type, "converted_type",
                .doc = "What convert makes of the value: string, int or double."),
    WEIR_OPTION_END,
};
const struct weir_option_table weir_action_table = { rows, sizeof(struct weir_action_options), check };

bool action_conversion(const char *name, enum conversion *out)
{
    static const char *const names[] = { "string", "int", "double" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum conversion)i;
            return true;
        }
    return false;
}

static struct weir_str view(const char *text)
{
    return text ? weir_str_of(text) : WEIR_STR_NONE;
}

static int make(struct weir_actions *actions, struct action *out, const struct weir_action_options *from,
                struct weir_error *error)
{
    *out = (struct action){
        .kind = (enum weir_action_kind)from->action,
        .key = given(from->key) ? view(from->key) : WEIR_STR_NONE,
        .from_attribute = view(from->from_attribute),
        .from_context = view(from->from_context),
        .has_value = from->value.node != NULL,
        .has_default = from->default_value.node != NULL,
    };
    if (from->action == WEIR_ACTION_HASH && weir_digest_prepare(error) != 0)
        return weir_error_prefix(error, "action \"hash\"");
    if (given(from->converted_type))
        action_conversion(from->converted_type, &out->conversion);
    if (given(from->pattern)) {
        out->pattern = weir_regex_new(weir_str_of(from->pattern), error);
        if (!out->pattern)
            return -1;
    }
    if ((out->has_value && !action_value_of_node(from->value.node, &actions->arena, &out->value)) ||
        (out->has_default && !action_value_of_node(from->default_value.node, &actions->arena, &out->default_value)))
        return weir_error_set(error, "out of memory");
    return 0;
}

struct weir_actions *weir_actions_new(const struct weir_groups *groups, struct weir_error *error)
{
    struct weir_actions *actions = weir_xcalloc(1, sizeof *actions);
    const struct weir_action_options *options = groups->items;
    actions->items = weir_xcalloc(groups->count + 1, sizeof *actions->items);
    while (actions->count < groups->count) {
        size_t at = actions->count++;
        if (make(actions, &actions->items[at], &options[at], error) != 0) {
            weir_actions_free(actions);
            return NULL;
        }
    }
    if (!action_plan(actions)) {
        weir_error_set(error, "out of memory");
        weir_actions_free(actions);
        return NULL;
    }
    return actions;
}

void weir_actions_free(struct weir_actions *actions)
{
    if (!actions)
        return;
    for (size_t i = 0; i < actions->count; i++)
        weir_regex_free(actions->items[i].pattern);
    free(actions->items);
    free(actions->rules);
    weir_arena_free(&actions->arena);
    free(actions);
}

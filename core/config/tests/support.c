// SPDX-License-Identifier: Apache-2.0
/*
 * What the tests of configurations share.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config/expand.h"
#include "core/config/tests/support.h"
#include "sdk/yaml/yaml.h"

struct weir_node *support_read(const char *yaml, struct weir_arena *arena, struct weir_problems *problems)
{
    struct yaml_source source = { "t.yaml", true };
    struct provider provider = { .arena = arena };
    struct weir_node *root = yaml_read(arena, weir_str_of(yaml), source, "", problems);
    if (root)
        expand_tree(&provider, root, problems);
    return root;
}

static void write_file(const char *name, const char *content)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(content, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

struct weir_config *support_load(const char *const *yamls, size_t count, const char *const *sets,
                                 size_t set_count, struct weir_config_gates gates,
                                 struct weir_problems *problems)
{
    char folder[] = "/tmp/weir-test-config-XXXXXX";
    char *names[8] = { 0 };
    ck_assert_uint_le(count, WEIR_ARRAY_LENGTH(names));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    for (size_t i = 0; i < count; i++) {
        names[i] = weir_xasprintf("%zu.yaml", i + 1);
        write_file(names[i], yamls[i]);
    }
    struct weir_config_source source = { .uris = (const char *const *)names,
                                         .uri_count = count,
                                         .sets = sets,
                                         .set_count = set_count,
                                         .gates = gates };
    struct weir_config *config = weir_config_load(&source, problems);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(unlink(names[i]), 0);
        free(names[i]);
    }
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    return config;
}

struct weir_config *support_load_one(const char *yaml, struct weir_problems *problems)
{
    return support_load(&yaml, 1, NULL, 0, (struct weir_config_gates){ 0 }, problems);
}

void support_problems(struct weir_problems *problems, const char *expected)
{
    struct weir_text text = { 0 };
    weir_problems_print(problems, &text);
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
    weir_problems_free(problems);
}

static void show_scalar(const struct weir_node *node, struct weir_text *text)
{
    switch (node->type) {
    case WEIR_NODE_BOOL:
        weir_text_adds(text, node->boolean ? "true" : "false");
        return;
    case WEIR_NODE_INT:
        weir_text_addf(text, "%lld", (long long)node->integer);
        return;
    case WEIR_NODE_DOUBLE:
        weir_text_addf(text, "%#g", node->number);
        return;
    case WEIR_NODE_STRING:
        weir_text_addf(text, "\"%s\"", node->text.data);
        return;
    case WEIR_NODE_TIMESTAMP:
        weir_text_addf(text, "time(%s)", node->raw.data);
        return;
    default:
        weir_text_adds(text, "null");
    }
}

void support_show(const struct weir_node *node, struct weir_text *text)
{
    bool map = node->type == WEIR_NODE_MAP;
    if (!map && node->type != WEIR_NODE_LIST) {
        show_scalar(node, text);
        return;
    }
    weir_text_addc(text, map ? '{' : '[');
    for (const struct weir_node *child = node->first; child; child = child->next) {
        if (map)
            weir_text_addf(text, "%s: ", child->key.data);
        support_show(child, text);
        weir_text_adds(text, child->next ? ", " : "");
    }
    weir_text_addc(text, map ? '}' : ']');
}

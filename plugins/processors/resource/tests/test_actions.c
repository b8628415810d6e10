// SPDX-License-Identifier: Apache-2.0
/* Attribute actions: what a list of them makes of a resource's attributes (contrib-processors 3.1), and which lists are
 * refused. */
#include <config.h>

#include <stdlib.h>

#include <weir/context.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

/* SHA-256 of nothing, of "test", of 01, of 1 and of 1.5 in eight bytes, little endian (Python's hashlib). */
#define HASH_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HASH_TEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define HASH_TRUE "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"
#define HASH_1 "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8"
#define HASH_1_5 "e163f8cb0f7067a7fc78ca859a77f849aea3214f38fb75b884e4a16be725c905"

static const struct weir_component *component;

/* The types of values in the notation below. */
static char letter(enum weir_value_type type)
{
    return "-sbidamx"[type];
}

static struct weir_value parse_value(const char *text)
{
    switch (text[0]) {
    case 's':
        return weir_value_string(weir_str_of(text + 2));
    case 'b':
        return weir_value_bool(text[2] == 't');
    case 'i':
        return weir_value_int(strtoll(text + 2, NULL, 10));
    case 'd':
        return weir_value_double(strtod(text + 2, NULL));
    default:
        return (struct weir_value){ .type = WEIR_VALUE_MAP };
    }
}

/* "a=s:x b=i:7": type and text of each; the text is taken apart. */
static void parse(char *text, struct weir_batch *batch)
{
    struct weir_group *group = weir_batch_first_group(batch);
    struct weir_attributes *attributes = &weir_group_edit_resource(group)->attributes;
    attributes->count = 0;
    char *rest = NULL;
    for (char *item = strtok_r(text, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(item, '=');
        *value++ = '\0';
        ck_assert(weir_attributes_set(attributes, weir_batch_arena(batch), weir_str_of(item), parse_value(value)));
    }
    weir_batch_commit(batch);
}

static char *print(struct weir_batch *batch)
{
    const struct weir_attributes *attributes = &weir_group_resource(weir_batch_first_group(batch))->attributes;
    struct weir_text text = { 0 };
    for (size_t i = 0; i < attributes->count; i++) {
        const struct weir_attribute *attribute = &attributes->items[i];
        weir_text_addf(&text, "%s%.*s=%c:", i ? " " : "", WEIR_STR_ARG(attribute->key),
                       letter(attribute->value.type));
        weir_value_print(&attribute->value, &text);
    }
    return weir_text_steal(&text);
}

static const struct {
    const char *before;
    const char *actions; /* with ' for " */
    const char *after;
} cases[] = {
    /* insert, update, upsert */
    { "a=s:x", "{'key': 'b', 'value': 'y', 'action': 'insert'}", "a=s:x b=s:y" },
    { "a=s:x", "{'key': 'a', 'value': 'y', 'action': 'insert'}", "a=s:x" },
    { "a=s:x", "{'key': 'a', 'value': 'y', 'action': 'update'}", "a=s:y" },
    { "a=s:x", "{'key': 'b', 'value': 'y', 'action': 'update'}", "a=s:x" },
    { "a=s:x", "{'key': 'a', 'value': 'y', 'action': 'upsert'}", "a=s:y" },
    { "a=s:x", "{'key': 'b', 'value': 'y', 'action': 'Upsert'}", "a=s:x b=s:y" },
    { "", "{'key': 'n', 'value': 17, 'action': 'insert'}", "n=i:17" },
    { "", "{'key': 'n', 'value': 1.5, 'action': 'insert'}", "n=d:1.5" },
    { "", "{'key': 'n', 'value': true, 'action': 'insert'}", "n=b:true" },
    { "", "{'key': 'n', 'value': [1, 'a', {'k': null}], 'action': 'insert'}", "n=a:[1,\"a\",{\"k\":null}]" },
    { "a=s:x", "{'key': 'b', 'from_attribute': 'a', 'action': 'insert'}", "a=s:x b=s:x" },
    { "a=i:5", "{'key': 'b', 'from_attribute': 'a', 'action': 'upsert'}", "a=i:5 b=i:5" },
    { "a=s:x", "{'key': 'b', 'from_attribute': 'none', 'action': 'insert'}", "a=s:x" },
    { "a=s:x", "{'key': 'b', 'from_attribute': 'none', 'default_value': 'd', 'action': 'insert'}", "a=s:x b=s:d" },
    { "a=s:x", "{'key': 'b', 'from_attribute': 'a', 'default_value': 'd', 'action': 'insert'}", "a=s:x b=s:x" },
    { "", "{'key': 'b', 'default_value': 3, 'action': 'insert'}", "b=i:3" },
    /* the context: metadata x-tenant twice, one user, a peer */
    { "", "{'key': 't', 'from_context': 'metadata.X-Tenant', 'action': 'insert'}", "t=s:one;two" },
    { "", "{'key': 't', 'from_context': 'x-tenant', 'action': 'insert'}", "t=s:one;two" },
    { "", "{'key': 't', 'from_context': 'metadata.none', 'action': 'insert'}", "" },
    { "", "{'key': 't', 'from_context': 'metadata.none', 'default_value': 'd', 'action': 'insert'}", "t=s:d" },
    { "", "{'key': 't', 'from_context': 'client.address', 'action': 'insert'}", "t=s:::1" },
    { "", "{'key': 't', 'from_context': 'auth.username', 'action': 'insert'}", "t=s:ann" },
    { "", "{'key': 't', 'from_context': 'auth.none', 'action': 'insert'}", "" },
    /* delete */
    { "a=s:x b=s:y", "{'key': 'a', 'action': 'delete'}", "b=s:y" },
    { "a=s:x b=s:y", "{'key': 'c', 'action': 'delete'}", "a=s:x b=s:y" },
    { "a1=s:x b=s:y a2=i:1", "{'pattern': '^a', 'action': 'delete'}", "b=s:y" },
    { "a1=s:x b=s:y ca=i:1", "{'key': 'b', 'pattern': '^a', 'action': 'delete'}", "ca=i:1" },
    /* hash */
    { "a=s:test", "{'key': 'a', 'action': 'hash'}", "a=s:" HASH_TEST },
    { "a=s:", "{'key': 'a', 'action': 'hash'}", "a=s:" HASH_NOTHING },
    { "a=b:t", "{'key': 'a', 'action': 'hash'}", "a=s:" HASH_TRUE },
    { "a=i:1", "{'key': 'a', 'action': 'hash'}", "a=s:" HASH_1 },
    { "a=d:1.5", "{'key': 'a', 'action': 'hash'}", "a=s:" HASH_1_5 },
    { "a=m:", "{'key': 'a', 'action': 'hash'}", "a=s:" },
    { "a=s:test b=s:test", "{'pattern': 'b|c', 'action': 'hash'}", "a=s:test b=s:" HASH_TEST },
    /* extract */
    { "u=s:/v1/x", "{'key': 'u', 'pattern': '^/(?P<v>v[0-9])/(?P<r>.*)', 'action': 'extract'}",
      "u=s:/v1/x v=s:v1 r=s:x" },
    { "u=s:/v1/x v=i:0", "{'key': 'u', 'pattern': '(?P<v>v[0-9])(?P<q>[?].*)?', 'action': 'extract'}",
      "u=s:/v1/x v=s:v1 q=s:" },
    { "u=s:none", "{'key': 'u', 'pattern': '(?P<v>v[0-9])', 'action': 'extract'}", "u=s:none" },
    { "u=i:5", "{'key': 'u', 'pattern': '(?P<v>.)', 'action': 'extract'}", "u=i:5" },
    /* convert */
    { "a=i:5", "{'key': 'a', 'converted_type': 'string', 'action': 'convert'}", "a=s:5" },
    { "a=d:2.5", "{'key': 'a', 'converted_type': 'string', 'action': 'convert'}", "a=s:2.5" },
    { "a=b:f", "{'key': 'a', 'converted_type': 'string', 'action': 'convert'}", "a=s:false" },
    { "a=d:-2.9", "{'key': 'a', 'converted_type': 'int', 'action': 'convert'}", "a=i:-2" },
    { "a=d:1e300", "{'key': 'a', 'converted_type': 'int', 'action': 'convert'}", "a=d:1e+300" },
    { "a=s:42", "{'key': 'a', 'converted_type': 'int', 'action': 'convert'}", "a=i:42" },
    { "a=s:4x", "{'key': 'a', 'converted_type': 'int', 'action': 'convert'}", "a=s:4x" },
    { "a=b:t", "{'key': 'a', 'converted_type': 'int', 'action': 'convert'}", "a=i:1" },
    { "a=s:2.5", "{'key': 'a', 'converted_type': 'double', 'action': 'convert'}", "a=d:2.5" },
    { "a=i:3", "{'key': 'a', 'converted_type': 'double', 'action': 'convert'}", "a=d:3" },
    { "a=b:f", "{'key': 'a', 'converted_type': 'double', 'action': 'convert'}", "a=d:0" },
    { "a=m:", "{'key': 'a', 'converted_type': 'int', 'action': 'convert'}", "a=m:{}" },
    /* several, each on what the one before left */
    { "a=s:x",
      "{'key': 'b', 'from_attribute': 'a', 'action': 'insert'}, {'key': 'a', 'action': 'delete'}, "
      "{'key': 'b', 'value': 1, 'action': 'update'}, {'key': 'a', 'value': 2, 'action': 'insert'}",
      "b=i:1 a=i:2" },
};

static struct weir_context *context(void)
{
    static const struct weir_metadata metadata[] = { { WEIR_STR("x-tenant"), WEIR_STR("one") },
                                                     { WEIR_STR("x-tenant"), WEIR_STR("two") } };
    static const struct weir_metadata attributes[] = { { WEIR_STR("username"), WEIR_STR("ann") } };
    return weir_context_new_authenticated("grpc", WEIR_STR("[::1]:4711"), metadata, 2, attributes, 1);
}

static char *options_of(const char *actions)
{
    char *json = weir_xasprintf("{\"attributes\": [%s]}", actions);
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return json;
}

START_TEST(makes)
{
    char *options = options_of(cases[_i].actions), *before = weir_xstrdup(cases[_i].before);
    struct weir_harness *harness = make_harness(component, options, WEIR_TRACES);
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 1);
    struct weir_context *of_client = context();
    weir_batch_set_context(batch, of_client);
    weir_context_unref(of_client);
    parse(before, batch);
    weir_harness_consume(harness, batch);
    char *after = print(weir_harness_sent(harness, 0));
    ck_assert_str_eq(after, cases[_i].after);
    free(after);
    weir_harness_free(harness);
    free(before);
    free(options);
}
END_TEST

START_TEST(refuses)
{
    static const struct {
        const char *actions;
        const char *says;
    } bad[] = {
        { "{'action': 'insert', 'value': 1}", "missing required field \"key\"" },
        { "{'action': 'delete'}", "missing required field \"key\"" },
        { "{'key': 'a', 'action': 'upsert'}", "setting must be specified" },
        { "{'key': 'a', 'action': 'insert', 'value': 1, 'from_attribute': 'b'}", "multiple value sources" },
        { "{'key': 'a', 'action': 'insert', 'value': 1, 'pattern': 'x'}", "does not use the \"pattern\" field" },
        { "{'key': 'a', 'action': 'insert', 'value': 1, 'converted_type': 'int'}", "\"converted_type\" field" },
        { "{'key': 'a', 'action': 'delete', 'value': 1}", "does not use \"value\"" },
        { "{'key': 'a', 'action': 'hash', 'from_attribute': 'b'}", "does not use \"value\"" },
        { "{'key': 'a', 'action': 'extract'}", "missing required field \"pattern\"" },
        { "{'key': 'a', 'action': 'extract', 'pattern': 'a('}", "has invalid pattern" },
        { "{'key': 'a', 'action': 'extract', 'pattern': 'a'}", "no named matcher groups" },
        { "{'key': 'a', 'action': 'extract', 'pattern': '(?P<x>a)(b)'}", "unnamed matcher group" },
        { "{'key': 'a', 'action': 'convert'}", "missing required field \"converted_type\"" },
        { "{'key': 'a', 'action': 'convert', 'converted_type': 'bool'}", "expected string, int or double" },
        { "{'key': 'a', 'action': 'replace', 'value': 1}", "replace" },
        { "{'key': 'a', 'value': 1}", "action" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++) {
        char *options = options_of(bad[i].actions);
        struct bad_options one = { options, bad[i].says };
        assert_refused(component, WEIR_LOGS, &one, 1);
        free(options);
    }
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_PROCESSOR, "resource");
    Suite *suite = suite_create("attribute actions");
    TCase *tests = tcase_create("actions");
    tcase_add_loop_test(tests, makes, 0, (int)WEIR_ARRAY_LENGTH(cases));
    tcase_add_test(tests, refuses);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Options decoded from YAML: every kind of row, null and optional sections, errors with their places.
 */
#include <config.h>

#include <stdlib.h>

#include "core/config/tests/support.h"

struct inner {
    int64_t size;
    char *name;
};
struct element {
    char *key;
    char *type;
    int64_t weight;
};
struct shared {
    char *endpoint;
};
struct fake {
    bool flag;
    int64_t count;
    double ratio;
    char *text;
    int mode;
    struct weir_duration timeout;
    struct weir_secret password;
    struct weir_strings names;
    struct weir_ints ports;
    struct weir_pairs labels;
    struct weir_secret_pairs headers;
    struct weir_reference storage;
    struct weir_subtree rest;
    struct inner plain, some, off, none;
    bool some_on, off_on, none_on;
    struct weir_groups list, map;
    struct shared shared;
};

static const struct weir_option_value modes[] = {
    { "basic", 0 }, { "normal", 1 }, { "detailed", 2 }, { NULL, 0 }
};
static const struct weir_option inner_options[] = {
    WEIR_OPTION(struct inner, size, "size", .preset = "7", .min = 1, .max = 100, .unit = "MiB",
                .doc = "Size."),
    WEIR_OPTION(struct inner, name, "name", .doc = "Name."),
    WEIR_OPTION_END,
};
static const struct weir_option_table inner_table = { inner_options, sizeof(struct inner), NULL };
static const struct weir_option element_options[] = {
    WEIR_OPTION(struct element, type, "type", .required = true, .doc = "Type."),
    WEIR_OPTION(struct element, weight, "weight", .preset = "1", .doc = "Weight."),
    WEIR_OPTION_END,
};
static const struct weir_option_table element_table = { element_options, sizeof(struct element), NULL };
static const struct weir_option shared_options[] = {
    WEIR_OPTION(struct shared, endpoint, "endpoint", .doc = "Where."),
    WEIR_OPTION_END,
};
static const struct weir_option_table shared_table = { shared_options, sizeof(struct shared), NULL };

static void check_fake(const void *group, struct weir_checker *checker)
{
    const struct fake *fake = group;
    if (fake->count == 13)
        weir_check_fail(checker, "count", "is unlucky");
}

static const struct weir_option fake_options[] = {
    WEIR_OPTION(struct fake, flag, "flag", .preset = "true", .doc = "Flag."),
    WEIR_OPTION(struct fake, count, "count", .preset = "3", .bounded = true, .doc = "Count."),
    WEIR_OPTION(struct fake, ratio, "ratio", .preset = "0.5", .bounded = true, .max = 1, .doc = "Ratio."),
    WEIR_OPTION(struct fake, text, "text", .preset = "hello", .doc = "Text."),
    WEIR_OPTION(struct fake, mode, "mode", .preset = "normal", .values = modes, .nocase = true,
                .doc = "Mode."),
    WEIR_OPTION(struct fake, timeout, "timeout", .preset = "5s", .bounded = true, .doc = "Timeout."),
    WEIR_OPTION(struct fake, timeout, "time_limit", .replaced_by = "timeout", .doc = "Timeout."),
    WEIR_OPTION(struct fake, password, "password", .doc = "Password."),
    WEIR_OPTION(struct fake, names, "names", .preset = "a,b", .doc = "Names."),
    WEIR_OPTION(struct fake, ports, "ports", .preset = "80,443", .min = 1, .max = 65535, .doc = "Ports."),
    WEIR_OPTION(struct fake, labels, "labels", .doc = "Labels."),
    WEIR_OPTION(struct fake, headers, "headers", .doc = "Headers."),
    WEIR_OPTION(struct fake, storage, "storage", .doc = "Storage."),
    WEIR_OPTION(struct fake, rest, "rest", .doc = "Rest."),
    WEIR_OPTION_GROUP(struct fake, plain, "plain", &inner_table, .doc = "Plain."),
    WEIR_OPTION_OPTIONAL(struct fake, some, some_on, "some", &inner_table, WEIR_SOME, .doc = "Some."),
    WEIR_OPTION_OPTIONAL(struct fake, off, off_on, "off", &inner_table, WEIR_DEFAULT_OFF, .doc = "Off."),
    WEIR_OPTION_OPTIONAL(struct fake, none, none_on, "none", &inner_table, WEIR_NONE_OFF, .doc = "None."),
    WEIR_OPTION_LIST(struct fake, list, "list", &element_table, .doc = "List."),
    WEIR_OPTION_MAP(struct fake, map, "map", &element_table, struct element, key, .doc = "Map."),
    WEIR_OPTION_INLINE(struct fake, shared, &shared_table),
    WEIR_OPTION_REFUSED("thrift", "thrift is not supported"),
    WEIR_OPTION_IGNORED("read_buffer_size", "has no effect"),
    WEIR_OPTION_END,
};
static const struct weir_option_table fake_table = { fake_options, sizeof(struct fake), check_fake };

struct run {
    struct weir_arena arena;
    struct weir_problems problems;
    struct fake fake;
};

static void decode(struct run *run, const char *yaml)
{
    *run = (struct run){ 0 };
    setenv("NUMBER", "0123", 1);
    setenv("EMPTY", "", 1);
    const struct weir_node *root = support_read(yaml, &run->arena, &run->problems);
    ck_assert_ptr_nonnull(root);
    (void)weir_options_decode(&fake_table, root, "f", &run->fake, &run->arena, &run->problems);
}

static void finish(struct run *run, const char *problems)
{
    support_problems(&run->problems, problems);
    weir_arena_free(&run->arena);
}

/* The effective values in one JSON text: what a table of inputs is compared with. */
static const struct {
    const char *yaml;
    const char *part;
} values[] = {
    { "", "\"flag\": true," },
    { "", "\"count\": 3," },
    { "", "\"ratio\": 0.5," },
    { "", "\"text\": \"hello\"," },
    { "", "\"mode\": \"normal\"," },
    { "", "\"timeout\": 5000000000," },
    { "", "\"names\": [\n    \"a\",\n    \"b\"\n  ]," },
    { "", "\"storage\": null," },
    /* null: zero for scalars, the default for lists and maps */
    { "flag:", "\"flag\": false," },
    { "count:", "\"count\": 0," },
    { "ratio:", "\"ratio\": 0," },
    { "text:", "\"text\": \"\"," },
    { "timeout:", "\"timeout\": 0," },
    { "timeout: ${EMPTY}", "\"timeout\": 0," },
    { "mode:", "\"mode\": \"normal\"," },
    { "names:", "\"names\": [\n    \"a\",\n    \"b\"\n  ]," },
    { "labels:", "\"labels\": {}," },
    { "", "\"ports\": [\n    80,\n    443\n  ]," },
    { "ports:", "\"ports\": [\n    80,\n    443\n  ]," },
    { "ports: []", "\"ports\": []," },
    { "ports: [0x10, 65535]", "\"ports\": [\n    16,\n    65535\n  ]," },
    /* scalars */
    { "flag: false", "\"flag\": false," },
    { "count: 0x10", "\"count\": 16," },
    { "count: ${NUMBER}", "\"count\": 83," },
    { "ratio: 1", "\"ratio\": 1," },
    { "text: ${NUMBER}", "\"text\": \"0123\"," },
    { "text: 'x'", "\"text\": \"x\"," },
    { "mode: DETAILED", "\"mode\": \"detailed\"," },
    { "timeout: 5000000", "\"timeout\": 5000000," },
    { "timeout: 1m30s", "\"timeout\": 90000000000," },
    { "password: x", "\"password\": \"[REDACTED]\"," },
    { "storage: file_storage/a", "\"storage\": \"file_storage/a\"," },
    { "endpoint: h:1", "\"endpoint\": \"h:1\"" },
    { "rest: {a: [1]}", "\"rest\": {\n    \"a\": [\n      1\n    ]\n  }," },
    /* lists and maps */
    { "names: [x]", "\"names\": [\n    \"x\"\n  ]," },
    { "names: x,y", "\"names\": [\n    \"x\",\n    \"y\"\n  ]," },
    { "names: ''", "\"names\": []," },
    { "names: []", "\"names\": []," },
    { "labels: {b: x, a: '1'}", "\"labels\": {\n    \"a\": \"1\",\n    \"b\": \"x\"\n  }," },
    { "labels: [{name: b, value: x}, {name: a}]", "\"labels\": {\n    \"b\": \"x\",\n    \"a\": \"\"\n  }," },
    { "headers: {k: v}", "\"headers\": {\n    \"k\": \"[REDACTED]\"\n  }," },
    { "list: [{type: t}]", "\"list\": [\n    {\n      \"type\": \"t\",\n      \"weight\": 1\n    }\n  ]," },
    { "map: {m: {type: t}}",
      "\"map\": {\n    \"m\": {\n      \"type\": \"t\",\n      \"weight\": 1\n    }\n  }," },
    /* sections: absent, null, {}, keys, enabled */
    { "", "\"plain\": {\n    \"size\": 7," },
    { "plain:", "\"plain\": {\n    \"size\": 7," },
    { "plain: {size: 9}", "\"plain\": {\n    \"size\": 9," },
    { "", "\"some\": {\n    \"size\": 7," },
    { "some:", "\"some\": {\n    \"size\": 7," },
    { "some: {}", "\"some\": {\n    \"size\": 7," },
    { "some: {size: 9}", "\"some\": {\n    \"size\": 9," },
    { "some: {enabled: false}", "\"some\": {\n    \"enabled\": false\n  }" },
    { "some: {enabled: false, size: 0}", "\"some\": {\n    \"enabled\": false\n  }" },
    { "some: {enabled: true}", "\"some\": {\n    \"size\": 7," },
    { "", "\"off\": {\n    \"enabled\": false\n  }" },
    { "off:", "\"off\": {\n    \"size\": 7," },
    { "off: {}", "\"off\": {\n    \"size\": 7," },
    { "off: {size: 9}", "\"off\": {\n    \"size\": 9," },
    { "off: {enabled: false}", "\"off\": {\n    \"enabled\": false\n  }" },
    { "", "\"none\": null," },
    { "none:", "\"none\": null," },
    { "none: {}", "\"none\": {\n    \"size\": 7," },
    { "none: {size: 9}", "\"none\": {\n    \"size\": 9," },
    { "none: {enabled: false}", "\"none\": null," },
};

START_TEST(decodes)
{
    struct run run;
    struct weir_text text = { 0 };
    struct weir_dump dump = { .text = &text, .json = true };
    decode(&run, values[_i].yaml);
    weir_options_dump(&fake_table, &run.fake, &dump);
    ck_assert_msg(strstr(weir_text_string(&text), values[_i].part), "%s\ngives\n%s\nwithout\n%s",
                  values[_i].yaml, weir_text_string(&text), values[_i].part);
    weir_text_free(&text);
    finish(&run, "");
}
END_TEST

static const struct {
    const char *yaml;
    const char *problem;
} errors[] = {
    { "flag: yes",
      "1:7: f::flag: expected type 'bool', got unconvertible type 'string'; numbers and booleans are "
      "written without quotes" },
    { "flag: 1", "1:7: f::flag: expected type 'bool', got unconvertible type 'int'" },
    { "count: abc",
      "1:8: f::count: expected type 'int', got unconvertible type 'string'; numbers and booleans are "
      "written without quotes" },
    { "count: -1", "1:8: f::count: must be at least 0, got -1" },
    { "count: 1e300", "1:8: f::count: cannot be held in an integer, 1e300 overflows int64" },
    { "count: 2.5", "1:8: warning: f::count: expected an integer, 2.5 is cut to 2" },
    { "count: 13", "1:8: f::count: is unlucky" },
    { "count: [1]", "1:8: f::count: expected type 'int', got unconvertible type 'list'" },
    { "ratio: 1.5", "1:8: f::ratio: must be between 0 and 1, got 1.5" },
    { "text: 5",
      "1:7: f::text: expected type 'string', got unconvertible type 'int'; put it in quotes to make it a "
      "string" },
    { "text: 2024-05-01",
      "1:7: f::text: expected type 'string', got unconvertible type 'timestamp'; put it in "
      "quotes to make it a string" },
    { "text: {a: b}", "1:7: f::text: expected type 'string', got unconvertible type 'map'" },
    { "mode: norml",
      "1:7: f::mode: unknown value \"norml\", expected one of basic, normal, detailed (did you mean "
      "\"normal\"?)" },
    { "timeout: 5d",
      "1:10: f::timeout: time: invalid duration \"5d\", expected a text like \"500ms\" or \"1m30s\"" },
    { "timeout: 30",
      "1:10: warning: f::timeout: 30 without a unit is nanoseconds; write \"30s\" for seconds" },
    { "timeout: -1s", "1:10: f::timeout: must be at least 0s, got -1s" },
    { "time_limit: 1s",
      "1:1: warning: f::time_limit: \"time_limit\" is deprecated; use \"timeout\" instead" },
    { "storage: a b", "1:10: f::storage: in \"a b\" id: invalid character(s) in type \"a b\"" },
    { "names: {a: b}", "1:8: f::names: source data must be an array or slice, got map; expected a list" },
    { "names: [a, 5]",
      "1:12: f::names[1]: expected type 'string', got unconvertible type 'int'; put it in quotes to "
      "make it a string" },
    { "headers: {x: 123}",
      "1:14: f::headers::x: expected type 'string', got unconvertible type 'int'; put it in "
      "quotes to make it a string" },
    { "headers: [{name: a}, {name: a}]", "1:22: f::headers[1]: duplicate keys in map-style list: [a]" },
    { "headers: [[]]", "1:11: f::headers[0]: expected a map or struct, got \"list\"" },
    { "labels: [~]", "1:10: f::labels[0]::name: Name.: required key \"name\" is missing" },
    { "list: x", "1:7: f::list: source data must be an array or slice, got string; expected a list" },
    { "list: [{}]", "1:8: f::list[0]::type: Type.: required key \"type\" is missing" },
    { "map: {m: {type: ''}}", "1:17: f::map::m::type: Type.: required key \"type\" is empty" },
    { "plain: 5", "1:8: f::plain: expected a map or struct, got \"int\"" },
    { "some: {enabled: 1}",
      "1:17: f::some::enabled: unexpected type int for 'enabled', expected true or false" },
    { "some: {enabled: false, sise: 1}", "1:24: f::some: has invalid keys: sise (did you mean \"size\"?)" },
    { "plain: {enabled: true}", "1:9: f::plain: has invalid keys: enabled (known keys: size, name)" },
    { "plain: {size: 101}", "1:15: f::plain::size: must be between 1 MiB and 100 MiB, got 101" },
    { "thrift: {}", "1:1: f::thrift: thrift is not supported" },
    { "read_buffer_size: 1", "1:1: warning: f::read_buffer_size: has no effect" },
    { "size: 1", "1:1: f: has invalid keys: size (it belongs below \"plain\": is it indented too little?)" },
    { "endpont: x", "1:1: f: has invalid keys: endpont (did you mean \"endpoint\"?)" },
};

START_TEST(reports)
{
    struct run run;
    char *expected = weir_xasprintf("t.yaml:%s\n", errors[_i].problem);
    decode(&run, errors[_i].yaml);
    finish(&run, expected);
    free(expected);
}
END_TEST

START_TEST(an_unexpandable_value_is_reported_once)
{
    struct run run;
    decode(&run, "plain: {size: '${env:a b}'}\n");
    finish(&run, "t.yaml:1:15: plain::size: environment variable \"a b\" has invalid name: must match regex "
                 "^[a-zA-Z_][a-zA-Z0-9_]*$\n");
}
END_TEST

START_TEST(tables_verify)
{
    static const struct weir_option bad_options[] = {
        WEIR_OPTION(struct inner, size, "size", .preset = "many", .doc = "Size."),
        WEIR_OPTION(struct inner, size, "size", .preset = "0", .min = 1, .doc = ""),
        WEIR_OPTION_END,
    };
    static const struct weir_option_table bad_table = { bad_options, sizeof(struct inner), NULL };
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_options_verify(&fake_table, &error), 0);
    ck_assert_int_eq(weir_options_verify(telemetry_options(), &error), 0);
    ck_assert_int_eq(weir_options_verify(&bad_table, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "size: has a default that does not parse\n"
                                              "size: has no doc\n"
                                              "size: stands twice\n"
                                              "size: has a default outside its limits");
    weir_error_free(&error);
}
END_TEST

START_TEST(describes)
{
    struct weir_text text = { 0 };
    weir_options_describe(&inner_table, "exporter fake", WEIR_DESCRIBE_TEXT, &text);
    ck_assert_str_eq(weir_text_string(&text), "exporter fake\n\n"
                                              "  size (int, default 7, 1 to 100 MiB)\n      Size.\n"
                                              "  name (string)\n      Name.\n");
    weir_text_clear(&text);
    weir_options_describe(&inner_table, "exporter fake", WEIR_DESCRIBE_MARKDOWN, &text);
    ck_assert_str_eq(weir_text_string(&text), "# exporter fake\n\n| Key | Type | Default | Meaning |\n"
                                              "| --- | --- | --- | --- |\n"
                                              "| `size` | int | `7` | Size. (1 to 100 MiB) |\n"
                                              "| `name` | string |  | Name. |\n");
    weir_text_clear(&text);
    weir_options_describe(&inner_table, "exporter fake", WEIR_DESCRIBE_YAML, &text);
    ck_assert_str_eq(weir_text_string(&text), "# exporter fake\n"
                                              "# Size. (int, default 7, 1 to 100 MiB)\nsize: 7\n"
                                              "# Name. (string)\n#name:\n");
    weir_text_free(&text);
}
END_TEST

/* Dumped values, loaded again, dump the same; the sample of the defaults decodes to them. */
START_TEST(documents_load_again)
{
    struct run run;
    struct weir_text first = { 0 };
    struct weir_text second = { 0 };
    decode(&run, "names: [x, '5', 'a: b']\nlabels: {a: 'true'}\nlist: [{type: t}]\nmap: {m: {type: t}}\n"
                 "rest: {a: [1, [2, {b: null}], {}, []]}\nsome: {enabled: false}\nnone: {}\nstorage: s/1\n");
    struct weir_dump dump = { .text = &first };
    weir_options_dump(&fake_table, &run.fake, &dump);
    finish(&run, "");
    decode(&run, weir_text_string(&first));
    dump = (struct weir_dump){ .text = &second };
    weir_options_dump(&fake_table, &run.fake, &dump);
    ck_assert_str_eq(weir_text_string(&second), weir_text_string(&first));
    finish(&run, "");

    weir_text_clear(&first);
    weir_options_describe(&fake_table, "fake", WEIR_DESCRIBE_YAML, &first);
    decode(&run, weir_text_string(&first));
    finish(&run, "");
    weir_text_clear(&first);
    weir_options_describe(&fake_table, "fake", WEIR_DESCRIBE_JSON_SCHEMA, &first);
    decode(&run, "");
    ck_assert_ptr_nonnull(support_read(weir_text_string(&first), &run.arena, &run.problems));
    finish(&run, "");
    weir_text_free(&first);
    weir_text_free(&second);
}
END_TEST

/* A whole configuration with ten mistakes. */
START_TEST(ten_mistakes_are_ten_errors)
{
    static const char yaml[] = "receivers:\n"
                               "  fake:\n"
                               "    count: many\n"        /* 1: type */
                               "    timeout: 5 minutes\n" /* 2: duration */
                               "    endpont: h:1\n"       /* 3: unknown key */
                               "    flag: true\n"
                               "    flag: false\n" /* 4: duplicate key */
                               "  2fake:\n"        /* 5: id */
                               "exporters:\n"
                               "  fake:\n"
                               "    mode: basc\n"          /* 6: word */
                               "    some: {size: 0}\n"     /* 7: range */
                               "    list: [{weight: 2}]\n" /* 8: required */
                               "service:\n"
                               "  pipelines:\n"
                               "    traces:\n"
                               "      receivers: [fak]\n" /* 9: reference */
                               "      exporters: [fake]\n"
                               "  telemetry: {logs: {level: loud}}\n"; /* 10 */
    struct weir_problems problems = { 0 };
    struct weir_config *config = support_load_one(yaml, &problems);
    for (int kind = 0; kind < WEIR_KINDS; kind++) {
        for (size_t i = 0; i < config->entries[kind].count; i++)
            (void)weir_config_decode_component(config, &config->entries[kind].items[i], &fake_table,
                                               &problems);
    }
    ck_assert_uint_eq(problems.errors, 10);
    support_problems(
        &problems,
        "1.yaml:7:5: mapping key \"flag\" already defined at line 6\n"
        "1.yaml:8:3: receivers: in \"2fake\" id: invalid character(s) in type \"2fake\"\n"
        "1.yaml:19:29: service::telemetry::logs::level: unknown value \"loud\", expected one of debug, info, "
        "warn, "
        "error, dpanic, panic, fatal\n"
        "1.yaml:17:19: service::pipelines::traces: references receiver \"fak\" which is not configured (did "
        "you "
        "mean \"fake\"?)\n"
        "1.yaml:3:12: receivers::fake::count: expected type 'int', got unconvertible type 'string'; numbers "
        "and "
        "booleans are written without quotes\n"
        "1.yaml:4:14: receivers::fake::timeout: time: invalid duration \"5 minutes\", expected a text like "
        "\"500ms\" or \"1m30s\"\n"
        "1.yaml:5:5: receivers::fake: has invalid keys: endpont (did you mean \"endpoint\"?)\n"
        "1.yaml:11:11: exporters::fake::mode: unknown value \"basc\", expected one of basic, normal, "
        "detailed (did "
        "you mean \"basic\"?)\n"
        "1.yaml:12:18: exporters::fake::some::size: must be between 1 MiB and 100 MiB, got 0\n"
        "1.yaml:13:12: exporters::fake::list[0]::type: Type.: required key \"type\" is missing\n");
    weir_config_free(config);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("decode");
    tcase_add_loop_test(tests, decodes, 0, WEIR_ARRAY_LENGTH(values));
    tcase_add_loop_test(tests, reports, 0, WEIR_ARRAY_LENGTH(errors));
    tcase_add_test(tests, an_unexpandable_value_is_reported_once);
    tcase_add_test(tests, tables_verify);
    tcase_add_test(tests, describes);
    tcase_add_test(tests, documents_load_again);
    tcase_add_test(tests, ten_mistakes_are_ten_errors);
    Suite *suite = suite_create("decode");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

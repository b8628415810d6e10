// SPDX-License-Identifier: Apache-2.0
/* What log records look like on the wire of Loki's push API (contrib-receivers-exporters 6.1, 6.2 and 9.7). */
#include <config.h>

#include <weir/context.h>
#include <weir/otlp_json.h>

#include "logproto.pb-c.h"
#include "plugins/exporters/loki/translate.h"
#include "tests/unit/suite.h"

#define NOW 7000000005u
#define TEXT(bytes) (int)(bytes).len, (const char *)(bytes).data

static struct loki_config config;

static void setup(void)
{
    config = (struct loki_config){ .endpoint = (char *)(uintptr_t)"http://loki/loki/api/v1/push",
                                   .defaults = { true, true, true, true } };
}

/* --- printing what is on the wire --- */

static void print_body(const struct weir_buffer *body, struct weir_text *text)
{
    Logproto__PushRequest *request = logproto__push_request__unpack(NULL, body->length, body->data);
    ck_assert_ptr_nonnull(request);
    for (size_t i = 0; i < request->n_streams; i++) {
        const Logproto__Stream *stream = request->streams[i];
        weir_text_addf(text, "%.*s\n", TEXT(stream->labels));
        for (size_t j = 0; j < stream->n_entries; j++)
            weir_text_addf(text, "%lld.%d %.*s\n", (long long)stream->entries[j]->timestamp->seconds,
                           stream->entries[j]->timestamp->nanos, TEXT(stream->entries[j]->line));
    }
    logproto__push_request__free_unpacked(request, NULL);
}

static struct weir_batch *make_batch(const char *json)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = weir_batch_from_json(WEIR_LOGS, json, strlen(json), &error);
    ck_assert_msg(batch != NULL, "%s: %s", weir_error_text(&error), json);
    return batch;
}

/* For each tenant its name in brackets (nothing for none), each stream, each entry; "skipped N: reason" at the end. */
static char *translate(struct weir_batch *batch)
{
    struct loki_rules rules = { .config = NULL };
    struct loki_push push = { .first = NULL };
    struct loki_skipped skipped = { .items = 0 };
    struct weir_text text = { 0 };
    uint64_t items = 0;
    loki_rules_init(&rules, &config);
    ck_assert_int_eq(loki_translate(&rules, batch, NOW, &push, &skipped), LOKI_TRANSLATED);
    for (struct loki_tenant *tenant = push.first; tenant; tenant = tenant->next) {
        struct weir_buffer *body = loki_push_pack(&push, tenant);
        ck_assert_ptr_nonnull(body);
        if (tenant->name.length)
            weir_text_addf(&text, "[%.*s]\n", WEIR_STR_ARG(tenant->name));
        print_body(body, &text);
        weir_buffer_unref(body);
        items += tenant->items;
    }
    ck_assert_uint_eq(items + skipped.items, weir_batch_items(batch));
    if (skipped.items)
        weir_text_addf(&text, "skipped %u: %s\n", (unsigned)skipped.items, weir_text_string(&skipped.reason));
    weir_text_free(&skipped.reason);
    loki_push_free(&push);
    loki_rules_free(&rules);
    weir_batch_unref(batch);
    return weir_text_steal(&text);
}

static void assert_translated(const char *json, const char *expected)
{
    char *found = translate(make_batch(json));
    ck_assert_str_eq(found, expected);
    free(found);
}

/* --- one record --- */

#define S(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define I(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"
#define V(key, value) "{\"key\":\"" key "\",\"value\":{" value "}}"
#define LIST(items) "\"arrayValue\":{\"values\":[" items "]}"
#define MAP(items) "\"kvlistValue\":{\"values\":[" items "]}"
#define TEXT_VALUE(text) "{\"stringValue\":\"" text "\"}"
#define BODY(text) "\"body\":{\"stringValue\":\"" text "\"},"
#define LABELS(names) S("loki.attribute.labels", names)
#define FORMAT(name) S("loki.format", name)
#define IDS "\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"b7ad6b7169203331\","

struct row {
    const char *fields; /* of the record, each with a comma behind it */
    const char *attributes;
    const char *resource;
    const char *labels; /* without braces; NULL: skipped, and line is the reason */
    const char *line;
    const char *tenant;
};

static char *json_of(const struct row *row, const char *scope)
{
    return weir_xasprintf("{\"resourceLogs\":[{\"resource\":{\"attributes\":[%s]},\"scopeLogs\":[{\"scope\":{%s},"
                          "\"logRecords\":[{%s\"timeUnixNano\":\"1500000002\",\"attributes\":[%s]}]}]}]}",
                          row->resource ? row->resource : "", scope, row->fields ? row->fields : "",
                          row->attributes ? row->attributes : "");
}

static void check_row(const struct row *row, const char *scope)
{
    struct weir_text expected = { 0 };
    if (row->tenant)
        weir_text_addf(&expected, "[%s]\n", row->tenant);
    if (row->labels)
        weir_text_addf(&expected, "{%s}\n1.500000002 %s\n", row->labels, row->line);
    else
        weir_text_addf(&expected, "skipped 1: %s\n", row->line);
    char *json = json_of(row, scope);
    assert_translated(json, weir_text_string(&expected));
    free(json);
    weir_text_free(&expected);
}

/* --- labels --- */

#define OTLP "exporter=\"OTLP\""

static const struct row label_rows[] = {
    // Defaults.
    { NULL, NULL, NULL, OTLP, "{}", NULL },
    { NULL, NULL, S("service.name", "shop"), OTLP ", job=\"shop\"", "{\"resources\":{\"service.name\":\"shop\"}}", NULL },
    { NULL, NULL, S("service.namespace", "eu") "," S("service.name", "shop"), OTLP ", job=\"eu/shop\"",
      "{\"resources\":{\"service.name\":\"shop\",\"service.namespace\":\"eu\"}}", NULL },
    { NULL, NULL, S("service.namespace", "eu"), OTLP, "{\"resources\":{\"service.namespace\":\"eu\"}}", NULL },
    { NULL, NULL, S("service.instance.id", "i1"), OTLP ", instance=\"i1\"",
      "{\"resources\":{\"service.instance.id\":\"i1\"}}", NULL },
    { "\"severityNumber\":1,", NULL, NULL, OTLP ", level=\"TRACE\"", "{}", NULL },
    { "\"severityNumber\":4,", NULL, NULL, OTLP ", level=\"TRACE4\"", "{}", NULL },
    { "\"severityNumber\":5,", NULL, NULL, OTLP ", level=\"DEBUG\"", "{}", NULL },
    { "\"severityNumber\":9,", NULL, NULL, OTLP ", level=\"INFO\"", "{}", NULL },
    { "\"severityNumber\":14,", NULL, NULL, OTLP ", level=\"WARN2\"", "{}", NULL },
    { "\"severityNumber\":17,", NULL, NULL, OTLP ", level=\"ERROR\"", "{}", NULL },
    { "\"severityNumber\":24,", NULL, NULL, OTLP ", level=\"FATAL4\"", "{}", NULL },
    { "\"severityNumber\":9,", S("level", "notice"), NULL, OTLP ", level=\"notice\"", "{}", NULL },
    { NULL, S("level", "notice"), NULL, OTLP, "{\"attributes\":{\"level\":\"notice\"}}", NULL },
    { "\"severityText\":\"Info\",", NULL, NULL, OTLP, "{\"severity\":\"Info\"}", NULL },
    // Hints of the record.
    { NULL, LABELS("a") "," S("a", "1") "," S("b", "2"), NULL, "a=\"1\", " OTLP, "{\"attributes\":{\"b\":\"2\"}}", NULL },
    { NULL, LABELS("a,b") "," S("a", "1") "," S("b", "2"), NULL, "a=\"1\", b=\"2\", " OTLP, "{}", NULL },
    { NULL, LABELS(" a ,  b ") "," S("a", "1") "," S("b", "2"), NULL, "a=\"1\", b=\"2\", " OTLP, "{}", NULL },
    { NULL, LABELS("a,,z,") "," S("a", "1"), NULL, "a=\"1\", " OTLP, "{}", NULL },
    { NULL, LABELS("none"), NULL, OTLP, "{}", NULL },
    { NULL, V("loki.attribute.labels", LIST(TEXT_VALUE("a") "," TEXT_VALUE("b"))) "," S("a", "1") "," S("b", "2"), NULL,
      "a=\"1\", b=\"2\", " OTLP, "{}", NULL },
    { "\"severityNumber\":9,", LABELS("a") "," S("a", "1"), NULL, "a=\"1\", " OTLP ", level=\"INFO\"", "{}", NULL },
    { NULL, V("loki.attribute.labels", "\"intValue\":\"7\"") "," S("7", "seven"), NULL, OTLP ", key_7=\"seven\"", "{}",
      NULL },
    { NULL, LABELS("a,b,c,d") "," I("a", "-5") "," V("b", "\"boolValue\":true") "," V("c", "\"doubleValue\":0.25") ","
                V("d", "\"bytesValue\":\"AAE=\""),
      NULL, "a=\"-5\", b=\"true\", c=\"0.25\", d=\"AAE=\", " OTLP, "{}", NULL },
    { NULL, LABELS("m") "," V("m", MAP(S("y", "2") "," S("x", "1"))), NULL,
      OTLP ", m=\"{\\\"x\\\":\\\"1\\\",\\\"y\\\":\\\"2\\\"}\"", "{}", NULL },
    // Names.
    { NULL, LABELS("user.id") "," S("user.id", "7"), NULL, OTLP ", user_id=\"7\"", "{}", NULL },
    { NULL, LABELS("a b/c") "," S("a b/c", "7"), NULL, "a_b_c=\"7\", " OTLP, "{}", NULL },
    { NULL, LABELS("1st") "," S("1st", "7"), NULL, OTLP ", key_1st=\"7\"", "{}", NULL },
    { NULL, LABELS("_x") "," S("_x", "7"), NULL, OTLP ", key_x=\"7\"", "{}", NULL },
    { NULL, LABELS(".x") "," S(".x", "7"), NULL, OTLP ", key_x=\"7\"", "{}", NULL },
    { NULL, LABELS("größe") "," S("größe", "7"), NULL, OTLP ", gr__e=\"7\"", "{}", NULL },
    { NULL, LABELS("a.b,a_b") "," S("a.b", "1") "," S("a_b", "2"), NULL, "a_b=\"2\", " OTLP, "{}", NULL },
    // Values.
    { NULL, LABELS("a") "," S("a", "q\\\" b\\\\ n\\n t\\t"), NULL, "a=\"q\\\" b\\\\ n\\n t\\t\", " OTLP, "{}", NULL },
    { NULL, LABELS("a") "," S("a", "\\u0001\\u0007\\u007f é"), NULL, "a=\"\\x01\\a\\x7f é\", " OTLP, "{}", NULL },
    { NULL, LABELS("a") "," S("a", ""), NULL, "a=\"\", " OTLP, "{}", NULL },
    // Nested names.
    { NULL, LABELS("http.status") "," V("http", MAP(I("status", "200") "," S("verb", "GET"))), NULL,
      OTLP ", http_status=\"200\"", "{\"attributes\":{\"http\":{\"status\":200,\"verb\":\"GET\"}}}", NULL },
    { NULL, LABELS("a.b.c") "," V("a", MAP(V("b", MAP(S("c", "deep"))))), NULL, "a_b_c=\"deep\", " OTLP,
      "{\"attributes\":{\"a\":{\"b\":{\"c\":\"deep\"}}}}", NULL },
    { NULL, LABELS("a.b.c") "," V("a.b", MAP(S("c", "dotted"))), NULL, "a_b_c=\"dotted\", " OTLP,
      "{\"attributes\":{\"a.b\":{\"c\":\"dotted\"}}}", NULL },
    { NULL, LABELS("a.b") "," S("a.b", "flat") "," V("a", MAP(S("b", "nested"))), NULL, "a_b=\"flat\", " OTLP,
      "{\"attributes\":{\"a\":{\"b\":\"nested\"}}}", NULL },
    { NULL, LABELS("a.b") "," S("a", "no map"), NULL, OTLP, "{\"attributes\":{\"a\":\"no map\"}}", NULL },
    // Hints about the resource.
    { NULL, NULL, S("loki.resource.labels", "host.name") "," S("host.name", "h1"), OTLP ", host_name=\"h1\"", "{}", NULL },
    { NULL, S("loki.resource.labels", "host.name"), S("host.name", "h1"), OTLP ", host_name=\"h1\"", "{}", NULL },
    { NULL, S("loki.resource.labels", "b"), S("loki.resource.labels", "a") "," S("a", "1") "," S("b", "2"),
      "a=\"1\", b=\"2\", " OTLP, "{}", NULL },
    { NULL, S("host.name", "h2"), S("loki.resource.labels", "host.name"), OTLP,
      "{\"attributes\":{\"host.name\":\"h2\"}}", NULL },
    { NULL, S("x", "of the record"), LABELS("x"), OTLP, "{\"attributes\":{\"x\":\"of the record\"}}", NULL },
    // Who wins, and what leaves the line.
    { NULL, LABELS("a") "," S("a", "log"), S("loki.resource.labels", "a") "," S("a", "resource"), "a=\"log\", " OTLP, "{}",
      NULL },
    { NULL, LABELS("exporter") "," S("exporter", "mine"), NULL, "exporter=\"mine\"", "{}", NULL },
    { NULL, LABELS("job") "," S("job", "j"), S("service.name", "shop"), OTLP ", job=\"j\"",
      "{\"resources\":{\"service.name\":\"shop\"}}", NULL },
    { NULL, S("exporter", "x"), S("exporter", "y") "," S("job", "z"), OTLP, "{\"resources\":{\"job\":\"z\"}}", NULL },
    { NULL, LABELS("a.b") "," S("a.b", "1") "," S("a_b", "2"), NULL, "a_b=\"1\", " OTLP,
      "{\"attributes\":{\"a_b\":\"2\"}}", NULL },
    { BODY("login") "\"severityNumber\":9,", LABELS("user.id") "," I("user.id", "7") "," S("k", "v"),
      S("service.name", "shop") "," S("loki.resource.labels", "host.name") "," S("host.name", "h1"),
      OTLP ", host_name=\"h1\", job=\"shop\", level=\"INFO\", user_id=\"7\"",
      "{\"body\":\"login\",\"attributes\":{\"k\":\"v\"},\"resources\":{\"service.name\":\"shop\"}}", NULL },
};

START_TEST(labels_come_from_defaults_and_hints)
{
    check_row(&label_rows[_i], "");
}
END_TEST

START_TEST(default_labels_can_be_off)
{
    const struct row all = { "\"severityNumber\":9,", NULL, S("service.name", "shop") "," S("service.instance.id", "i"), "",
                             "{\"resources\":{\"service.instance.id\":\"i\",\"service.name\":\"shop\"}}", NULL };
    config.defaults = (struct loki_default_labels){ .exporter = false };
    check_row(&all, "");
    const struct row level = { "\"severityNumber\":9,", S("level", "x"), S("service.name", "shop"),
                               "exporter=\"OTLP\", job=\"shop\"",
                               "{\"attributes\":{\"level\":\"x\"},\"resources\":{\"service.name\":\"shop\"}}", NULL };
    config.defaults = (struct loki_default_labels){ .exporter = true, .job = true };
    check_row(&level, "");
}
END_TEST

/* --- tenants --- */

static const struct row tenant_rows[] = {
    { NULL, S("loki.tenant", "team"), S("team", "red"), OTLP, "{\"resources\":{\"team\":\"red\"}}", "red" },
    { NULL, NULL, S("loki.tenant", "team") "," S("team", "red"), OTLP, "{\"resources\":{\"team\":\"red\"}}", "red" },
    { NULL, S("loki.tenant", "team") "," S("team", "red"), NULL, OTLP, "{\"attributes\":{\"team\":\"red\"}}", "red" },
    { NULL, S("team", "red"), S("loki.tenant", "team"), OTLP, "{\"attributes\":{\"team\":\"red\"}}", "red" },
    { NULL, S("loki.tenant", "b") "," S("b", "2"), S("loki.tenant", "a") "," S("a", "1"), OTLP,
      "{\"attributes\":{\"b\":\"2\"},\"resources\":{\"a\":\"1\"}}", "1" },
    { NULL, S("team", "log"), S("loki.tenant", "team") "," S("team", "resource"), OTLP,
      "{\"attributes\":{\"team\":\"log\"},\"resources\":{\"team\":\"resource\"}}", "resource" },
    { NULL, S("loki.tenant", "o.t"), V("o", MAP(I("t", "42"))), OTLP, "{\"resources\":{\"o\":{\"t\":42}}}", "42" },
    { NULL, S("loki.tenant", "none"), NULL, OTLP, "{}", NULL },
    { NULL, S("loki.tenant", "team") "," S("team", "a\\r\\nX-Evil: 1"), NULL, NULL,
      "a tenant with characters other than printable ASCII, or with more than 256", NULL },
};

START_TEST(the_tenant_comes_from_a_hint)
{
    check_row(&tenant_rows[_i], "");
}
END_TEST

/* --- formats --- */

static const struct row json_rows[] = {
    { BODY("login ok") IDS "\"severityText\":\"INFO\",\"flags\":1,", S("user", "u1"), S("host.name", "h1"), OTLP,
      "{\"body\":\"login ok\",\"traceid\":\"0af7651916cd43dd8448eb211c80319c\",\"spanid\":\"b7ad6b7169203331\","
      "\"severity\":\"INFO\",\"flags\":1,\"attributes\":{\"user\":\"u1\"},\"resources\":{\"host.name\":\"h1\"},"
      "\"instrumentation_scope\":{\"name\":\"lib\",\"version\":\"1.0\",\"attributes\":{\"s\":1}}}",
      NULL },
#define SCOPE ",\"instrumentation_scope\":{\"name\":\"lib\",\"version\":\"1.0\",\"attributes\":{\"s\":1}}}"
    { BODY("<a href=\\\"x\\\">&\\u2028</a>"), NULL, NULL, OTLP,
      "{\"body\":\"\\u003ca href=\\\"x\\\"\\u003e\\u0026\\u2028\\u003c/a\\u003e\"" SCOPE, NULL },
    { BODY("t\\tn\\nr\\rc\\u0001b\\\\ é"), NULL, NULL, OTLP, "{\"body\":\"t\\tn\\nr\\rc\\u0001b\\\\ é\"" SCOPE, NULL },
    { BODY(""), NULL, NULL, OTLP, "{\"body\":\"\"" SCOPE, NULL },
    { "\"body\":{\"intValue\":\"5\"},", NULL, NULL, OTLP, "{\"body\":5" SCOPE, NULL },
    { "\"body\":{\"doubleValue\":1e21},", NULL, NULL, OTLP, "{\"body\":1e+21" SCOPE, NULL },
    { "\"body\":{\"doubleValue\":\"NaN\"},", NULL, NULL, OTLP, "{\"body\":\"NaN\"" SCOPE, NULL },
    { "\"body\":{\"boolValue\":false},", NULL, NULL, OTLP, "{\"body\":false" SCOPE, NULL },
    { "\"body\":{\"bytesValue\":\"AAE=\"},", NULL, NULL, OTLP, "{\"body\":\"AAE=\"" SCOPE, NULL },
    { "\"body\":{" MAP(S("z", "1") "," V("a", LIST("{}," TEXT_VALUE("x") "," "{\"intValue\":\"2\"}"))) "},", NULL, NULL,
      OTLP, "{\"body\":{\"a\":[null,\"x\",2],\"z\":\"1\"}" SCOPE, NULL },
    { "\"body\":{" MAP("") "},", NULL, NULL, OTLP, "{\"body\":{}" SCOPE, NULL },
    { BODY("x"), S("b", "2") "," S("B", "1") "," S("a<", "3"), NULL, OTLP,
      "{\"body\":\"x\",\"attributes\":{\"B\":\"1\",\"a\\u003c\":\"3\",\"b\":\"2\"}" SCOPE, NULL },
    { BODY("x") "\"traceId\":\"00000000000000000000000000000000\",", NULL, NULL, OTLP, "{\"body\":\"x\"" SCOPE, NULL },
    { BODY("x"), FORMAT("json"), NULL, OTLP, "{\"body\":\"x\"" SCOPE, NULL },
    { BODY("x"), FORMAT("xml"), NULL, NULL, "invalid format in loki.format, expected one of: json, logfmt, raw", NULL },
};

START_TEST(json_is_as_go_writes_it)
{
    check_row(&json_rows[_i], "\"name\":\"lib\",\"version\":\"1.0\",\"attributes\":[" I("s", "1") "]");
}
END_TEST

static const struct row logfmt_rows[] = {
    { BODY("login ok"), NULL, FORMAT("logfmt"), OTLP, "login= ok=", NULL },
    { BODY("user=u1 took=3ms"), FORMAT("logfmt"), NULL, OTLP, "user=u1 took=3ms", NULL },
    { BODY("a=\\\"x y\\\" b='p q' c=\\\"\\\""), FORMAT("logfmt"), NULL, OTLP, "a=\"x y\" b=\"p q\" c=", NULL },
    { BODY("a=\\\"q\\\\\\\" \\\\u00e9\\\""), FORMAT("logfmt"), NULL, OTLP, "a=\"q\\\" é\"", NULL },
    { BODY("a=1\\nb=2"), FORMAT("logfmt"), NULL, OTLP, "a=1 b=2", NULL },
    { BODY("it's broken"), FORMAT("logfmt"), NULL, OTLP, "msg=\"it's broken\"", NULL },
    { BODY("a==b"), FORMAT("logfmt"), NULL, OTLP, "msg=\"a==b\"", NULL },
    { BODY("=x"), FORMAT("logfmt"), NULL, OTLP, "msg=\"=x\"", NULL },
    { BODY("a=\\\"open"), FORMAT("logfmt"), NULL, OTLP, "msg=\"a=\\\"open\"", NULL },
    { BODY(""), FORMAT("logfmt"), NULL, OTLP, "", NULL },
    { BODY("hi") IDS "\"severityText\":\"WARN\",\"flags\":1,", FORMAT("logfmt"), NULL, OTLP,
      "hi= traceID=0af7651916cd43dd8448eb211c80319c spanID=b7ad6b7169203331 severity=WARN flags=1", NULL },
    { BODY("severity=low x=1 traceID=z severity=lower") IDS "\"severityText\":\"WARN\",", FORMAT("logfmt"), NULL, OTLP,
      "severity=WARN x=1 traceID=0af7651916cd43dd8448eb211c80319c severity=lower spanID=b7ad6b7169203331", NULL },
    { BODY("x=1"), FORMAT("logfmt") "," S("a", "v w") "," I("n", "3"), S("host", "h=1"), OTLP,
      "x=1 attribute_a=\"v w\" attribute_n=3 resource_host=\"h=1\"", NULL },
    { BODY("x"), FORMAT("logfmt") "," V("m", MAP(S("k", "v") "," V("l", LIST(TEXT_VALUE("p") "," TEXT_VALUE("q"))))), NULL,
      OTLP, "x= attribute_m_k=v attribute_m_l_0=p attribute_m_l_1=q", NULL },
    { "\"body\":{" MAP(S("k", "v") "," V("m", MAP(I("n", "1")))) "},", FORMAT("logfmt"), NULL, OTLP, "k=v m_n=1", NULL },
    { "\"body\":{" MAP(S("severity", "low")) "},\"severityText\":\"WARN\",", FORMAT("logfmt"), NULL, OTLP, "severity=WARN",
      NULL },
    { "\"body\":{" LIST(TEXT_VALUE("a") "," TEXT_VALUE("b")) "},", FORMAT("logfmt"), NULL, OTLP, "body_0=a body_1=b", NULL },
    { "\"body\":{\"intValue\":\"5\"},", FORMAT("logfmt"), NULL, OTLP, "msg=5", NULL },
    { "\"body\":{\"bytesValue\":\"AAE=\"},", FORMAT("logfmt"), NULL, OTLP, "msg=\"AAE=\"", NULL },
    { NULL, FORMAT("logfmt") "," V("d", "\"doubleValue\":1234567") "," V("e", "\"doubleValue\":0.00001") ","
                V("f", "\"doubleValue\":100000") "," V("g", "\"doubleValue\":2.5") "," V("h", "\"doubleValue\":\"Infinity\"")
                "," V("b", "\"boolValue\":true") "," V("n", ""),
      NULL, OTLP,
      "attribute_d=1.234567e+06 attribute_e=1e-05 attribute_f=100000 attribute_g=2.5 attribute_h=+Inf attribute_b=true",
      NULL },
    { NULL, FORMAT("logfmt") "," S("a", "null") "," S("b", "") "," S("c", "q\\\"\\n") "," S("d e", "x"), NULL, OTLP,
      "attribute_a=\"null\" attribute_b= attribute_c=\"q\\\"\\n\" attribute_de=x", NULL },
    { "\"body\":{" MAP(S("= ", "v")) "},", FORMAT("logfmt"), NULL, NULL,
      "an attribute's name has nothing that may stand in a logfmt key", NULL },
    { BODY("x"), FORMAT("raw"), FORMAT("logfmt"), OTLP, "x=", NULL },
};

START_TEST(logfmt_is_as_go_logfmt_writes_it)
{
    check_row(&logfmt_rows[_i], "");
}
END_TEST

START_TEST(logfmt_tells_of_a_scope_with_a_name)
{
    const struct row row = { BODY("x=1"), FORMAT("logfmt"), NULL, OTLP,
                             "x=1 instrumentation_scope_name=lib instrumentation_scope_version=1.0 "
                             "instrumentation_scope_attribute_s=1",
                             NULL };
    check_row(&row, "\"name\":\"lib\",\"version\":\"1.0\",\"attributes\":[" I("s", "1") "]");
    const struct row nameless = { BODY("x=1"), FORMAT("logfmt"), NULL, OTLP, "x=1", NULL };
    check_row(&nameless, "\"version\":\"1.0\",\"attributes\":[" I("s", "1") "]");
}
END_TEST

static const struct row raw_rows[] = {
    { BODY("just <this>") IDS, FORMAT("raw") "," S("a", "b"), S("h", "i"), OTLP, "just <this>", NULL },
    { "\"body\":{" MAP(I("a", "1")) "},", FORMAT("raw"), NULL, OTLP, "{\"a\":1}", NULL },
    { "\"body\":{\"doubleValue\":0.5},", FORMAT("raw"), NULL, OTLP, "0.5", NULL },
    { NULL, FORMAT("raw"), NULL, OTLP, "", NULL },
};

START_TEST(raw_is_the_body)
{
    check_row(&raw_rows[_i], "\"name\":\"lib\"");
}
END_TEST

/* --- the old form --- */

static struct weir_pair attribute_pairs[] = { { (char *)(uintptr_t) "sev", (char *)(uintptr_t) "" },
                                              { (char *)(uintptr_t) "app.id", (char *)(uintptr_t) "app" } };
static struct weir_pair resource_pairs[] = { { (char *)(uintptr_t) "service.name", (char *)(uintptr_t) "" },
                                             { (char *)(uintptr_t) "name", (char *)(uintptr_t) "app" },
                                             { (char *)(uintptr_t) "1.x", (char *)(uintptr_t) "" } };
static struct weir_pair record_pairs[] = { { (char *)(uintptr_t) "traceID", (char *)(uintptr_t) "trace" },
                                           { (char *)(uintptr_t) "spanID", (char *)(uintptr_t) "" },
                                           { (char *)(uintptr_t) "severity", (char *)(uintptr_t) "s" },
                                           { (char *)(uintptr_t) "severityN", (char *)(uintptr_t) "n" } };

static void setup_old(void)
{
    setup();
    config.labels_on = true;
    config.labels = (struct loki_mapping){ .attributes = { attribute_pairs, WEIR_ARRAY_LENGTH(attribute_pairs) },
                                           .resource = { resource_pairs, WEIR_ARRAY_LENGTH(resource_pairs) } };
}

#define NO_LABEL "a record without any of the configured labels"

static const struct row old_rows[] = {
    { BODY("hello"), S("sev", "low"), NULL, "sev=\"low\"", "hello", NULL },
    { BODY("hello"), S("app.id", "a1") "," S("k", "v"), S("service.name", "shop") "," S("host", "h"),
      "app=\"a1\", service_name=\"shop\"", "k=v host=h hello", NULL },
    { BODY("hello"), S("app.id", "a1"), S("name", "of the resource"), "app=\"of the resource\"", "hello", NULL },
    { BODY("hello"), NULL, S("1.x", "one"), "__x=\"one\"", "hello", NULL },
    { BODY("hello"), I("sev", "3") "," S("app.id", "a1"), NULL, "app=\"a1\"", "hello", NULL },
    { BODY("hello"), I("sev", "3"), NULL, NULL, NO_LABEL, NULL },
    { BODY("hello"), S("other", "x"), S("host", "h"), NULL, NO_LABEL, NULL },
    { BODY("hello") IDS "\"severityNumber\":18,\"severityText\":\"Err\",", S("sev", "low"), NULL, "sev=\"low\"",
      "severity=Err severityN=18 traceID=0af7651916cd43dd8448eb211c80319c spanID=b7ad6b7169203331 hello", NULL },
    { "\"body\":{" MAP(I("a", "1")) "},", S("sev", "low") "," V("m", MAP(I("b", "2"))), NULL, "sev=\"low\"",
      "m={\"b\":2} {\"a\":1}", NULL },
    { BODY("hello"), S("sev", "low") "," LABELS("k") "," S("k", "v"), NULL, "sev=\"low\"",
      "loki.attribute.labels=k k=v hello", NULL },
};

START_TEST(the_old_form_maps_attributes)
{
    check_row(&old_rows[_i], "");
}
END_TEST

START_TEST(the_old_form_maps_fields_of_records)
{
    config.labels = (struct loki_mapping){ .record = { record_pairs, WEIR_ARRAY_LENGTH(record_pairs) } };
    const struct row all = { BODY("hello") IDS "\"severityNumber\":18,\"severityText\":\"Err\",", S("k", "v"), NULL,
                             "n=\"Error2\", s=\"Err\", spanID=\"b7ad6b7169203331\", "
                             "trace=\"0af7651916cd43dd8448eb211c80319c\"",
                             "k=v hello", NULL };
    check_row(&all, "");
    const struct row one = { BODY("hello") "\"severityNumber\":9,", NULL, NULL, "n=\"Info\"", "hello", NULL };
    check_row(&one, "");
    const struct row none = { BODY("hello"), NULL, NULL, NULL, NO_LABEL, NULL };
    check_row(&none, "");
}
END_TEST

START_TEST(the_old_form_knows_json)
{
    const struct row row = { BODY("hello"), S("sev", "low"), S("host", "h"), "sev=\"low\"",
                             "{\"body\":\"hello\",\"attributes\":{\"sev\":\"low\"},\"resources\":{\"host\":\"h\"}}", NULL };
    config.format = LOKI_FORMAT_JSON;
    check_row(&row, "");
}
END_TEST

START_TEST(the_old_form_has_tenants)
{
    struct row row = { BODY("x"), S("sev", "low"), S("team", "red"), "sev=\"low\"", "team=red x", "blue" };
    config.tenant_id = (char *)(uintptr_t) "blue";
    check_row(&row, "");
    config.tenant_id = NULL;
    config.tenant_on = true;
    config.tenant = (struct loki_tenant_options){ LOKI_TENANT_STATIC, (char *)(uintptr_t) "green" };
    row.tenant = "green";
    check_row(&row, "");
    config.tenant = (struct loki_tenant_options){ LOKI_TENANT_ATTRIBUTE, (char *)(uintptr_t) "team" };
    row.tenant = "red";
    check_row(&row, "");
    config.tenant.value = (char *)(uintptr_t) "no such";
    row.tenant = NULL;
    check_row(&row, "");
}
END_TEST

START_TEST(the_old_form_reads_the_tenant_from_the_clients_metadata)
{
    const struct row row = { BODY("x"), S("sev", "low"), NULL, NULL, NULL, NULL };
    const struct weir_metadata metadata = { WEIR_STR("x-tenant"), WEIR_STR("violet") };
    struct weir_context *context = weir_context_new("http", WEIR_STR(""), &metadata, 1);
    config.tenant_on = true;
    config.tenant = (struct loki_tenant_options){ LOKI_TENANT_CONTEXT, (char *)(uintptr_t) "X-Tenant" };
    char *json = json_of(&row, "");
    struct weir_batch *batch = make_batch(json);
    weir_batch_set_context(batch, context);
    char *found = translate(batch);
    ck_assert_str_eq(found, "[violet]\n{sev=\"low\"}\n1.500000002 x\n");
    free(found);
    free(json);
    weir_context_unref(context);
}
END_TEST

/* --- many records --- */

#define RECORD(time, body, attributes) \
    "{\"timeUnixNano\":\"" time "\"," BODY(body) "\"attributes\":[" FORMAT("raw") attributes "]}"
#define LOGS(records) "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[" records "]}]}]}"

START_TEST(records_with_the_same_labels_share_a_stream)
{
    assert_translated(LOGS(RECORD("1000000000", "one", "," LABELS("a") "," S("a", "x")) ","
                           RECORD("1000000001", "two", "," LABELS("a") "," S("a", "y")) ","
                           RECORD("1000000002", "three", "," S("a", "x") "," LABELS("a"))),
                      "{a=\"x\", exporter=\"OTLP\"}\n1.0 one\n1.2 three\n{a=\"y\", exporter=\"OTLP\"}\n1.1 two\n");
}
END_TEST

#define HINTED(time, names) "{\"timeUnixNano\":\"" time "\",\"attributes\":[" S("loki.resource.labels", names) "]}"
#define BARE(time) "{\"timeUnixNano\":\"" time "\"}"
#define SCOPE_S "\"instrumentation_scope\":{\"name\":\"s\"}"

START_TEST(each_record_tells_of_its_own_resource)
{
    assert_translated("{\"resourceLogs\":[{\"resource\":{\"attributes\":[" S("a", "1") "," S("b", "2") "]},\"scopeLogs\":["
                      "{\"scope\":{\"name\":\"s\"},\"logRecords\":[" BARE("1") "," BARE("2") "," HINTED("3", "a") ","
                      HINTED("12", "b") "," HINTED("4", "a\\u002cb") "," BARE("5") ",{\"timeUnixNano\":\"6\",\"flags\":1}]},"
                      "{\"logRecords\":[" BARE("7") "," HINTED("8", "a\\u002cb") "," BARE("9") "]}]},"
                      "{\"scopeLogs\":[{\"logRecords\":[" BARE("10") "," BARE("11") "]}]}]}",
                      "{exporter=\"OTLP\"}\n"
                      "0.1 {\"resources\":{\"a\":\"1\",\"b\":\"2\"}," SCOPE_S "}\n"
                      "0.2 {\"resources\":{\"a\":\"1\",\"b\":\"2\"}," SCOPE_S "}\n"
                      "0.5 {\"resources\":{\"a\":\"1\",\"b\":\"2\"}," SCOPE_S "}\n"
                      "0.6 {\"flags\":1,\"resources\":{\"a\":\"1\",\"b\":\"2\"}," SCOPE_S "}\n"
                      "0.7 {\"resources\":{\"a\":\"1\",\"b\":\"2\"}}\n"
                      "0.9 {\"resources\":{\"a\":\"1\",\"b\":\"2\"}}\n"
                      "0.10 {}\n"
                      "0.11 {}\n"
                      "{a=\"1\", exporter=\"OTLP\"}\n"
                      "0.3 {\"resources\":{\"b\":\"2\"}," SCOPE_S "}\n"
                      "{b=\"2\", exporter=\"OTLP\"}\n"
                      "0.12 {\"resources\":{\"a\":\"1\"}," SCOPE_S "}\n"
                      "{a=\"1\", b=\"2\", exporter=\"OTLP\"}\n"
                      "0.4 {" SCOPE_S "}\n"
                      "0.8 {}\n");
}
END_TEST

START_TEST(entries_are_in_the_order_of_their_times)
{
    assert_translated(LOGS(RECORD("3000000000", "c", "") "," RECORD("1000000000", "a", "") ","
                           RECORD("2000000000", "b1", "") "," RECORD("2000000000", "b2", "") ","
                           RECORD("2000000000", "b3", "")),
                      "{exporter=\"OTLP\"}\n1.0 a\n2.0 b1\n2.0 b2\n2.0 b3\n3.0 c\n");
}
END_TEST

START_TEST(the_time_is_the_records_or_the_observers_or_now)
{
    assert_translated(LOGS("{\"timeUnixNano\":\"2\",\"observedTimeUnixNano\":\"1\"},{\"observedTimeUnixNano\":\"4\"},{}"),
                      "{exporter=\"OTLP\"}\n0.2 {}\n0.4 {}\n7.5 {}\n");
}
END_TEST

START_TEST(each_tenant_has_a_request)
{
    assert_translated(LOGS(RECORD("1", "one", "," S("loki.tenant", "t") "," S("t", "red")) "," RECORD("2", "two", "") ","
                           RECORD("3", "three", "," S("loki.tenant", "t") "," S("t", "blue")) ","
                           RECORD("4", "four", "," S("loki.tenant", "t") "," S("t", "red"))),
                      "[red]\n{exporter=\"OTLP\"}\n0.1 one\n0.4 four\n{exporter=\"OTLP\"}\n0.2 two\n"
                      "[blue]\n{exporter=\"OTLP\"}\n0.3 three\n");
}
END_TEST

START_TEST(what_cannot_be_written_is_counted_and_the_rest_is_there)
{
    assert_translated(LOGS("{\"attributes\":[" FORMAT("xml") "]}," RECORD("1", "good", "") ",{\"attributes\":[" FORMAT("") "]}"),
                      "{exporter=\"OTLP\"}\n0.1 good\n"
                      "skipped 2: invalid format in loki.format, expected one of: json, logfmt, raw\n");
}
END_TEST

START_TEST(many_streams_are_told_apart)
{
    struct weir_text json = { 0 }, expected = { 0 };
    weir_text_adds(&json, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[");
    for (int i = 0; i < 1000; i++)
        weir_text_addf(&json, "%s{\"timeUnixNano\":\"%d\",\"attributes\":[" FORMAT("raw") "," LABELS("n") "," I("n", "%d") "]}",
                       i ? "," : "", i + 1, i % 500);
    weir_text_adds(&json, "]}]}]}");
    for (int i = 0; i < 500; i++)
        weir_text_addf(&expected, "{exporter=\"OTLP\", n=\"%d\"}\n0.%d \n0.%d \n", i, i + 1, i + 501);
    assert_translated(weir_text_string(&json), weir_text_string(&expected));
    weir_text_free(&json);
    weir_text_free(&expected);
}
END_TEST

/* --- limits --- */

static void add_names(struct weir_text *text, size_t count, bool attributes)
{
    for (size_t i = 0; i < count; i++)
        weir_text_addf(text, attributes ? "," S("n%zu", "v") : "n%zu,", i);
}

static void assert_limited(size_t names, size_t attributes, const char *expected)
{
    struct weir_text text = { 0 };
    weir_text_adds(&text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[" FORMAT("raw") ","
                          "{\"key\":\"loki.attribute.labels\",\"value\":{\"stringValue\":\"");
    add_names(&text, names, false);
    weir_text_adds(&text, "\"}}");
    add_names(&text, attributes, true);
    weir_text_adds(&text, "]}]}]}]}");
    assert_translated(weir_text_string(&text), expected);
    weir_text_free(&text);
}

START_TEST(hints_without_end_are_refused)
{
    assert_limited(200, 200, "skipped 1: more than 128 labels\n");
    assert_limited(1100, 0, "skipped 1: a hint with more than 1024 names of labels\n");
    assert_limited(900, 0, "{exporter=\"OTLP\"}\n7.5 \n");
}
END_TEST

/* A list of 60 levels, with a key of 4 KiB each, around 100,000 values: each would have all of the keys. */
START_TEST(a_line_without_end_is_refused)
{
    struct weir_text json = { 0 };
    weir_text_adds(&json, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[" FORMAT("logfmt") "],\"body\":");
    for (int i = 0; i < 50; i++) {
        weir_text_adds(&json, "{\"kvlistValue\":{\"values\":[{\"key\":\"");
        for (int j = 0; j < 4096; j++)
            weir_text_addc(&json, 'k');
        weir_text_adds(&json, "\",\"value\":");
    }
    weir_text_adds(&json, "{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"}");
    for (int i = 0; i < 100000; i++)
        weir_text_adds(&json, ",{\"intValue\":\"1\"}");
    weir_text_adds(&json, "]}}");
    for (int i = 0; i < 50; i++)
        weir_text_adds(&json, "}]}}");
    weir_text_adds(&json, "}]}]}]}");
    assert_translated(weir_text_string(&json), "skipped 1: the line would be longer than 16 MiB\n");
    weir_text_free(&json);
}
END_TEST

/* Labels' escapes and JSON's are not the same. */
START_TEST(the_request_as_json)
{
    struct loki_push push = { .first = NULL };
    struct weir_arena arena = { 0 };
    struct loki_labels labels = { .arena = &arena, .named = true };
    loki_labels_add(&labels, WEIR_STR("b"), WEIR_STR("q\"b\\n\n\x01\x7f\xc3\xa9, c=\"d\"}"));
    loki_labels_add(&labels, WEIR_STR("a"), WEIR_STR(""));
    struct loki_stream *stream = loki_push_stream(&push, WEIR_STR("t"), loki_labels_finish(&labels));
    struct loki_stream *other = loki_push_stream(&push, WEIR_STR("t"), WEIR_STR("{k=\"v\"}"));
    ck_assert(loki_push_add(&push, stream, 1700000000000000002u, WEIR_STR("second \"line\"")));
    ck_assert(loki_push_add(&push, stream, 1, WEIR_STR("")));
    ck_assert(loki_push_add(&push, other, 0, WEIR_STR("\xff")));
    struct weir_buffer *body = loki_push_pack_json(&push, push.first);
    ck_assert_ptr_nonnull(body);
    char *text = weir_str_dup(weir_str_make((const char *)body->data, body->length));
    ck_assert_str_eq(text, "{\"streams\":["
                           "{\"stream\":{\"a\":\"\",\"b\":\"q\\\"b\\\\n\\n\\u0001\x7f\xc3\xa9, c=\\\"d\\\"}\"},"
                           "\"values\":[[\"1\",\"\"],[\"1700000000000000002\",\"second \\\"line\\\"\"]]},"
                           "{\"stream\":{\"k\":\"v\"},\"values\":[[\"0\",\"\xef\xbf\xbd\"]]}]}");
    free(text);
    weir_buffer_unref(body);
    loki_push_free(&push);
    weir_arena_free(&arena);
}
END_TEST

/* A resource of 1 MiB stands in each of 100 lines. */
START_TEST(a_batch_that_comes_to_too_much_is_told)
{
    struct loki_rules rules = { .config = NULL };
    struct loki_push push = { .first = NULL };
    struct loki_skipped skipped = { .items = 0 };
    struct weir_text json = { 0 };
    weir_text_adds(&json, "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"");
    for (int i = 0; i < 1 << 20; i++)
        weir_text_addc(&json, 'x');
    weir_text_adds(&json, "\"}}]},\"scopeLogs\":[{\"logRecords\":[{}");
    for (int i = 0; i < 99; i++)
        weir_text_adds(&json, ",{}");
    weir_text_adds(&json, "]}]}]}");
    struct weir_batch *batch = make_batch(weir_text_string(&json));
    loki_rules_init(&rules, &config);
    ck_assert_int_eq(loki_translate(&rules, batch, NOW, &push, &skipped), LOKI_TOO_MUCH);
    loki_push_free(&push);
    loki_rules_free(&rules);
    weir_batch_unref(batch);
    weir_text_free(&json);
}
END_TEST

/* --- the suite --- */

#define ADD_ROWS(tests, test, rows) tcase_add_loop_test(tests, test, 0, (int)WEIR_ARRAY_LENGTH(rows))

static void add_hinted(Suite *suite)
{
    TCase *tests = tcase_create("hints");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, NULL);
    ADD_ROWS(tests, labels_come_from_defaults_and_hints, label_rows);
    tcase_add_test(tests, default_labels_can_be_off);
    ADD_ROWS(tests, the_tenant_comes_from_a_hint, tenant_rows);
    ADD_ROWS(tests, json_is_as_go_writes_it, json_rows);
    ADD_ROWS(tests, logfmt_is_as_go_logfmt_writes_it, logfmt_rows);
    tcase_add_test(tests, logfmt_tells_of_a_scope_with_a_name);
    ADD_ROWS(tests, raw_is_the_body, raw_rows);
}

static void add_old(Suite *suite)
{
    TCase *tests = tcase_create("old form");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup_old, NULL);
    ADD_ROWS(tests, the_old_form_maps_attributes, old_rows);
    tcase_add_test(tests, the_old_form_maps_fields_of_records);
    tcase_add_test(tests, the_old_form_knows_json);
    tcase_add_test(tests, the_old_form_has_tenants);
    tcase_add_test(tests, the_old_form_reads_the_tenant_from_the_clients_metadata);
}

static void add_streams(Suite *suite)
{
    TCase *tests = tcase_create("streams");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, records_with_the_same_labels_share_a_stream);
    tcase_add_test(tests, each_record_tells_of_its_own_resource);
    tcase_add_test(tests, entries_are_in_the_order_of_their_times);
    tcase_add_test(tests, the_time_is_the_records_or_the_observers_or_now);
    tcase_add_test(tests, each_tenant_has_a_request);
    tcase_add_test(tests, what_cannot_be_written_is_counted_and_the_rest_is_there);
    tcase_add_test(tests, many_streams_are_told_apart);
    tcase_add_test(tests, hints_without_end_are_refused);
    tcase_add_test(tests, a_line_without_end_is_refused);
    tcase_add_test(tests, the_request_as_json);
    tcase_add_test(tests, a_batch_that_comes_to_too_much_is_told);
}

int main(void)
{
    Suite *suite = suite_create("loki");
    add_hinted(suite);
    add_old(suite);
    add_streams(suite);
    return run_suite(suite);
}

// SPDX-License-Identifier: Apache-2.0
/* What the loki exporter's configuration may and must not say. */
#include <config.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

#define PUSH "\"endpoint\": \"http://loki:3100/loki/api/v1/push\""
#define OTLP "\"endpoint\": \"http://loki:3100/otlp\""
#define LABELS "\"labels\": {\"attributes\": {\"a\": \"\"}}"

static const struct bad_options bad[] = {
    { "{}", "endpoint" },
    { "{\"endpoint\": \"no url\"}", "\"endpoint\" must be a valid URL" },
    { "{" PUSH ", \"timeout\": \"-1s\"}", "'timeout' must be non-negative" },
    { "{" PUSH ", \"compression\": \"deflate\"}", "compression" },
    { "{" PUSH ", \"labels\": {}}", "must be configured with at least one attribute" },
    { "{" PUSH ", \"labels\": {\"attributes\": {}}}", "must be configured with at least one attribute" },
    { "{" PUSH ", \"labels\": {\"attributes\": {\"a\": \"b.c\"}}}", "the label `b.c` is not a valid label name" },
    { "{" PUSH ", \"labels\": {\"resource\": {\"a\": \"1b\"}}}", "the label `1b` is not a valid label name" },
    { "{" PUSH ", \"labels\": {\"attributes\": {\"\": \"b\"}}}", "an attribute without a name" },
    { "{" PUSH ", \"labels\": {\"record\": {\"body\": \"b\"}}}", "no field \"body\"" },
    { "{" PUSH ", \"format\": \"json\"}", "needs \"labels\"" },
    { "{" PUSH ", \"tenant_id\": \"a\"}", "needs \"labels\"" },
    { "{" PUSH ", \"tenant\": {\"value\": \"a\"}}", "needs \"labels\"" },
    { "{" PUSH ", " LABELS ", \"format\": \"raw\"}", "format" },
    { "{" PUSH ", " LABELS ", \"tenant_id\": \"a\", \"tenant\": {\"value\": \"b\"}}",
      "both tenant_id and tenant were specified" },
    { "{" PUSH ", " LABELS ", \"tenant\": {\"source\": \"static\"}}", "needs a value" },
    { "{" PUSH ", " LABELS ", \"tenant\": {\"source\": \"x\", \"value\": \"b\"}}", "source" },
    { "{" PUSH ", " LABELS ", \"default_labels_enabled\": {\"job\": true}}", "no default labels beside" },
    { "{" PUSH ", \"default_labels_enabled\": {\"host\": true}}", "host" },
    { "{" OTLP ", " LABELS "}", "makes labels and lines itself" },
    { "{" OTLP ", \"default_labels_enabled\": {\"job\": true}}", "makes labels and lines itself" },
    { "{" OTLP ", \"format\": \"json\"}", "makes labels and lines itself" },
    { "{" OTLP ", \"encoding\": \"json\"}", "makes labels and lines itself" },
    { "{" PUSH ", \"encoding\": \"text\"}", "encoding" },
    { "{" PUSH ", \"encoding\": \"json\", \"compression\": \"snappy\"}", "takes JSON with gzip or none" },
    { "{" OTLP ", \"compression\": \"snappy\"}", "takes gzip, zstd, lz4 or none" },
    { "{" OTLP ", \"tenant\": {\"source\": \"attributes\", \"value\": \"a\"}}", "an attribute cannot name it" },
};

START_TEST(bad_options_are_refused)
{
    assert_refused(weir_harness_load(WEIR_EXPORTER, "loki"), WEIR_LOGS, bad, WEIR_ARRAY_LENGTH(bad));
}
END_TEST

static const char *const good[] = {
    "{" PUSH "}",
    "{" OTLP "}",
    "{\"endpoint\": \"https://loki/otlp/\", \"compression\": \"zstd\", \"tenant_id\": \"a\"}",
    "{" PUSH ", \"compression\": \"gzip\"}",
    "{" PUSH ", \"encoding\": \"json\", \"compression\": \"none\"}",
    "{" PUSH ", \"default_labels_enabled\": {\"level\": false}}",
    "{" PUSH ", " LABELS ", \"format\": \"json\", \"tenant_id\": \"a\"}",
    "{" PUSH ", \"labels\": {\"record\": {\"traceID\": \"\", \"spanID\": \"s\", \"severity\": \"\", \"severityN\": \"n\"}}}",
    "{" PUSH ", " LABELS ", \"tenant\": {\"source\": \"context\", \"value\": \"x-tenant\"}}",
    "{" PUSH ", " LABELS ", \"tenant\": {\"source\": \"attributes\", \"value\": \"tenant\"}}",
    "{" PUSH ", \"sending_queue\": {\"num_consumers\": 3}, \"headers\": {\"X-Scope-OrgID\": \"a\"}}",
};

START_TEST(good_options_are_taken)
{
    weir_harness_free(make_harness(weir_harness_load(WEIR_EXPORTER, "loki"), good[_i], WEIR_LOGS));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loki options");
    TCase *tests = tcase_create("options");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, bad_options_are_refused);
    tcase_add_loop_test(tests, good_options_are_taken, 0, (int)WEIR_ARRAY_LENGTH(good));
    return run_suite(suite);
}

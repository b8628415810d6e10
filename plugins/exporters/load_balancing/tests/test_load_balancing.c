// SPDX-License-Identifier: Apache-2.0
/* What the load_balancing exporter's configuration must not say. */
#include <config.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

#define STATIC "\"resolver\": {\"static\": {\"hostnames\": [\"a\"]}}"

static const struct bad_options bad[] = {
    { "{}", "no resolvers specified for the exporter" },
    { "{\"resolver\": {}}", "no resolvers specified for the exporter" },
    { "{\"resolver\": {\"static\": {}}}", "no hostnames specified to resolve the backends" },
    { "{\"resolver\": {\"static\": {\"hostnames\": [\"a\"]}, \"dns\": {\"hostname\": \"b\"}}}",
      "only one resolver should be specified" },
    { "{\"resolver\": {\"dns\": {}}}", "hostname" },
    { "{\"resolver\": {\"dns\": {\"hostname\": \"b\", \"port\": \"x\"}}}", "is no port" },
    { "{\"resolver\": {\"k8s\": {}}}", "service" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"a/b\"}}}", "\"a/b\" is no service" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"a.\"}}}", "\"a.\" is no service" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"a.b?c\"}}}", "\"a.b?c\" is no service" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"s\", \"ports\": []}}}", "one port at least" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"s\", \"ports\": [4317, 65536]}}}", "between 1 and 65535, got 65536" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"s\", \"timeout\": \"-1s\"}}}", "must not be negative" },
    { "{\"resolver\": {\"k8s\": {\"service\": \"s\"}, \"dns\": {\"hostname\": \"b\"}}}",
      "only one resolver should be specified" },
    { "{\"resolver\": {\"aws_cloud_map\": {}}}", "Cloud Map cannot be asked" },
    { "{\"routing_key\": \"attributes\", " STATIC "}", "is required with routing_key" },
    { "{\"routing_attributes\": [\"a\"], " STATIC "}", "has an effect with routing_key" },
    { "{\"routing_key\": \"metric\", " STATIC "}", "unsupported routing_key for traces: \"metric\"" },
    { "{\"routing_key\": \"other\", " STATIC "}", "routing_key" },
    { "{\"protocol\": {\"otlp\": {\"sending_queue\": {\"storage\": \"file_storage\"}}}, " STATIC "}", "without `storage`" },
    { "{\"timeout\": \"-1s\", " STATIC "}", "'timeout' must be non-negative" },
};

START_TEST(bad_options_are_refused)
{
    assert_refused(weir_harness_load(WEIR_EXPORTER, "load_balancing"), WEIR_TRACES, bad, WEIR_ARRAY_LENGTH(bad));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load_balancing options");
    TCase *tests = tcase_create("options");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, bad_options_are_refused);
    return run_suite(suite);
}

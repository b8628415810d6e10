// SPDX-License-Identifier: Apache-2.0
/* How the otlp_grpc exporter's requests end. */
#include <config.h>

#include <weir/harness.h>

#include "tests/unit/exporter_ends.h"
#include "tests/unit/suite.h"

int main(void)
{
    Suite *suite = suite_create("otlp_grpc exporter");
    TCase *tests = tcase_create("ends");
    tcase_set_timeout(tests, 60);
    exporter_ends_add(tests, weir_harness_load(WEIR_EXPORTER, "otlp_grpc"),
                      "{\"endpoint\": \"127.0.0.1:%u\", \"tls\": {\"insecure\": true}, \"compression\": \"none\", \"timeout\": \"5s\", "
                      "\"sending_queue\": {\"enabled\": false}, \"retry_on_failure\": {\"enabled\": false}}");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

// SPDX-License-Identifier: Apache-2.0
/* What the prometheusremotewrite exporter's configuration must not say. */
#include <config.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct bad_options bad[] = {
    { "{\"endpoint\": \"no url\"}", "endpoint must be a valid URL" },
    { "{\"compression\": \"gzip\"}", "compression type must be snappy" },
    { "{\"external_labels\": {\"a\": \"\"}}", "external labels configuration contains an empty key or value" },
    { "{\"remote_write_queue\": {\"queue_size\": 0}}", "a 0 size queue will drop all the data" },
    { "{\"remote_write_queue\": {\"queue_size\": -1}}", "remote write queue size can't be negative" },
    { "{\"remote_write_queue\": {\"num_consumers\": -1}}", "remote write consumer number can't be negative" },
    { "{\"max_batch_size_bytes\": -1}", "max_batch_byte_size must be greater than 0" },
    { "{\"max_batch_request_parallelism\": 0}", "max_batch_request_parallelism can't be set to below 1" },
    { "{\"translation_strategy\": \"NoTranslation\"}", "need protobuf_message io.prometheus.write.v2.Request" },
    { "{\"translation_strategy\": \"other\"}", "translation_strategy" },
    { "{\"protobuf_message\": \"v3\"}", "protobuf_message" },
    { "{\"wal\": {}}", "directory" },
    { "{\"wal\": {\"directory\": \"/tmp/x\"}, \"remote_write_queue\": {\"storage\": \"file_storage\"}}",
      "the queue can be in one place only" },
    { "{\"wal\": {\"directory\": \"/tmp/x\"}, \"remote_write_queue\": {\"enabled\": false}}",
      "wal needs remote_write_queue" },
    { "{\"retry_on_failure\": {\"multiplier\": -1}}", "'multiplier' must be non-negative" },
    { "{\"timeout\": \"-1s\"}", "'timeout' must be non-negative" },
};

START_TEST(bad_options_are_refused)
{
    assert_refused(weir_harness_load(WEIR_EXPORTER, "prometheusremotewrite"), WEIR_METRICS, bad, WEIR_ARRAY_LENGTH(bad));
}
END_TEST

static const char *const good[] = {
    "{}",
    "{\"remote_write_queue\": {\"enabled\": false, \"queue_size\": 0}}",
    "{\"compression\": \"\", \"export_created_metric\": {\"enabled\": true}}",
    "{\"translation_strategy\": \"NoTranslation\", \"protobuf_message\": \"io.prometheus.write.v2.Request\"}",
    "{\"max_batch_size_bytes\": 0, \"max_batch_request_parallelism\": 1}",
};

START_TEST(good_options_are_taken)
{
    weir_harness_free(make_harness(weir_harness_load(WEIR_EXPORTER, "prometheusremotewrite"), good[_i], WEIR_METRICS));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheusremotewrite options");
    TCase *tests = tcase_create("options");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, bad_options_are_refused);
    tcase_add_loop_test(tests, good_options_are_taken, 0, (int)WEIR_ARRAY_LENGTH(good));
    return run_suite(suite);
}

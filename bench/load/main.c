// SPDX-License-Identifier: Apache-2.0
/*
 * weir-load: sends generated telemetry to an OTLP server and reports what came of it.
 */
#include <config.h>

#include <signal.h>
#include <stdlib.h>

#include <weir/sys/worker.h>

#include "bench/load/load.h"

int main(int argc, char **argv)
{
    struct load_options options;
    static struct load_result result;
    struct weir_error error = WEIR_ERROR_INIT;
    int parsed = load_options_parse(&options, argc, argv);
    if (parsed != 0)
        return parsed < 0 ? 2 : EXIT_SUCCESS;
    signal(SIGPIPE, SIG_IGN);
    if (weir_workers_create(1, WEIR_CLOCK_SYSTEM, &error) < 0 || load_run(&options, &result, &error) < 0) {
        fprintf(stderr, "weir-load: %s\n", weir_error_text(&error));
        weir_error_free(&error);
        return EXIT_FAILURE;
    }
    weir_workers_destroy();
    report_summary(&options, &result);
    int status =
        report_json(&options, &result) == 0 && result.items_acknowledged > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    for (size_t i = 0; i < result.error_count; i++)
        free(result.errors[i].text);
    return status;
}

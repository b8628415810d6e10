// SPDX-License-Identifier: Apache-2.0
/*
 * weir-sink: an OTLP server that counts what it gets and checks weir-load's numbering.
 */
#include <config.h>

#include <signal.h>
#include <stdlib.h>

#include <weir/sys/worker.h>

#include "bench/sink/sink.h"

int main(int argc, char **argv)
{
    struct sink_options options;
    static struct sink_counts counts;
    struct weir_error error = WEIR_ERROR_INIT;
    int parsed = sink_options_parse(&options, argc, argv);
    if (parsed != 0)
        return parsed < 0 ? 2 : EXIT_SUCCESS;
    signal(SIGPIPE, SIG_IGN);
    if (weir_workers_create(1, WEIR_CLOCK_SYSTEM, &error) < 0 || sink_serve(&options, &counts, &error) < 0) {
        fprintf(stderr, "weir-sink: %s\n", weir_error_text(&error));
        weir_error_free(&error);
        return EXIT_FAILURE;
    }
    weir_workers_destroy();
    int status = sink_report(&options, &counts);
    sink_counts_free(&counts);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

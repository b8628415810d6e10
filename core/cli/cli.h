// SPDX-License-Identifier: Apache-2.0
/* The command line. */
#ifndef WEIR_CORE_CLI_H
#define WEIR_CORE_CLI_H

#include <stdio.h>

#include "core/service/service.h"

/* What the command line says, whatever the subcommand. */
struct cli {
    const char *command; /* "run" when none is given */
    char **arguments;    /* behind the subcommand's own options */
    int argument_count;
    const char **uris;
    size_t uri_count;
    const char **sets;
    size_t set_count;
    const char **plugin_dirs;
    size_t plugin_dir_count;
    unsigned workers;
    int64_t drain_timeout, watchdog;
    struct weir_config_gates gates;
    const char *format; /* --format, NULL when not given */
    const char *mode;   /* --mode, NULL when not given */
    bool validate;      /* --validate of print-config */
    const char *output, *endpoint; /* of queue and healthcheck, NULL when not given */
    bool dead;                     /* --dead of queue */
};

/* The exit code of a command line that makes no sense; the others are the service's. */
#define EXIT_USAGE 2

/* A subcommand: runs, prints, returns the exit code. */
typedef int cli_command(struct cli *cli);

/* Parses and runs; what main() does. */
int cli_main(int argc, char **argv);

/* The options of the service from the command line; the registry is the caller's to free. */
struct service_options cli_service_options(const struct cli *cli);

/* Takes one value of --feature-gates: ids with commas between, "-" before one that is to be off. -1 with `error`
 * set. */
int cli_set_gates(struct cli *cli, const char *list, struct weir_error *error);

/* Prints the schema of a whole configuration. */
void cli_print_schema(struct registry *registry);

int cli_components(struct cli *cli);
int cli_describe(struct cli *cli);
int cli_print_config(struct cli *cli);
int cli_featuregate(struct cli *cli);
int cli_healthcheck(struct cli *cli);
int cli_reload(struct cli *cli);
int cli_queue(struct cli *cli);

/* Prints "Error: ..." and returns EXIT_FAILED. */
int cli_fail(const char *format, ...) WEIR_PRINTF(1, 2);
/* The same for a command line that makes no sense: names --help, and returns EXIT_USAGE. */
int cli_usage(const char *format, ...) WEIR_PRINTF(1, 2);

#endif

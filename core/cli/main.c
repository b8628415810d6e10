// SPDX-License-Identifier: Apache-2.0
/* Options and subcommands. */
#include <config.h>

#include <getopt.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <weir/option.h>

#include "core/cli/cli.h"
#include "core/service/fetch.h"
#include "core/service/watchdog.h"

enum {
    OPTION_CONFIG = 256,
    OPTION_SET,
    OPTION_GATES,
    OPTION_WORKERS,
    OPTION_PLUGIN_DIR,
    OPTION_DRAIN,
    OPTION_WATCHDOG,
    OPTION_FORMAT,
    OPTION_MODE,
    OPTION_VALIDATE,
    OPTION_OUTPUT,
    OPTION_ENDPOINT,
    OPTION_DEAD,
};

static const struct option options[] = {
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "set", required_argument, NULL, OPTION_SET },
    { "feature-gates", required_argument, NULL, OPTION_GATES },
    { "workers", required_argument, NULL, OPTION_WORKERS },
    { "plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR },
    { "drain-timeout", required_argument, NULL, OPTION_DRAIN },
    { "watchdog", required_argument, NULL, OPTION_WATCHDOG },
    { "format", required_argument, NULL, OPTION_FORMAT },
    { "mode", required_argument, NULL, OPTION_MODE },
    { "validate", optional_argument, NULL, OPTION_VALIDATE },
    { "output", required_argument, NULL, OPTION_OUTPUT },
    { "endpoint", required_argument, NULL, OPTION_ENDPOINT },
    { "dead", no_argument, NULL, OPTION_DEAD },
    { "version", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static const char help[] =
    "Usage: weir [COMMAND] [OPTION]...\n"
    "\n"
    "An OpenTelemetry-compatible telemetry collector.\n"
    "\n"
    "Commands:\n"
    "  run                    run the collector (also without a command)\n"
    "  validate               check a configuration: create everything, open nothing\n"
    "  components             list the components that are installed\n"
    "  describe KIND TYPE     print a component's options (--format=text|markdown|json-schema|yaml)\n"
    "  describe --format=json-schema\n"
    "                         print a schema of whole configurations, for editors\n"
    "  print-config           print the effective configuration (--mode=redacted|unredacted,\n"
    "                         --format=yaml|json, --validate=true|false)\n"
    "  featuregate [ID]       list feature gates\n"
    "  reload PID             have a running collector read its configuration again\n"
    "  healthcheck            ask a running collector whether it is well (--endpoint=URL, or where\n"
    "                         the health_check extension of --config listens)\n"
    "  queue list DIR         what is in the queues on disk of a collector that does not run\n"
    "  queue verify DIR       check every request in them\n"
    "  queue export DIR       write each request to a file (--output=FOLDER, --dead,\n"
    "                         --format=json|protobuf)\n"
    "  queue replay DIR       send them over OTLP/HTTP (--endpoint=URL, --dead)\n"
    "  help                   print this text\n"
    "\n"
    "Options:\n"
    "  --config URI           where the configuration is: a file, or file:, dir:, env:, yaml:, http:,\n"
    "                         https:; given several times, later ones are merged over earlier ones\n"
    "  --set KEY=VALUE        set one key over all files; dots separate levels\n"
    "  --feature-gates LIST   gates to switch on, or off with a \"-\" before the id\n"
    "  --workers N            worker threads (default: the CPUs that may be used)\n"
    "  --plugin-dir DIR       look for plugins here, too; may be repeated\n"
    "  --drain-timeout TIME   longest time to deliver what is held on shutdown (default: 25s)\n"
    "  --watchdog TIME        end with code 3 when a worker hangs so long (default: 5s; 0: never)\n"
    "  -v, --version          print the version\n"
    "  -h, --help             print this text\n"
    "\n"
    "Exit codes: 0 stopped as asked; 1 wrong configuration or failed start; 2 wrong usage;\n"
    "3 a worker hung; 128+N ended at once by a second signal N.\n";

#define DEFAULT_DRAIN_TIMEOUT (INT64_C(25) * 1000000000)
/* Under a sanitizer everything takes several times as long. */
#ifdef WITH_SANITIZER
#define DEFAULT_WATCHDOG (INT64_C(60) * 1000000000)
#else
#define DEFAULT_WATCHDOG (INT64_C(5) * 1000000000)
#endif

WEIR_PRINTF(1, 0) static void print_error(const char *format, va_list arguments)
{
    struct weir_text text = { 0 };
    weir_text_vaddf(&text, format, arguments);
    fprintf(stderr, "Error: %s\n", weir_text_string(&text));
    weir_text_free(&text);
}

int cli_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(format, arguments);
    va_end(arguments);
    return EXIT_FAILED;
}

static int point_to_help(void)
{
    fputs("Run \"weir --help\" for usage.\n", stderr);
    return EXIT_USAGE;
}

int cli_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(format, arguments);
    va_end(arguments);
    return point_to_help();
}

static int usage_error(const char *what, const char *value)
{
    return cli_usage("%s: \"%s\"", what, value);
}

static void push(const char ***items, size_t *count, const char *value)
{
    *items = weir_xrealloc(*items, (*count + 1) * sizeof **items);
    (*items)[(*count)++] = value;
}

static int take_workers(struct cli *cli, const char *text)
{
    uint64_t workers = 0;
    if (!weir_str_to_u64(weir_str_of(text), &workers) || workers < 1 || workers > 1024)
        return usage_error("--workers takes a number from 1 to 1024", text);
    cli->workers = (unsigned)workers;
    return 0;
}

static int take_drain_timeout(struct cli *cli, const char *text)
{
    struct weir_duration duration;
    if (!weir_duration_parse(weir_str_of(text), &duration) || duration.ns < 0)
        return usage_error("--drain-timeout takes a duration such as 25s", text);
    cli->drain_timeout = duration.ns;
    return 0;
}

static int take_watchdog(struct cli *cli, const char *text)
{
    struct weir_duration duration;
    if (!weir_duration_parse(weir_str_of(text), &duration) ||
        (duration.ns != 0 && duration.ns < WATCHDOG_SHORTEST))
        return usage_error("--watchdog takes 0 or a duration of 2s or more", text);
    cli->watchdog = duration.ns;
    return 0;
}

static int take_validate(struct cli *cli, const char *text)
{
    if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return usage_error("--validate takes true or false", text);
    cli->validate = !text || strcmp(text, "true") == 0;
    return 0;
}

static int take_gates(struct cli *cli, const char *text)
{
    struct weir_error error = WEIR_ERROR_INIT;
    int result = cli_set_gates(cli, text, &error) == 0 ? 0 : cli_usage("%s", weir_error_text(&error));
    weir_error_free(&error);
    return result;
}

static int take_option(struct cli *cli, int option, const char *value)
{
    switch (option) {
    case OPTION_CONFIG:
        push(&cli->uris, &cli->uri_count, value);
        return 0;
    case OPTION_SET:
        push(&cli->sets, &cli->set_count, value);
        return 0;
    case OPTION_PLUGIN_DIR:
        push(&cli->plugin_dirs, &cli->plugin_dir_count, value);
        return 0;
    case OPTION_GATES:
        return take_gates(cli, value);
    case OPTION_WORKERS:
        return take_workers(cli, value);
    case OPTION_DRAIN:
        return take_drain_timeout(cli, value);
    case OPTION_WATCHDOG:
        return take_watchdog(cli, value);
    case OPTION_FORMAT:
        cli->format = value;
        return 0;
    case OPTION_MODE:
        cli->mode = value;
        return 0;
    case OPTION_VALIDATE:
        return take_validate(cli, value);
    case OPTION_OUTPUT:
        cli->output = value;
        return 0;
    case OPTION_ENDPOINT:
        cli->endpoint = value;
        return 0;
    case OPTION_DEAD:
        cli->dead = true;
        return 0;
    case 'v':
        cli->command = "version";
        return 0;
    case 'h':
        cli->command = "help";
        return 0;
    default: /* getopt has said what is wrong */
        return point_to_help();
    }
}

struct service_options cli_service_options(const struct cli *cli)
{
    return (struct service_options){
        .source = { .uris = cli->uris,
                    .uri_count = cli->uri_count,
                    .sets = cli->sets,
                    .set_count = cli->set_count,
                    .gates = cli->gates },
        .registry = registry_new(cli->plugin_dirs, cli->plugin_dir_count),
        .workers = cli->workers,
        .drain_timeout = cli->drain_timeout,
        .watchdog = cli->watchdog,
    };
}

static int command_service(struct cli *cli, int (*call)(const struct service_options *))
{
    if (cli->uri_count == 0)
        return cli_fail("at least one config flag must be provided");
    struct service_options service = cli_service_options(cli);
    int result = call(&service);
    registry_free(service.registry);
    return result;
}

static int command_run(struct cli *cli)
{
    return command_service(cli, service_run);
}

static int command_validate(struct cli *cli)
{
    return command_service(cli, service_validate);
}

static int command_help(struct cli *cli)
{
    (void)cli;
    fputs(help, stdout);
    return EXIT_STOPPED;
}

static int command_version(struct cli *cli)
{
    (void)cli;
    puts("weir version " PACKAGE_VERSION);
    return EXIT_STOPPED;
}

static const struct {
    const char *name;
    cli_command *run;
    int most_arguments;
} commands[] = {
    { "run", command_run, 0 },
    { "validate", command_validate, 0 },
    { "components", cli_components, 0 },
    { "describe", cli_describe, 2 },
    { "print-config", cli_print_config, 0 },
    { "print-initial-config", cli_print_config, 0 },
    { "featuregate", cli_featuregate, 1 },
    { "reload", cli_reload, 1 },
    { "healthcheck", cli_healthcheck, 0 },
    { "queue", cli_queue, 2 },
    { "version", command_version, 0 },
    { "help", command_help, 0 },
};

static int run_command(struct cli *cli)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i].name, cli->command) != 0)
            continue;
        if (cli->argument_count > commands[i].most_arguments)
            return usage_error("unexpected argument", cli->arguments[commands[i].most_arguments]);
        return commands[i].run(cli);
    }
    return usage_error("unknown command", cli->command);
}

/* Large buffers go back to the system when they are freed, and grow without a copy. Left alone, glibc raises these
 * limits up to 32 MiB with every large buffer that is freed, and each worker keeps the largest it ever had. */
static void set_up_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

int cli_main(int argc, char **argv)
{
    struct cli cli = { .drain_timeout = DEFAULT_DRAIN_TIMEOUT, .watchdog = DEFAULT_WATCHDOG, .validate = true };
    int result = 0, option;
    set_up_memory();
    weir_config_set_fetch(fetch_over_http);
    while (result == 0 && (option = getopt_long(argc, argv, "vh", options, NULL)) != -1)
        result = take_option(&cli, option, optarg);
    if (!cli.command)
        cli.command = optind < argc ? argv[optind++] : "run";
    cli.arguments = argv + optind;
    cli.argument_count = argc - optind;
    if (result == 0)
        result = run_command(&cli);
    free(cli.uris);
    free(cli.sets);
    free(cli.plugin_dirs);
    return result;
}

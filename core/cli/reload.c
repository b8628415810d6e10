// SPDX-License-Identifier: Apache-2.0
/* weir reload PID */
#include <config.h>

#include <limits.h>
#include <stdlib.h>

#include "core/cli/cli.h"
#include "core/service/notice.h"

/* A configuration that comes over HTTP may take half of it. */
#define TIMEOUT_MS 60000

static int report(enum notice_outcome outcome, const char *text)
{
    if (outcome == NOTICE_REFUSED)
        return cli_fail("the configuration was not reloaded, the one before runs on: %s", text);
    printf("%s\n", text);
    return EXIT_STOPPED;
}

int cli_reload(struct cli *cli)
{
    struct weir_error error = WEIR_ERROR_INIT;
    enum notice_outcome outcome = NOTICE_REFUSED;
    char *text = NULL;
    uint64_t pid = 0;
    if (cli->argument_count == 0)
        return cli_usage("reload takes the process id of a collector");
    if (!weir_str_to_u64(weir_str_of(cli->arguments[0]), &pid) || pid == 0 || pid > INT_MAX)
        return cli_usage("reload takes the process id of a collector: \"%s\"", cli->arguments[0]);
    int result = notice_reload((pid_t)pid, TIMEOUT_MS, &outcome, &text, &error);
    result = result == 0 ? report(outcome, text) : cli_fail("%s", weir_error_text(&error));
    weir_error_free(&error);
    free(text);
    return result;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The service: a configuration from loading to the last line of the ledger.
 */
#ifndef WEIR_CORE_SERVICE_H
#define WEIR_CORE_SERVICE_H

#include "core/config/config.h"
#include "core/registry/registry.h"

struct service_options {
    struct weir_config_source source;
    struct registry *registry;
    unsigned workers;      /* 0: as many as CPUs may be used */
    int64_t drain_timeout; /* nanoseconds */
    int64_t watchdog;      /* nanoseconds; 0: off */
};

/* Exit codes of the process. */
enum {
    EXIT_STOPPED = 0, /* stopped as asked */
    EXIT_FAILED = 1,  /* the configuration is wrong, or a component did not start */
    EXIT_HUNG = 3,    /* ended by the watchdog */
};

/* Runs until SIGTERM, SIGINT or a component's fatal error, and reads the configuration again on SIGHUP; a second signal ends the process at once, with 128 plus
 * the signal's number. Prints errors and the ledger to stderr. Returns the exit code. Main thread. */
int service_run(const struct service_options *options);

/* Loads, checks and creates everything, opens nothing; prints what is wrong to stderr. Returns the exit code. */
int service_validate(const struct service_options *options);

/* Prints what is wrong with a configuration to stderr, below a line that says how many errors there are. */
void service_print_problems(struct weir_problems *problems);

#endif

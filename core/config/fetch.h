// SPDX-License-Identifier: Apache-2.0
/*
 * The hook through which http: and https: configurations are fetched.
 */
#ifndef WEIR_CORE_CONFIG_FETCH_H
#define WEIR_CORE_CONFIG_FETCH_H

#include <weir/error.h>

/*
 * GETs `uri` (NUL-terminated, with its scheme) with the system's CA pool and no credentials, and appends the
 * body to `body`. Returns the HTTP status, or -1 with the reason in `error`. May block. Main thread.
 */
typedef int weir_config_fetch(const char *uri, struct weir_text *body, struct weir_error *error);

/* Sets what fetches; before that http: and https: are refused. Main thread, before a configuration is loaded.
 */
void weir_config_set_fetch(weir_config_fetch *fetch);

/* Fetches through the hook; anything but status 200 is an error. */
int config_fetch(const char *uri, struct weir_text *body, struct weir_error *error);

#endif

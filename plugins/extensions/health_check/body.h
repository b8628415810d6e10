// SPDX-License-Identifier: Apache-2.0
/*
 * What the health_check extension says.
 */
#ifndef HEALTH_CHECK_BODY_H
#define HEALTH_CHECK_BODY_H

#include <weir/component.h>

/* Adds the JSON document for that state at `now` (wall clock, nanoseconds since 1970). */
void health_body(const struct weir_host_state *state, int64_t now, struct weir_text *out);

#endif

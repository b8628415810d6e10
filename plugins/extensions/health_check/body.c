// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON document of a health check, as upstream writes it (contrib-processors, section 7).
 */
#include <config.h>

#include <time.h>

#include "plugins/extensions/health_check/body.h"

#define SECOND INT64_C(1000000000)

/* RFC 3339 in UTC, with as many decimals as are not zero. */
static void add_time(struct weir_text *out, int64_t ns)
{
    time_t seconds = (time_t)(ns / SECOND);
    int64_t rest = ns % SECOND;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    weir_text_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (rest > 0) {
        int digits = 9;
        for (; rest % 10 == 0; rest /= 10)
            digits--;
        weir_text_addf(out, ".%0*lld", digits, (long long)rest);
    }
    weir_text_addc(out, 'Z');
}

void health_body(const struct weir_host_state *state, int64_t now, struct weir_text *out)
{
    if (!state->ready) {
        weir_text_adds(out, "{\"status\":\"Server not available\",\"upSince\":\"0001-01-01T00:00:00Z\","
                            "\"uptime\":\"\"}");
        return;
    }
    struct weir_duration uptime = { now > state->ready_since ? now - state->ready_since : 0 };
    weir_text_adds(out, "{\"status\":\"Server available\",\"upSince\":\"");
    add_time(out, state->ready_since);
    weir_text_adds(out, "\",\"uptime\":\"");
    weir_duration_print(uptime, out);
    weir_text_adds(out, "\"}");
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Commands on standard input: a test changes how requests are answered, and asks what has come, while the
 * numbers that came before stay known.
 */
#include <config.h>

#include <unistd.h>

#include <uv.h>

#include <weir/sys/worker.h>

#include "bench/sink/sink.h"

static struct {
    struct sink_options *options;
    const struct sink_counts *counts;
    uv_pipe_t input;
    char line[256];
    size_t length;
} control;

static void obey(char *line)
{
    if (strcmp(line, "report") == 0) {
        sink_report_now(control.options, control.counts);
        return;
    }
    bool first = strncmp(line, "fail-first=", 11) == 0;
    bool changed = sink_options_change(control.options, line) == 0;
    if (first && changed)
        control.options->fail_first += control.counts->requests;
    puts(changed ? "ok" : "bad");
    fflush(stdout);
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer =
        uv_buf_init(control.line + control.length, (unsigned)(sizeof control.line - 1 - control.length));
}

static void on_input(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    (void)buffer;
    if (count < 0) {
        uv_read_stop(stream);
        return;
    }
    control.length += (size_t)count;
    control.line[control.length] = '\0';
    for (char *end; (end = strchr(control.line, '\n'));) {
        *end = '\0';
        obey(control.line);
        control.length -= (size_t)(end + 1 - control.line);
        memmove(control.line, end + 1, control.length + 1);
    }
    if (control.length == sizeof control.line - 1)
        control.length = 0; /* no command is that long */
}

void sink_control_start(struct sink_options *options, const struct sink_counts *counts)
{
    control.options = options;
    control.counts = counts;
    uv_pipe_init(weir_worker_loop(weir_worker_at(0)), &control.input, 0);
    if (uv_pipe_open(&control.input, STDIN_FILENO) < 0 ||
        uv_read_start((uv_stream_t *)&control.input, on_space, on_input) < 0)
        fputs("weir-sink: standard input is not readable\n", stderr);
}

void sink_control_stop(void)
{
    uv_close((uv_handle_t *)&control.input, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/serve.h"

#include <stdlib.h>

#include "plugins/exporters/prometheus/negotiate.h"
#include "plugins/exporters/prometheus/page.h"

/* One answer. It needs nothing of the instance but the store, for it may outlast it. */
struct page_job {
    struct weir_job job;
    struct page_job *next, **link; /* those of `serving` */
    struct serving *serving;       /* NULL once that has stopped */
    struct weir_http_exchange *exchange;
    struct store *store;
    struct page_style style;
    char *target_name;
    struct format format;
    enum weir_encoding encoding;
    int64_t now, expiration;
    struct weir_buffer *body; /* NULL: it could not be made */
    struct page_problems problems;
    struct weir_error error;
};

/* --- on a thread of the pool --- */

static struct weir_buffer *make_page(struct page_job *job)
{
    struct snapshot snapshot;
    struct weir_buffer *page = weir_buffer_new(1 << 16);
    store_expire(job->store, job->now, job->expiration);
    bool good = page && store_snapshot(job->store, &snapshot);
    if (good) {
        good = page_write(&snapshot, &job->style, page, &job->problems);
        snapshot_free(&snapshot);
    }
    if (good)
        return page;
    weir_error_set(&job->error, "out of memory");
    weir_buffer_unref(page);
    return NULL;
}

static void work(struct weir_job *base)
{
    struct page_job *job = WEIR_CONTAINER_OF(base, struct page_job, job);
    struct weir_buffer *page = make_page(job), *small = NULL;
    struct weir_slices plain = { 0 };
    if (!page || job->encoding == WEIR_ENCODING_IDENTITY) {
        job->body = page;
        return;
    }
    if (!weir_slices_add(&plain, page, page->data, page->length))
        weir_error_set(&job->error, "out of memory");
    else if (weir_deflate(job->encoding, 0, &plain, &small, &job->error) == 0)
        job->body = small;
    weir_slices_free(&plain);
    weir_buffer_unref(page);
}

/* --- on the worker --- */

static void log_problems(const struct page_job *job)
{
    struct weir_logger *logger = weir_instance_logger(weir_shard_instance(job->serving->shard));
    if (!job->body)
        weir_log(logger, WEIR_ERROR, "Cannot make the page", WEIR_F_TEXT("error", weir_error_text(&job->error)));
    else if (job->problems.count)
        weir_log(logger, WEIR_ERROR, "Series that cannot be shown are left out",
                 WEIR_F_UINT("series", job->problems.count),
                 WEIR_F_TEXT("first", weir_text_string(&job->problems.first)));
}

static void respond(struct page_job *job)
{
    struct weir_text type = { 0 };
    struct weir_slices body = { 0 };
    negotiate_content_type(&job->format, &type);
    struct weir_http_header headers[] = {
        { WEIR_STR("content-type"), weir_text_view(&type) },
        { WEIR_STR("vary"), WEIR_STR("Accept, Accept-Encoding") },
        { WEIR_STR("content-encoding"), weir_str_of(weir_encoding_name(job->encoding)) },
    };
    size_t count = WEIR_ARRAY_LENGTH(headers) - (job->encoding == WEIR_ENCODING_IDENTITY);
    if (job->body && weir_slices_add(&body, job->body, job->body->data, job->body->length))
        weir_http_respond(job->exchange, 200, headers, count, &body);
    else
        weir_http_respond_text(job->exchange, 500, "text/plain; charset=utf-8", WEIR_STR("out of memory\n"));
    weir_slices_free(&body);
    weir_text_free(&type);
}

static void done(struct weir_job *base)
{
    struct page_job *job = WEIR_CONTAINER_OF(base, struct page_job, job);
    if (job->serving) {
        log_problems(job);
        *job->link = job->next;
        if (job->next)
            job->next->link = job->link;
    }
    respond(job);
    store_unref(job->store);
    weir_buffer_unref(job->body);
    weir_text_free(&job->problems.first);
    weir_error_free(&job->error);
    free(job->target_name);
    free(job);
}

static void begin_page(struct serving *serving, struct weir_http_exchange *exchange)
{
    struct weir_worker *worker = weir_shard_worker(serving->shard);
    struct page_job *job = weir_xcalloc(1, sizeof(*job));
    job->job = (struct weir_job){ .work = work, .done = done };
    job->serving = serving;
    job->exchange = exchange;
    job->store = store_ref(serving->store);
    job->target_name = weir_str_dup(serving->target_name);
    job->format = negotiate_format(weir_http_exchange_header(exchange, "accept"),
                                   serving->config->enable_open_metrics);
    job->encoding = negotiate_encoding(weir_http_exchange_header(exchange, "accept-encoding"));
    job->style = (struct page_style){ .open_metrics = job->format.open_metrics,
                                      .protobuf = job->format.protobuf,
                                      .escaping = job->format.escaping,
                                      .timestamps = serving->config->send_timestamps,
                                      .target_name = weir_str_of(job->target_name) };
    job->now = weir_worker_now(worker);
    job->expiration = serving->config->metric_expiration.ns;
    job->link = &serving->jobs;
    job->next = serving->jobs;
    if (job->next)
        job->next->link = &job->next;
    serving->jobs = job;
    weir_worker_offload(worker, &job->job);
}

static void request(struct weir_http_exchange *exchange)
{
    struct serving *serving = weir_http_exchange_user(exchange);
    if (weir_str_is(weir_http_exchange_path(exchange), "/metrics"))
        begin_page(serving, exchange);
    else
        weir_http_respond_text(exchange, 404, "text/plain; charset=utf-8", WEIR_STR("404 page not found\n"));
}

const struct weir_http_handler serve_handler = { .first_worker_only = true, .request = request };

void serve_leave(struct serving *serving)
{
    for (struct page_job *job = serving->jobs; job; job = job->next)
        job->serving = NULL;
    serving->jobs = NULL;
}

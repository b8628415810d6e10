// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2 sessions: nghttp2's callbacks turned into streams with whole header lists.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/http/h2_guard.h"
#include "sdk/src/http/h2_session.h"

/* Output that may wait in the connection before the session stops to make more. */
#define OUTPUT_HIGH (1 << 20)
#define OUTPUT_LOW (256 << 10)
/* The same for servers, whose answers are small. */
#define ANSWERS_HIGH (256 << 10)
#define ANSWERS_LOW (64 << 10)
/* Frames that nghttp2 may keep for a client that does not read. */
#define FRAMES_MORE 1000
/* How often requests are looked at that may have stalled. */
#define STALL_CHECK (60 * INT64_C(1000000000))
/* Streams that this side may have to reset beyond one for each that ended well. */
#define RESET_BUDGET 100
/* Headers of most lists. */
#define NVS_FEW 16
/* A piece of an answer that is worth a client's window updates. */
#define ANSWERED 256
static const uint8_t shutdown_ping[8] = { 's', 'h', 'u', 't', 'd', 'o', 'w', 'n' };
static const uint8_t plain_ping[8] = { 'w', 'e', 'i', 'r', 'p', 'i', 'n', 'g' };

struct h2_session {
    nghttp2_session *nghttp2;
    struct weir_conn *conn;
    const struct h2_callbacks *callbacks;
    void *user;
    bool server;
    size_t max_header_list;
    struct h2_stream *streams;
    size_t stream_count;
    size_t good_streams; /* ended in order */
    size_t resets;       /* sent by this side with an error */
    size_t long_lists;   /* header lists that were too long */
    size_t headers_held; /* bytes of the header lists of all streams */
    uint64_t taken;      /* bytes of bodies that somebody wanted */
    size_t receiving;    /* requests whose body is not whole */
    size_t sending;      /* answers that are not sent */
    size_t output_high;
    uint32_t max_streams;
    int64_t stall_check; /* INT64_MAX: no body is arriving */
    struct h2_guard guard;
    bool inside;         /* nghttp2 is at work: output waits for its end */
    bool pinging;
    bool closing; /* shutdown was called */
    bool refusing;
    bool ending; /* terminate was called: over once the last frames are queued */
    bool over;
    const char *error;
    struct headers_room room; /* servers: of the header list that is arriving, of which there is one at a time */
};

static struct h2_stream *stream_new(struct h2_session *session, int32_t id)
{
    struct h2_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return NULL;
    stream->session = session;
    stream->id = id;
    stream->next = session->streams;
    if (stream->next)
        stream->next->previous = stream;
    session->streams = stream;
    session->stream_count++;
    return stream;
}

static int64_t now_of(const struct h2_session *session)
{
    return weir_conn_now(session->conn);
}

static void set_receiving(struct h2_session *session, size_t count)
{
    session->receiving = count;
    h2_guard_receiving(&session->guard, count > 0, now_of(session));
    if (count == 0)
        session->stall_check = INT64_MAX;
    else if (session->stall_check == INT64_MAX)
        session->stall_check = now_of(session) + STALL_CHECK;
}

static void set_sending(struct h2_stream *stream, bool sending)
{
    struct h2_session *session = stream->session;
    if (stream->sending == sending)
        return;
    stream->sending = sending;
    session->sending += sending ? 1 : (size_t)-1;
    h2_guard_sending(&session->guard, session->sending > 0, now_of(session));
}

static void stream_free(struct h2_stream *stream)
{
    struct h2_session *session = stream->session;
    if (session->server && stream->head_done && !stream->remote_ended)
        set_receiving(session, session->receiving - 1);
    set_sending(stream, false);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        session->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    session->stream_count--;
    session->headers_held -= stream->held;
    headers_free(&stream->headers);
    headers_free(&stream->trailers);
    free(stream->out_trailers);
    weir_slices_free(&stream->out);
    free(stream);
}

static struct h2_stream *stream_of(nghttp2_session *nghttp2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(nghttp2, id);
}

/* --- receiving --- */

static int on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
    struct h2_session *session = user;
    if (!session->server || frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct h2_stream *stream = stream_new(session, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    headers_use(&stream->headers, &session->room);
    nghttp2_session_set_stream_user_data(nghttp2, stream->id, stream);
    return 0;
}

static int on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags, void *user)
{
    struct h2_session *session = user;
    struct h2_stream *stream = stream_of(nghttp2, frame->hd.stream_id);
    (void)flags;
    if (!stream || frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    struct headers *headers = stream->head_done ? &stream->trailers : &stream->headers;
    size_t more = name_length + value_length + HEADER_OVERHEAD;
    if (more > session->max_header_list || headers->bytes > session->max_header_list - more) {
        session->long_lists++;
        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_ENHANCE_YOUR_CALM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; // the rest of the list is not shown
    }
    bool small = more <= H2_HEADERS_SMALL && stream->held <= H2_HEADERS_SMALL - more;
    if (session->server && !small && session->headers_held + more > H2_HEADERS_HELD) {
        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (!headers_add(headers, weir_str_make((const char *)name, name_length),
                     weir_str_make((const char *)value, value_length)))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream->held += more;
    session->headers_held += more;
    return 0;
}

static void end_remote(struct h2_stream *stream)
{
    if (stream->remote_ended)
        return;
    stream->remote_ended = true;
    if (stream->session->server)
        set_receiving(stream->session, stream->session->receiving - 1);
    stream->session->callbacks->end(stream);
}

static bool is_interim(const struct headers *headers)
{
    struct weir_str status = headers_get(headers, ":status");
    return status.length == 3 && status.data[0] == '1';
}

static void headers_received(struct h2_session *session, struct h2_stream *stream, bool end)
{
    if (stream->head_done) {
        if (end)
            end_remote(stream);
        return;
    }
    if (!session->server && !end && is_interim(&stream->headers)) {
        headers_free(&stream->headers);
        if (stream->held > session->max_header_list) // all of them together
            nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, stream->id,
                                      NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    stream->head_done = true;
    stream->remote_ended = end;
    stream->headed = stream->moved = now_of(session);
    if (session->server && !end)
        set_receiving(session, session->receiving + 1);
    session->callbacks->headers(stream, end);
    if (session->server)
        headers_free(&stream->headers);
}

static void ping_received(struct h2_session *session, const nghttp2_ping *ping)
{
    bool ack = ping->hd.flags & NGHTTP2_FLAG_ACK;
    if (ack && memcmp(ping->opaque_data, shutdown_ping, sizeof(shutdown_ping)) == 0) {
        if (session->closing)
            h2_session_refuse(session);
        return;
    }
    if (ack)
        session->pinging = false;
    if (session->callbacks->ping)
        session->callbacks->ping(session, ack);
}

static int on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
    struct h2_session *session = user;
    bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct h2_stream *stream = NULL;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        stream = stream_of(nghttp2, frame->hd.stream_id);
        if (stream)
            headers_received(session, stream, end);
        break;
    case NGHTTP2_DATA:
        stream = stream_of(nghttp2, frame->hd.stream_id);
        if (stream && end)
            end_remote(stream);
        break;
    case NGHTTP2_PING:
        ping_received(session, &frame->ping);
        break;
    case NGHTTP2_GOAWAY:
        if (session->callbacks->goaway)
            session->callbacks->goaway(
                session, frame->goaway.last_stream_id, frame->goaway.error_code,
                weir_str_make((const char *)frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
    default:
        break;
    }
    return 0;
}

static int on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *bytes, size_t length,
                   void *user)
{
    struct h2_session *session = user;
    struct h2_stream *stream = stream_of(nghttp2, id);
    (void)flags;
    session->taken += stream ? length : 0;
    if (stream && length > 0) {
        stream->moved = now_of(session);
        session->callbacks->data(stream, bytes, length);
    }
    return 0;
}

static int on_close(nghttp2_session *nghttp2, int32_t id, uint32_t error_code, void *user)
{
    struct h2_session *session = user;
    struct h2_stream *stream = stream_of(nghttp2, id);
    if (!stream)
        return 0;
    nghttp2_session_set_stream_user_data(nghttp2, id, NULL);
    if (error_code == NGHTTP2_NO_ERROR) {
        session->good_streams++;
        h2_guard_earn(&session->guard, H2_RESETS, 1);
    }
    session->callbacks->closed(stream, error_code);
    stream_free(stream);
    return 0;
}

/* --- sending --- */

static ssize_t send_bytes(nghttp2_session *nghttp2, const uint8_t *bytes, size_t length, int flags,
                          void *user)
{
    struct h2_session *session = user;
    (void)nghttp2;
    (void)flags;
    if (weir_conn_queued(session->conn) > session->output_high)
        return NGHTTP2_ERR_WOULDBLOCK;
    weir_conn_write_copy(session->conn, bytes, length);
    return (ssize_t)length;
}

static ssize_t read_body(nghttp2_session *nghttp2, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    struct h2_stream *stream = source->ptr;
    (void)nghttp2;
    (void)id;
    (void)out;
    (void)user;
    size_t length = stream->out_left < room ? stream->out_left : room;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (length == stream->out_left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->has_out_trailers)
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return (ssize_t)length;
}

static int send_data(nghttp2_session *nghttp2, nghttp2_frame *frame, const uint8_t *head, size_t length,
                     nghttp2_data_source *source, void *user)
{
    struct h2_session *session = user;
    struct h2_stream *stream = source->ptr;
    (void)nghttp2;
    (void)frame;
    if (weir_conn_queued(session->conn) > session->output_high)
        return NGHTTP2_ERR_WOULDBLOCK;
    weir_conn_write_copy(session->conn, head, 9);
    h2_guard_sent(&session->guard, length, now_of(session));
    // What a client may have to say to each piece of its answers.
    h2_guard_earn(&session->guard, H2_PINGS, 1);
    h2_guard_earn(&session->guard, H2_WINDOW_UPDATES, length >= ANSWERED || stream->out_left == length ? 4 : 0);
    stream->out_left -= length;
    while (length > 0) {
        const struct iovec *range = &stream->out.ranges[stream->out_range];
        size_t part = range->iov_len - stream->out_offset;
        if (part > length)
            part = length;
        struct weir_buffer *buffer = stream->out.buffers[stream->out_range];
        const char *at = (const char *)range->iov_base + stream->out_offset;
        if (buffer)
            weir_conn_write_range(session->conn, buffer, at, part);
        else
            weir_conn_write_copy(session->conn, at, part);
        length -= part;
        stream->out_offset += part;
        if (stream->out_offset == range->iov_len) {
            stream->out_range++;
            stream->out_offset = 0;
        }
    }
    return 0;
}

static nghttp2_nv nv_of(const struct weir_http_header *header)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)header->name.data, (uint8_t *)(uintptr_t)header->value.data,
                         header->name.length, header->value.length, NGHTTP2_NV_FLAG_NONE };
}

/* The list as nghttp2 wants it, in `few` where that is enough; free_nvs when it has been copied. */
static nghttp2_nv *nvs_of(const struct weir_http_header *headers, size_t count, nghttp2_nv few[NVS_FEW])
{
    nghttp2_nv *list = count <= NVS_FEW ? few : calloc(count, sizeof(*list));
    for (size_t i = 0; list && i < count; i++)
        list[i] = nv_of(&headers[i]);
    return list;
}

static void free_nvs(nghttp2_nv *list, const nghttp2_nv *few)
{
    if (list != few)
        free(list);
}

static void submit_trailers(struct h2_session *session, struct h2_stream *stream)
{
    nghttp2_nv few[NVS_FEW];
    nghttp2_nv *list = nvs_of(stream->out_trailers, stream->out_trailer_count, few);
    if (!list || nghttp2_submit_trailer(session->nghttp2, stream->id, list, stream->out_trailer_count) != 0)
        nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
    free_nvs(list, few);
}

static void end_for(struct h2_session *session, enum weir_cause cause)
{
    if (session->ending)
        return;
    weir_conn_blame(session->conn, cause);
    session->error = weir_close_reason(cause);
    session->ending = true;
    nghttp2_session_terminate_session(session->nghttp2, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* A stream was reset by this side. */
static void count_reset(struct h2_session *session, uint32_t error_code)
{
    if (error_code == NGHTTP2_REFUSED_STREAM) {
        enum weir_cause cause = h2_guard_spend(&session->guard, H2_REFUSED, now_of(session));
        if (cause != WEIR_CAUSES)
            end_for(session, cause);
    } else if (error_code != NGHTTP2_NO_ERROR) {
        session->resets++;
    }
}

static int on_sent(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
    struct h2_session *session = user;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        count_reset(session, frame->rst_stream.error_code);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        weir_conn_blame(session->conn, WEIR_CAUSE_PROTOCOL);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct h2_stream *stream = stream_of(nghttp2, frame->hd.stream_id);
    if (!stream)
        return 0;
    if (frame->hd.type == NGHTTP2_DATA && stream->has_out_trailers && stream->out_left == 0) {
        submit_trailers(session, stream);
        stream->has_out_trailers = false;
    }
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        stream->local_ended = true;
        set_sending(stream, false);
        if (session->server && !stream->remote_ended)
            nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    }
    return 0;
}

/* --- the session --- */

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *table = NULL;
    if (nghttp2_session_callbacks_new(&table) != 0)
        return NULL;
    nghttp2_session_callbacks_set_send_callback(table, send_bytes);
    nghttp2_session_callbacks_set_send_data_callback(table, send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(table, on_sent);
    nghttp2_session_callbacks_set_on_begin_headers_callback(table, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(table, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(table, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(table, on_close);
    return table;
}

static bool make_nghttp2(struct h2_session *session)
{
    nghttp2_session_callbacks *callbacks = make_callbacks();
    nghttp2_option *option = NULL;
    int rc = callbacks ? nghttp2_option_new(&option) : NGHTTP2_ERR_NOMEM;
    if (rc == 0) {
        // Floods end the connection: acknowledgements nobody reads, reset streams, endless header lists.
        nghttp2_option_set_max_outbound_ack(option, 100);
        nghttp2_option_set_max_settings(option, 32);
        nghttp2_option_set_max_continuations(option, 8);
        nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX); // h2_guard.c has its own
        nghttp2_option_set_no_closed_streams(option, 1);
        rc = session->server ? nghttp2_session_server_new2(&session->nghttp2, callbacks, session, option)
                             : nghttp2_session_client_new2(&session->nghttp2, callbacks, session, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rc == 0;
}

static bool send_settings(struct h2_session *session)
{
    nghttp2_settings_entry entries[3] = {
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)session->max_header_list },
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
    };
    if (session->server)
        entries[2] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                                session->max_streams };
    return nghttp2_submit_settings(session->nghttp2, NGHTTP2_FLAG_NONE, entries, 3) == 0 &&
           nghttp2_session_set_local_window_size(session->nghttp2, NGHTTP2_FLAG_NONE, 0,
                                                 H2_CONNECTION_WINDOW) == 0;
}

struct h2_session *h2_session_new(struct weir_conn *conn, const struct h2_config *config)
{
    struct h2_session *session = weir_xcalloc(1, sizeof(*session));
    session->conn = conn;
    session->callbacks = config->callbacks;
    session->user = config->user;
    session->server = config->server;
    session->max_header_list = config->max_header_list ? config->max_header_list : H2_MAX_HEADER_LIST;
    session->max_streams = config->max_streams ? config->max_streams : H2_DEFAULT_STREAMS;
    session->output_high = config->server ? ANSWERS_HIGH : OUTPUT_HIGH;
    session->stall_check = INT64_MAX;
    struct h2_guard_config limits = {
        .server = config->server,
        .max_streams = session->max_streams,
        .header_time = config->header_time,
        .body_time = config->body_time,
    };
    h2_guard_init(&session->guard, &limits, now_of(session));
    if (!make_nghttp2(session) || !send_settings(session)) {
        nghttp2_session_del(session->nghttp2);
        free(session);
        return NULL;
    }
    weir_conn_set_low_mark(conn, config->server ? ANSWERS_LOW : OUTPUT_LOW);
    h2_session_flush(session);
    return session;
}

void h2_session_free(struct h2_session *session)
{
    if (!session)
        return;
    session->inside = true; // nothing is sent any more
    session->over = true;
    while (session->streams) {
        session->callbacks->closed(session->streams, NGHTTP2_CANCEL);
        stream_free(session->streams);
    }
    nghttp2_session_del(session->nghttp2);
    free(session);
}

void *h2_session_user(const struct h2_session *session)
{
    return session->user;
}

struct weir_conn *h2_session_conn(const struct h2_session *session)
{
    return session->conn;
}

static void finish(struct h2_session *session, const char *error)
{
    if (session->over)
        return;
    session->over = true;
    session->callbacks->over(session, error);
}

void h2_session_flush(struct h2_session *session)
{
    if (session->inside || session->over)
        return;
    session->inside = true;
    int rc = nghttp2_session_send(session->nghttp2);
    if (rc == 0 && session->resets > session->good_streams + RESET_BUDGET)
        end_for(session, session->long_lists > RESET_BUDGET ? WEIR_CAUSE_HEADER_LIST : WEIR_CAUSE_PROTOCOL);
    if (rc == 0 && nghttp2_session_get_outbound_queue_size(session->nghttp2) >
                       2 * (size_t)session->max_streams + FRAMES_MORE)
        end_for(session, WEIR_CAUSE_SLOW_READER);
    if (rc == 0 && session->ending)
        rc = nghttp2_session_send(session->nghttp2);
    session->inside = false;
    bool busy = nghttp2_session_want_read(session->nghttp2) || nghttp2_session_want_write(session->nghttp2);
    if (rc != 0)
        finish(session, nghttp2_strerror(rc));
    else if (session->ending || !busy)
        finish(session, session->error);
}

/* nghttp2 gave up: what it has to say about it (GOAWAY) still goes out. */
static void receive_failed(struct h2_session *session, int code)
{
    enum weir_cause cause = code == NGHTTP2_ERR_FLOODED              ? WEIR_CAUSE_PING
                            : code == NGHTTP2_ERR_TOO_MANY_SETTINGS  ? WEIR_CAUSE_SETTINGS
                            : code == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS ? WEIR_CAUSE_CONTINUATION
                                                                     : WEIR_CAUSE_PROTOCOL;
    session->inside = true;
    if (cause != WEIR_CAUSE_PROTOCOL)
        end_for(session, cause);
    weir_conn_blame(session->conn, cause);
    (void)nghttp2_session_send(session->nghttp2);
    session->inside = false;
    finish(session, nghttp2_strerror(code));
}

void h2_session_receive(struct h2_session *session, const uint8_t *bytes, size_t length)
{
    if (session->over || session->ending)
        return;
    enum weir_cause cause = h2_guard_scan(&session->guard, bytes, length, now_of(session));
    if (cause != WEIR_CAUSES) {
        end_for(session, cause);
        h2_session_flush(session);
        return;
    }
    session->inside = true;
    ssize_t taken = nghttp2_session_mem_recv(session->nghttp2, bytes, length);
    session->inside = false;
    if (!session->server && session->guard.data - session->taken > H2_CONNECTION_WINDOW)
        end_for(session, WEIR_CAUSE_PROTOCOL); // the rest of answers that were given up, without end
    if (taken < 0)
        receive_failed(session, (int)taken);
    else
        h2_session_flush(session);
}

int64_t h2_session_due(const struct h2_session *session)
{
    int64_t due = h2_guard_due(&session->guard);
    if (session->over || session->ending)
        return INT64_MAX;
    return session->stall_check < due ? session->stall_check : due;
}

static void reset_stalled(struct h2_session *session, int64_t now)
{
    session->stall_check = now + STALL_CHECK;
    for (struct h2_stream *stream = session->streams; stream; stream = stream->next) {
        if (stream->head_done && !stream->remote_ended && now - stream->moved >= H2_STALL_TIME)
            nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    }
}

/* When the first of the requests that are arriving had its headers. */
static int64_t oldest_body(const struct h2_session *session)
{
    int64_t oldest = INT64_MAX;
    for (const struct h2_stream *stream = session->streams; stream; stream = stream->next)
        if (stream->head_done && !stream->remote_ended && stream->headed < oldest)
            oldest = stream->headed;
    return oldest;
}

bool h2_session_check(struct h2_session *session)
{
    int64_t now = now_of(session);
    if (h2_session_due(session) > now)
        return !session->over;
    enum weir_cause cause = h2_guard_late(&session->guard, now);
    if (cause == WEIR_CAUSE_STARVED && weir_conn_queued(session->conn) > 0) {
        // It has windows, but does not read: the connection has a deadline for that.
        h2_guard_sending(&session->guard, false, now);
        h2_guard_sending(&session->guard, true, now);
        cause = WEIR_CAUSES;
    } else if (cause == WEIR_CAUSE_BODY && h2_guard_body_since(&session->guard, oldest_body(session), now)) {
        cause = WEIR_CAUSES; // the one that the deadline was for is whole
    }
    if (cause != WEIR_CAUSES)
        end_for(session, cause);
    else if (session->stall_check <= now)
        reset_stalled(session, now);
    h2_session_flush(session);
    return !session->over;
}

size_t h2_session_streams(const struct h2_session *session)
{
    return session->stream_count;
}

bool h2_session_can_request(const struct h2_session *session)
{
    return !session->over && !session->closing && nghttp2_session_check_request_allowed(session->nghttp2) &&
           session->stream_count <
               nghttp2_session_get_remote_settings(session->nghttp2, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

static void take_body(struct h2_stream *stream, struct weir_slices *body)
{
    weir_slices_free(&stream->out);
    stream->out_range = 0;
    stream->out_offset = 0;
    stream->out_left = 0;
    if (!body)
        return;
    stream->out = *body;
    stream->out_left = body->bytes;
    *body = (struct weir_slices){ .ranges = NULL };
}

struct h2_stream *h2_session_request(struct h2_session *session, const struct weir_http_header *headers,
                                     size_t count, struct weir_slices *body, void *user)
{
    nghttp2_nv few[NVS_FEW];
    struct h2_stream *stream = session->over || session->closing ? NULL : stream_new(session, 0);
    nghttp2_nv *list = stream ? nvs_of(headers, count, few) : NULL;
    if (!list) {
        if (stream)
            stream_free(stream);
        return NULL;
    }
    bool has_body = body && body->bytes > 0;
    nghttp2_data_provider provider = { .source = { .ptr = stream }, .read_callback = read_body };
    stream->id =
        nghttp2_submit_request(session->nghttp2, NULL, list, count, has_body ? &provider : NULL, stream);
    free_nvs(list, few);
    if (stream->id < 0) {
        stream_free(stream);
        return NULL;
    }
    stream->user = user;
    take_body(stream, body);
    h2_session_flush(session);
    return stream;
}

/* Copies the fields behind each other into one block, for they are few and there may be many streams. */
static bool keep_trailers(struct h2_stream *stream, const struct weir_http_header *trailers, size_t count)
{
    size_t size = count * sizeof(*trailers);
    for (size_t i = 0; i < count; i++)
        size += trailers[i].name.length + trailers[i].value.length;
    struct weir_http_header *copy = NULL;
    if (count > 0 && !(copy = malloc(size)))
        return false;
    char *text = copy ? (char *)(copy + count) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct weir_str parts[2] = { trailers[i].name, trailers[i].value };
        struct weir_str *places[2] = { &copy[i].name, &copy[i].value };
        for (int k = 0; k < 2; k++) {
            if (parts[k].length > 0)
                memcpy(text, parts[k].data, parts[k].length);
            *places[k] = weir_str_make(text, parts[k].length);
            text += parts[k].length;
        }
    }
    free(stream->out_trailers);
    stream->out_trailers = copy;
    stream->out_trailer_count = count;
    stream->has_out_trailers = count > 0;
    return true;
}

void h2_stream_respond(struct h2_stream *stream, const struct weir_http_header *headers, size_t count,
                       struct weir_slices *body, const struct weir_http_header *trailers,
                       size_t trailer_count)
{
    struct h2_session *session = stream->session;
    nghttp2_nv few[NVS_FEW];
    nghttp2_nv *list = nvs_of(headers, count, few);
    bool has_body = (body && body->bytes > 0) || trailer_count > 0;
    nghttp2_data_provider provider = { .source = { .ptr = stream }, .read_callback = read_body };
    bool ok = list && keep_trailers(stream, trailers, trailer_count);
    if (ok) {
        take_body(stream, body);
        set_sending(stream, true);
        ok = nghttp2_submit_response(session->nghttp2, stream->id, list, count,
                                     has_body ? &provider : NULL) == 0;
    }
    if (!ok)
        nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
    free_nvs(list, few);
    h2_session_flush(session);
}

void h2_stream_reset(struct h2_stream *stream, uint32_t error_code)
{
    nghttp2_submit_rst_stream(stream->session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, error_code);
    h2_session_flush(stream->session);
}

bool h2_session_ping(struct h2_session *session)
{
    if (session->pinging || nghttp2_submit_ping(session->nghttp2, NGHTTP2_FLAG_NONE, plain_ping) != 0)
        return false;
    session->pinging = true;
    h2_session_flush(session);
    return true;
}

void h2_session_shutdown(struct h2_session *session)
{
    if (session->closing || session->over)
        return;
    session->closing = true;
    if (session->server) {
        nghttp2_submit_shutdown_notice(session->nghttp2);
        nghttp2_submit_ping(session->nghttp2, NGHTTP2_FLAG_NONE, shutdown_ping);
    } else {
        nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    }
    h2_session_flush(session);
}

void h2_session_refuse(struct h2_session *session)
{
    if (session->refusing || session->over)
        return;
    session->refusing = true;
    nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session->nghttp2), NGHTTP2_NO_ERROR, NULL,
                          0);
    h2_session_flush(session);
}

void h2_session_terminate(struct h2_session *session, uint32_t error_code, const char *debug)
{
    if (session->over)
        return;
    session->error = debug;
    session->ending = true;
    nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session->nghttp2), error_code,
                          (const uint8_t *)debug, strlen(debug));
    h2_session_flush(session);
}

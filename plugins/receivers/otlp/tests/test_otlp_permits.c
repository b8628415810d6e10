// SPDX-License-Identifier: Apache-2.0
/* Memory that requests were admitted with is given back once, however they end. */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/memory.h>
#include <weir/sys/worker.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

/* Reserved by the test itself, so that a permit given back twice shows, too. */
#define BASE ((size_t)1 << 20)

static const struct weir_component *component;
static struct weir_harness *harness;
static char folder[] = "/tmp/weir-permits-XXXXXX";
static struct weir_text request; /* an Export request with three spans */

/* --- client --- */

static char *socket_path(const char *protocol)
{
    return weir_xasprintf("%s/%s", folder, protocol);
}

static int dial(const char *protocol)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char *path = socket_path(protocol);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    free(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void put(int fd, const void *data, size_t length)
{
    ck_assert_int_eq(send(fd, data, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void put_post(int fd, const char *headers, size_t announced, const void *body, size_t length)
{
    char *head = weir_xasprintf("POST /v1/traces HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", headers,
                                announced);
    put(fd, head, strlen(head));
    put(fd, body, length);
    free(head);
}

#define PROTOBUF "Content-Type: application/x-protobuf\r\n"

static void put_frame(int fd, uint8_t type, uint8_t flags, uint8_t stream, const void *payload, size_t length)
{
    uint8_t head[9] = { 0, (uint8_t)(length >> 8), (uint8_t)length, type, flags, 0, 0, 0, stream };
    put(fd, head, sizeof head);
    put(fd, payload, length);
}

static void add_field(struct weir_text *block, const char *name, const char *value)
{
    weir_text_addc(block, 0); /* literal, not indexed, new name (RFC 7541, 6.2.2) */
    weir_text_addc(block, (char)strlen(name));
    weir_text_adds(block, name);
    weir_text_addc(block, (char)strlen(value));
    weir_text_adds(block, value);
}

/* The headers of a call on stream 1, and the prefix of a message of `length` bytes. */
static int start_call(size_t length)
{
    int fd = dial("grpc");
    struct weir_text block = { 0 };
    const uint8_t prefix[5] = { 0, 0, 0, (uint8_t)(length >> 8), (uint8_t)length };
    add_field(&block, ":method", "POST");
    add_field(&block, ":scheme", "http");
    add_field(&block, ":authority", "x");
    add_field(&block, ":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    add_field(&block, "te", "trailers");
    add_field(&block, "content-type", "application/grpc");
    put(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    put_frame(fd, 4, 0, 0, "", 0);
    put_frame(fd, 1, 4, 1, block.data, block.length);
    put_frame(fd, 0, 0, 1, prefix, sizeof prefix);
    weir_text_free(&block);
    return fd;
}

/* --- waiting --- */

static bool settles_at(size_t bytes)
{
    for (int i = 0; i < 1000 && weir_memory_reserved() != BASE + bytes; i++)
        weir_worker_turn(weir_worker_at(0), 5);
    return weir_memory_reserved() == BASE + bytes;
}

static void await_answer(int fd, const char *part)
{
    struct weir_text got = { 0 };
    char bytes[4096];
    for (int i = 0; i < 1000 && !strstr(weir_text_string(&got), part); i++) {
        weir_worker_turn(weir_worker_at(0), 5);
        ssize_t length = recv(fd, bytes, sizeof bytes, 0);
        for (ssize_t at = 0; at < length; at++)
            weir_text_addc(&got, bytes[at] ? bytes[at] : '.');
    }
    ck_assert_msg(strstr(weir_text_string(&got), part) != NULL, "no \"%s\" in: %s", part, weir_text_string(&got));
    weir_text_free(&got);
}

static void await_sent(size_t count)
{
    for (int i = 0; i < 1000 && weir_harness_sent_count(harness) < count; i++)
        weir_worker_turn(weir_worker_at(0), 5);
    ck_assert_uint_eq(weir_harness_sent_count(harness), count);
}

/* --- set up --- */

static void make_request(void)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 3);
    struct weir_slices slices = { 0 };
    ck_assert(weir_batch_encode(batch, &slices));
    for (size_t i = 0; i < slices.count; i++)
        weir_text_add(&request, slices.ranges[i].iov_base, slices.ranges[i].iov_len);
    weir_slices_free(&slices);
    weir_batch_unref(batch);
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *options = weir_xasprintf("{\"protocols\": {"
                                   "\"http\": {\"endpoint\": \"%s/http\", \"transport\": \"unix\"}, "
                                   "\"grpc\": {\"endpoint\": \"%s/grpc\", \"transport\": \"unix\"}}}",
                                   folder, folder);
    harness = make_harness(component, options, WEIR_TRACES);
    free(options);
    make_request();
    ck_assert_uint_eq(weir_memory_reserved(), 0);
    weir_memory_reserve(BASE);
}

static void teardown(void)
{
    weir_harness_free(harness);
    ck_assert_uint_eq(weir_memory_reserved(), BASE);
    weir_text_free(&request);
    char *http = socket_path("http"), *grpc = socket_path("grpc");
    unlink(http);
    unlink(grpc);
    rmdir(folder);
    free(http);
    free(grpc);
}

/* --- tests --- */

START_TEST(http_batch_keeps_the_permit_of_its_body)
{
    int fd = dial("http");
    put_post(fd, PROTOBUF, request.length, request.data, request.length);
    await_answer(fd, "HTTP/1.1 200 OK");
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert_uint_eq(weir_memory_reserved(), BASE + request.length); /* the harness keeps the batch */
    close(fd);
}
END_TEST

START_TEST(http_refused_bodies)
{
    static const struct {
        const char *headers, *body, *answer;
    } cases[] = {
        { PROTOBUF, "\x0a\x7f", "HTTP/1.1 400" },
        { PROTOBUF "Content-Encoding: gzip\r\n", "no gzip", "HTTP/1.1 400" },
        { "Content-Type: application/json\r\n", "{\"resourceSpans\": 1}", "HTTP/1.1 400" },
        { "Content-Type: application/json\r\n", "{}", "HTTP/1.1 200" },
        { "Content-Type: text/plain\r\n", "text", "HTTP/1.1 415" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        int fd = dial("http");
        put_post(fd, cases[i].headers, strlen(cases[i].body), cases[i].body, strlen(cases[i].body));
        await_answer(fd, cases[i].answer);
        ck_assert_uint_eq(weir_memory_reserved(), BASE);
        close(fd);
    }
}
END_TEST

START_TEST(http_client_leaves_within_its_body)
{
    int fd = dial("http");
    put_post(fd, PROTOBUF, request.length, request.data, request.length / 2);
    ck_assert(settles_at(request.length));
    close(fd);
    ck_assert(settles_at(0));
}
END_TEST

START_TEST(http_client_leaves_before_its_answer)
{
    weir_harness_set_result(harness, NULL);
    int fd = dial("http");
    put_post(fd, PROTOBUF, request.length, request.data, request.length);
    await_sent(1);
    close(fd);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_at(0), 1);
    weir_harness_complete(harness, 0, &WEIR_RESULT_RETRYABLE("too late"));
    ck_assert_uint_eq(weir_memory_reserved(), BASE + request.length);
}
END_TEST

START_TEST(grpc_batch_keeps_the_permit_of_its_message)
{
    int fd = start_call(request.length);
    put_frame(fd, 0, 1, 1, request.data, request.length);
    await_sent(1);
    ck_assert_uint_eq(weir_memory_reserved(), BASE + request.length);
    close(fd);
}
END_TEST

START_TEST(grpc_malformed_message)
{
    int fd = start_call(2);
    ck_assert(settles_at(2));
    put_frame(fd, 0, 1, 1, "\x0a\x7f", 2);
    ck_assert(settles_at(0));
    close(fd);
}
END_TEST

START_TEST(grpc_call_is_cancelled_within_its_message)
{
    static const uint8_t cancel[4] = { 0, 0, 0, 8 };
    int fd = start_call(request.length);
    ck_assert(settles_at(request.length));
    put_frame(fd, 3, 0, 1, cancel, sizeof cancel);
    ck_assert(settles_at(0));
    close(fd);
}
END_TEST

START_TEST(grpc_client_leaves_within_its_message)
{
    int fd = start_call(request.length);
    put_frame(fd, 0, 0, 1, request.data, request.length / 2);
    ck_assert(settles_at(request.length));
    close(fd);
    ck_assert(settles_at(0));
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_RECEIVER, "otlp");
    Suite *suite = suite_create("otlp receiver permits");
    TCase *tests = tcase_create("permits");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, http_batch_keeps_the_permit_of_its_body);
    tcase_add_test(tests, http_refused_bodies);
    tcase_add_test(tests, http_client_leaves_within_its_body);
    tcase_add_test(tests, http_client_leaves_before_its_answer);
    tcase_add_test(tests, grpc_batch_keeps_the_permit_of_its_message);
    tcase_add_test(tests, grpc_malformed_message);
    tcase_add_test(tests, grpc_call_is_cancelled_within_its_message);
    tcase_add_test(tests, grpc_client_leaves_within_its_message);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

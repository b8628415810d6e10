// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies that stay where they were received: over a real socket, and the sizes of what they are received into.
 */
#include <config.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/http_server.h>
#include <weir/sys/worker.h>

#include "sdk/src/http/inbox.h"
#include "tests/unit/suite.h"

#define BODY 40000

static char endpoint[] = "127.0.0.1:0";
static struct weir_http_server_options options = { .endpoint = endpoint, .keep_alives_enabled = true };
static struct weir_buffer *kept[8];
static size_t kept_count;

static void keep(struct weir_http_exchange *exchange)
{
    kept[kept_count++] = weir_buffer_ref(weir_http_exchange_body(exchange));
    weir_http_respond_text(exchange, 200, "text/plain", WEIR_STR("kept"));
}

static const struct weir_http_handler handler = { .request = keep };

static void add_request(struct weir_text *text, char fill, int length)
{
    weir_text_addf(text, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", length);
    for (int i = 0; i < length; i++)
        weir_text_addc(text, fill);
}

static int connect_to(struct weir_http_site *site)
{
    uint64_t port = 0;
    ck_assert(weir_str_to_u64(weir_str_of(strrchr(weir_http_site_address(site), ':') + 1), &port));
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* A large request, with a small one behind it in the same bytes, again and again: each keeps its own bytes. */
START_TEST(bodies_are_not_overwritten)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    struct weir_http_site *site = weir_http_site_open(&options, &handler, NULL, NULL, &error);
    ck_assert_msg(site != NULL, "%s", weir_error_text(&error));
    struct weir_http_server *server = weir_http_server_start(site, weir_worker_at(0), NULL, &error);
    int fd = connect_to(site);
    for (size_t round = 0; round < 3; round++) {
        struct weir_text text = { .data = NULL };
        add_request(&text, (char)('a' + 2 * round), BODY);
        add_request(&text, (char)('b' + 2 * round), 100);
        ck_assert_int_eq(send(fd, text.data, text.length, MSG_NOSIGNAL), (ssize_t)text.length);
        weir_text_free(&text);
        for (int i = 0; i < 2000 && kept_count < 2 * round + 2; i++)
            weir_worker_turn(weir_worker_at(0), 5);
    }
    ck_assert_uint_eq(kept_count, 6);
    for (size_t i = 0; i < kept_count; i++) {
        ck_assert_uint_eq(kept[i]->length, i % 2 ? 100 : BODY);
        for (size_t k = 0; k < kept[i]->length; k++)
            ck_assert_int_eq(kept[i]->data[k], (int)('a' + i));
        weir_buffer_unref(kept[i]);
    }
    close(fd);
    weir_http_server_stop(server);
    for (int i = 0; i < 10; i++)
        weir_worker_turn(weir_worker_at(0), 1);
    weir_http_site_close(site);
    weir_workers_destroy();
}
END_TEST

START_TEST(only_bytes_of_the_inbox_are_taken)
{
    struct inbox inbox = { .buffer = NULL };
    uint8_t other[70000];
    size_t length = 0;
    uint8_t *room = inbox_room(&inbox, &length);
    ck_assert_ptr_nonnull(room);
    ck_assert_uint_eq(length, 65536);
    ck_assert_ptr_null(inbox_take(&inbox, other, BODY));
    ck_assert_ptr_null(inbox_take(&inbox, other, sizeof(other)));
    ck_assert_ptr_null(inbox_take(&inbox, room + 30000, BODY)); // it ends behind the inbox
    ck_assert_ptr_null(inbox_take(&inbox, room + 100, 1000));   // too little for so much memory
    struct weir_buffer *body = inbox_take(&inbox, room + 100, BODY);
    ck_assert_ptr_eq(body->data, room + 100);
    ck_assert_uint_eq(body->length, BODY);
    ck_assert_ptr_null(inbox_take(&inbox, body->data, BODY)); // it is somebody's now
    inbox_settle(&inbox);
    ck_assert_uint_eq(body->references, 1);
    ck_assert_ptr_ne(inbox_room(&inbox, &length), room);
    weir_buffer_unref(body);
    inbox_free(&inbox);
}
END_TEST

static size_t next_size(struct inbox *inbox)
{
    size_t length = 0;
    inbox_settle(inbox);
    ck_assert_ptr_nonnull(inbox_room(inbox, &length));
    return length;
}

START_TEST(it_is_as_large_as_requests_are)
{
    struct inbox inbox = { .buffer = NULL };
    ck_assert_uint_eq(next_size(&inbox), 65536);
    inbox_saw(&inbox, 36000);
    ck_assert_uint_eq(next_size(&inbox), 40960);
    inbox_saw(&inbox, 100);
    ck_assert_uint_eq(next_size(&inbox), 40960);
    inbox_saw(&inbox, 200000);
    ck_assert_uint_eq(next_size(&inbox), 225280);
    for (int i = 0; i < 128; i++)
        inbox_saw(&inbox, 100);
    ck_assert_uint_eq(next_size(&inbox), 16384);
    inbox_saw(&inbox, UINT64_MAX);
    ck_assert_uint_eq(next_size(&inbox), 65536);
    inbox_free(&inbox);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inbox");
    TCase *tests = tcase_create("inbox");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, bodies_are_not_overwritten);
    tcase_add_test(tests, only_bytes_of_the_inbox_are_taken);
    tcase_add_test(tests, it_is_as_large_as_requests_are);
    return run_suite(suite);
}

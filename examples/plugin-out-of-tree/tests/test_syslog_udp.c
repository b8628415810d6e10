// SPDX-License-Identifier: Apache-2.0
/* The syslog_udp exporter, with a server of our own. */
#include <config.h>

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/harness.h>

static const struct weir_component *component;
static int server;
static struct weir_harness *harness;

/* An exporter that sends to a socket of ours. */
static void setup(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    server = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(server, (struct sockaddr *)&address, &length), 0);
    struct weir_error error = WEIR_ERROR_INIT;
    char *options = weir_xasprintf("{endpoint: '127.0.0.1:%u', facility: daemon}", ntohs(address.sin_port));
    harness = weir_harness_new(component, options, WEIR_LOGS, &error);
    ck_assert_msg(harness != NULL, "%s", weir_error_text(&error));
    free(options);
}

static void teardown(void)
{
    weir_harness_free(harness);
    close(server);
}

/* Datagrams on the loopback are there when send returns. */
static const char *received(void)
{
    static char text[2048];
    ssize_t length = recv(server, text, sizeof text - 1, MSG_DONTWAIT);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

START_TEST(sends_each_record)
{
    size_t request = weir_harness_consume_json(
        harness, "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
                 "{\"stringValue\":\"my shop\"}}]},\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":"
                 "\"1700000000123456789\",\"severityNumber\":17,\"body\":{\"stringValue\":\"out of tea\"}},"
                 "{\"body\":{\"intValue\":\"42\"}}]}]}]}");
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_OK);
    ck_assert_str_eq(received(), "<27>1 2023-11-14T22:13:20.123456Z - my_shop - - - out of tea");
    ck_assert_str_eq(received(), "<30>1 - - my_shop - - - 42");
    ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(nobody_listens)
{
    ck_assert_int_eq(shutdown(server, SHUT_RDWR), -1); /* not connected */
    ck_assert_int_eq(dup2(STDERR_FILENO, server), server); /* closes the socket, keeps its number */
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 1)); /* answered by an ICMP error */
    size_t request = weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 1, 1));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_RETRYABLE);
    ck_assert_ptr_nonnull(strstr(weir_harness_log(), "\twarn\tNot sent\t"));
    ck_assert_ptr_nonnull(strstr(weir_harness_log(), "Connection refused"));
}
END_TEST

START_TEST(too_long_for_a_datagram)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_LOGS, 0, 1);
    struct weir_entry *entry = weir_scope_group_first(weir_group_first_scope(weir_batch_first_group(batch)));
    static char text[70000];
    memset(text, 'x', sizeof text);
    weir_entry_edit_log_record(entry)->body = weir_value_string(weir_str_make(text, sizeof text));
    weir_batch_commit(batch);
    size_t request = weir_harness_consume(harness, batch);
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_PERMANENT);
}
END_TEST

START_TEST(bad_options)
{
    static const char *const cases[][2] = {
        { "", "syslog_udp::endpoint" },
        { "endpoint: localhost", "missing port in address" },
        { "{endpoint: 'localhost:514', facility: post}", "syslog_udp::facility" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        ck_assert_ptr_null(weir_harness_new(component, cases[i][0], WEIR_LOGS, &error));
        ck_assert_msg(strstr(weir_error_text(&error), cases[i][1]) != NULL, "%s", weir_error_text(&error));
        weir_error_free(&error);
    }
}
END_TEST

int main(void)
{
    component = weir_harness_load_file(".libs/syslog_udp.so");
    Suite *suite = suite_create("syslog_udp");
    TCase *sending = tcase_create("sending");
    tcase_add_checked_fixture(sending, setup, teardown);
    tcase_add_test(sending, sends_each_record);
    tcase_add_test(sending, nobody_listens);
    tcase_add_test(sending, too_long_for_a_datagram);
    suite_add_tcase(suite, sending);
    TCase *options = tcase_create("options");
    tcase_add_test(options, bad_options);
    suite_add_tcase(suite, options);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

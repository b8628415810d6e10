// SPDX-License-Identifier: Apache-2.0
/*
 * TLS between two of our connections.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tls_ends.h"

#define BIG ((size_t)3000000)

static struct weir_buffer *pattern(size_t length)
{
    struct weir_buffer *buffer = weir_buffer_new(length);
    for (size_t i = 0; i < length; i++)
        buffer->data[i] = (uint8_t)(i * 31 + (i >> 8));
    buffer->length = length;
    return buffer;
}

START_TEST(bytes_go_both_ways)
{
    server.echo = true;
    meet();
    met();
    weir_conn_write_copy(client.conn, "hello ", 6);
    weir_conn_write_copy(client.conn, "world", 5);
    turn_until(client.got.length == 11);
    ck_assert_str_eq(weir_text_string(&client.got), "hello world");
    ck_assert_uint_eq(server.reads, 1);
    ck_assert_uint_gt(weir_conn_sent(client.conn), 11);
    ck_assert_str_eq(client.alpn, "");
    weir_conn_finish(client.conn);
    turn_until(client.closed && server.closed);
    ck_assert(server.ended);
    ck_assert_int_eq(client.reason, WEIR_CONN_LOCAL);
}
END_TEST

START_TEST(large_bodies_in_place)
{
    meet();
    met();
    server.room = malloc(BIG);
    server.room_size = BIG;
    struct weir_buffer *body = pattern(BIG);
    struct weir_slices slices = { 0 };
    for (size_t at = 0; at < BIG; at += 7500)
        ck_assert(weir_slices_add(&slices, body, body->data + at, 7500));
    weir_conn_write(client.conn, &slices);
    weir_slices_free(&slices);
    weir_conn_write_copy(client.conn, "behind", 6);
    turn_until(server.got.length == BIG + 6);
    ck_assert_mem_eq(server.got.data, body->data, BIG);
    ck_assert_mem_eq(server.got.data + BIG, "behind", 6);
    ck_assert_uint_eq(server.room_used, BIG);
    ck_assert_uint_eq(body->references, 1);
    weir_buffer_unref(body);
}
END_TEST

START_TEST(a_paused_side_takes_nothing)
{
    meet();
    met();
    server.room = malloc(1000);
    server.room_size = 1000;
    server.pause_on_data = true;
    struct weir_buffer *body = pattern(BIG * 4);
    weir_conn_write_range(client.conn, body, body->data, body->length);
    turn_until(server.reads == 1);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert_uint_eq(server.reads, 1);
    ck_assert_uint_eq(server.got.length, 1000); // the rest of the record waits
    server.pause_on_data = false;
    weir_conn_resume(server.conn);
    turn_until(server.got.length == body->length);
    ck_assert_mem_eq(server.got.data, body->data, body->length);
    weir_buffer_unref(body);
}
END_TEST

START_TEST(finish_sends_what_is_queued)
{
    meet();
    met();
    struct weir_buffer *body = pattern(BIG);
    weir_conn_write_range(client.conn, body, body->data, body->length);
    weir_conn_finish(client.conn);
    turn_until(client.closed && server.closed);
    ck_assert_uint_eq(server.got.length, BIG);
    weir_buffer_unref(body);
}
END_TEST

START_TEST(a_closed_socket_ends_the_session)
{
    meet();
    met();
    for (int i = 0; i < 5; i++)
        weir_worker_turn(weir_worker_current(), 1); // the server's tickets: unread, they would make a reset of it
    weir_conn_close(client.conn); // without close_notify
    turn_until(server.closed);
    ck_assert(server.ended);
}
END_TEST

START_TEST(an_address_can_be_the_name)
{
    meet_as("127.0.0.1");
    met();
}
END_TEST

START_TEST(the_wrong_name_is_refused)
{
    meet_as("weir.example");
    ck_assert_int_eq(client.reason, WEIR_CONN_TLS);
    ck_assert_str_eq(client.text, "TLS handshake: certificate verify failed: hostname mismatch");
    ck_assert(!client.opened);
    turn_until(server.closed);
}
END_TEST

START_TEST(the_name_can_be_overridden)
{
    client_options.server_name_override = (char[]){ "localhost" };
    meet_as("weir.example");
    met();
}
END_TEST

START_TEST(verification_can_be_switched_off)
{
    client_options.common.ca_file = file("other.pem");
    client_options.insecure_skip_verify = true;
    meet_as("weir.example");
    met();
}
END_TEST

START_TEST(the_wrong_ca_is_refused)
{
    client_options.common.ca_file = file("other.pem");
    meet();
    ck_assert(!client.opened);
    ck_assert_str_eq(client.text,
                     "TLS handshake: certificate verify failed: unable to get local issuer certificate");
}
END_TEST

START_TEST(expired_certificates_are_refused)
{
    server_options.common.cert_file = file("old.pem");
    server_options.common.key_file = file("old.key");
    meet();
    ck_assert(!client.opened);
    ck_assert_str_eq(client.text, "TLS handshake: certificate verify failed: certificate has expired");
}
END_TEST

START_TEST(clients_must_show_a_certificate)
{
    server_options.client_ca_file = file("ca.pem");
    meet();
    turn_until(server.closed);
    ck_assert(!server.opened);
    ck_assert_str_eq(server.text, "TLS handshake: peer did not return a certificate");
    turn_until(client.closed);
}
END_TEST

START_TEST(clients_with_a_certificate_are_let_in)
{
    server_options.client_ca_file = file("ca.pem");
    client_options.common.cert_file = file("client.pem");
    client_options.common.key_file = file("client.key");
    meet();
    met();
    client.echo = true;
    weir_conn_write_copy(server.conn, "x", 1);
    turn_until(server.got.length == 1);
}
END_TEST

START_TEST(clients_of_another_ca_are_refused)
{
    server_options.client_ca_file = file("other.pem");
    client_options.common.cert_file = file("client.pem");
    client_options.common.key_file = file("client.key");
    meet();
    turn_until(server.closed);
    ck_assert(!server.opened);
    ck_assert_int_eq(server.reason, WEIR_CONN_TLS);
}
END_TEST

START_TEST(versions_must_overlap)
{
    server_options.common.min_version = (char[]){ "1.3" };
    client_options.common.max_version = (char[]){ "1.2" };
    meet();
    ck_assert(!client.opened && !server.opened);
    turn_until(client.closed && server.closed);
    ck_assert_str_eq(server.text, "TLS handshake: unsupported protocol");
}
END_TEST

START_TEST(older_versions_and_ciphers_work)
{
    client_options.common.max_version = (char[]){ "1.2" };
    client_options.common.cipher_suites.items =
        (char *[]){ (char[]){ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } };
    client_options.common.cipher_suites.count = 1;
    client_options.common.curve_preferences.items = (char *[]){ (char[]){ "P384" }, (char[]){ "P256" } };
    client_options.common.curve_preferences.count = 2;
    server.echo = true;
    meet();
    met();
    weir_conn_write_copy(client.conn, "x", 1);
    turn_until(client.got.length == 1);
}
END_TEST

START_TEST(ciphers_must_overlap)
{
    client_options.common.max_version = (char[]){ "1.2" };
    client_options.common.cipher_suites.items =
        (char *[]){ (char[]){ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } };
    client_options.common.cipher_suites.count = 1;
    server_options.common.cipher_suites.items =
        (char *[]){ (char[]){ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" } };
    server_options.common.cipher_suites.count = 1;
    meet();
    turn_until(client.closed && server.closed);
    ck_assert_str_eq(server.text, "TLS handshake: no shared cipher");
}
END_TEST

START_TEST(alpn_is_the_servers_choice)
{
    static const char *const ours[] = { "h2", "http/1.1", NULL }, *const theirs[] = { "http/1.1", "h2",
                                                                                      NULL };
    server_alpn = ours;
    client_alpn = theirs;
    meet();
    met();
    ck_assert_str_eq(client.alpn, "h2");
    ck_assert_str_eq(server.alpn, "h2");
}
END_TEST

START_TEST(alpn_must_overlap)
{
    static const char *const ours[] = { "h2", NULL }, *const theirs[] = { "spdy", NULL };
    server_alpn = ours;
    client_alpn = theirs;
    meet();
    ck_assert(!client.opened && !server.opened);
}
END_TEST

START_TEST(alpn_may_be_absent)
{
    static const char *const ours[] = { "h2", NULL };
    server_alpn = ours;
    meet();
    met();
    ck_assert_str_eq(server.alpn, "");
}
END_TEST

static void server_fails(const char *start, const char *middle)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_tls_context *tls = NULL;
    ck_assert_int_eq(weir_tls_server_context(&server_options, NULL, &tls, &error), -1);
    ck_assert_msg(strncmp(weir_error_text(&error), start, strlen(start)) == 0 &&
                      strstr(weir_error_text(&error), middle),
                  "%s", weir_error_text(&error));
    weir_error_free(&error);
}

START_TEST(bad_files_are_told)
{
    struct weir_tls_server_options good = server_options;
    server_options.common.cert_file = file("none.pem");
    server_fails("failed to load TLS config: failed to load TLS cert and key: open ",
                 "none.pem: no such file or directory");
    server_options = good;
    server_options.common.key_file = file("ca.key");
    server_fails(
        "failed to load TLS config: failed to load TLS cert and key: tls: private key does not match", "ca.key");
    server_options = good;
    server_options.common.cert_file = file("san");
    server_fails(
        "failed to load TLS config: failed to load TLS cert and key: tls: failed to find any PEM data in "
        "certificate input",
        "san: ");
    server_options = good;
    server_options.client_ca_file = file("none.pem");
    server_fails("failed to load TLS config: failed to load client CA CertPool: failed to load cert ",
                 "none.pem: open ");
    server_options.client_ca_file = file("san");
    server_fails("failed to load TLS config: failed to load client CA CertPool: failed to parse cert", "");
    server_options = good;
    server_options.common.ca_file = file("none.pem");
    server_fails("failed to load TLS config: failed to load CA CertPool File: failed to load cert ",
                 "none.pem");
    server_options = good;
    server_options.common.cipher_suites.items = (char *[]){ (char[]){ "TLS_RSA_WITH_AES_128_CBC_SHA" } };
    server_options.common.cipher_suites.count = 1;
    server_fails("failed to load TLS config: invalid TLS cipher suite: \"TLS_RSA_WITH_AES_128_CBC_SHA\"", "");
    server_options.common.include_insecure_cipher_suites = true;
    start_server();
}
END_TEST

static char *read_file(const char *path)
{
    static char content[2][8192];
    static int turn;
    char *text = content[turn++ % 2];
    FILE *opened = fopen(path, "r");
    ck_assert_ptr_nonnull(opened);
    text[fread(text, 1, 8191, opened)] = '\0';
    fclose(opened);
    return text;
}

START_TEST(pem_text_works_as_files_do)
{
    server_options.common.cert_pem.text = read_file(server_options.common.cert_file);
    server_options.common.key_pem.text = read_file(server_options.common.key_file);
    server_options.common.cert_file = server_options.common.key_file = NULL;
    meet();
    met();
}
END_TEST

START_TEST(garbage_instead_of_a_handshake)
{
    start_server();
    struct weir_endpoint endpoint = { 0 };
    weir_endpoint_parse(weir_str_of(weir_listener_address(listener)), &endpoint, NULL);
    static const struct weir_conn_events plain = { .data = on_data, .closed = on_closed };
    client.opened = true; // its data are taken as they come
    struct weir_connect_options options = { .endpoint = &endpoint, .events = &plain, .user = &client };
    client.conn = weir_connect(weir_worker_current(), &options);
    weir_endpoint_free(&endpoint);
    weir_conn_write_copy(client.conn, "GET / HTTP/1.1\r\n\r\n", 18);
    turn_until(server.closed && client.closed);
    ck_assert_int_eq(server.reason, WEIR_CONN_TLS);
    ck_assert_str_eq(server.text, "TLS handshake: http request");
}
END_TEST

START_TEST(when_tls_is_wanted)
{
    struct weir_tls_client_options tls = { .insecure = false };
    ck_assert(weir_tls_client_wanted(&tls));
    tls.insecure = true;
    ck_assert(!weir_tls_client_wanted(&tls));
    tls.common.ca_file = file("ca.pem");
    ck_assert(weir_tls_client_wanted(&tls));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        bytes_go_both_ways,
        large_bodies_in_place,
        a_paused_side_takes_nothing,
        finish_sends_what_is_queued,
        a_closed_socket_ends_the_session,
        an_address_can_be_the_name,
        the_wrong_name_is_refused,
        the_name_can_be_overridden,
        verification_can_be_switched_off,
        the_wrong_ca_is_refused,
        expired_certificates_are_refused,
        clients_must_show_a_certificate,
        clients_with_a_certificate_are_let_in,
        clients_of_another_ca_are_refused,
        versions_must_overlap,
        older_versions_and_ciphers_work,
        ciphers_must_overlap,
        alpn_is_the_servers_choice,
        alpn_must_overlap,
        alpn_may_be_absent,
        bad_files_are_told,
        pem_text_works_as_files_do,
        garbage_instead_of_a_handshake,
        when_tls_is_wanted,
    };
    return run_tls_suite("tls", tests, WEIR_ARRAY_LENGTH(tests));
}

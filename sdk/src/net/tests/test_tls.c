// SPDX-License-Identifier: Apache-2.0
/*
 * TLS between two of our connections, with certificates that the openssl command makes for each run.
 */
#include <config.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/sys/host.h>
#include <weir/sys/worker.h>

#include "sdk/src/net/conn.h"
#include "tests/unit/suite.h"

#define BIG ((size_t)3000000)

struct end {
    struct weir_conn *conn;
    bool opened, closed, ended;
    enum weir_conn_reason reason;
    char text[300];
    char alpn[32];
    struct weir_text got;
    char *room;
    size_t room_size, room_used;
    size_t reads;
    bool echo, pause_on_data;
};

static char folder[32];
static struct end client, server;
static struct weir_tls_client_options client_options;
static struct weir_tls_server_options server_options;
static const char *const *client_alpn, *const *server_alpn;
static struct weir_listener *listener;
static struct weir_acceptor *acceptor;
static bool acceptor_closed;
static struct weir_tls_context *server_tls, *client_tls;
static struct weir_instance *instance;

static void on_opened(struct weir_conn *conn)
{
    struct end *end = weir_conn_user(conn);
    end->opened = true;
    snprintf(end->alpn, sizeof(end->alpn), "%s", weir_conn_alpn(conn));
    ck_assert(weir_conn_is_tls(conn));
}

static void *on_room(struct weir_conn *conn, size_t hint, size_t *length)
{
    struct end *end = weir_conn_user(conn);
    (void)hint;
    *length = end->room_size - end->room_used;
    return end->room ? end->room + end->room_used : NULL;
}

static void on_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct end *end = weir_conn_user(conn);
    ck_assert(end->opened);
    end->reads++;
    if (end->room && (const char *)bytes == end->room + end->room_used)
        end->room_used += length;
    weir_text_add(&end->got, (const char *)bytes, length);
    if (end->echo)
        weir_conn_write_copy(conn, bytes, length);
    if (end->pause_on_data)
        weir_conn_pause(conn);
}

static void on_ended(struct weir_conn *conn)
{
    struct end *end = weir_conn_user(conn);
    end->ended = true;
    weir_conn_finish(conn);
}

static void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct end *end = weir_conn_user(conn);
    end->closed = true;
    end->reason = reason;
    snprintf(end->text, sizeof(end->text), "%s", text);
    end->conn = NULL;
}

static const struct weir_conn_events events = {
    on_opened, on_room, on_data, on_ended, NULL, NULL, on_closed
};

static void on_accepted(struct weir_acceptor *from, struct weir_conn *conn)
{
    (void)from;
    server.conn = conn;
}

static void on_acceptor_closed(struct weir_acceptor *from)
{
    (void)from;
    acceptor_closed = true;
}

#define turn_until(condition)                                               \
    do {                                                                    \
        for (int turns = 0; !(condition); turns++) {                        \
            ck_assert_msg(turns < 20000, "never became true: " #condition); \
            weir_worker_turn(weir_worker_current(), 1000);                  \
        }                                                                   \
    } while (0)

/* Paths that live as long as the test. */
static char paths[8][64];
static int path_count;

static char *file(const char *name)
{
    char *path = paths[path_count++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void run(const char *script)
{
    char *command = weir_xasprintf("cd %s && { %s; } >log 2>&1", folder, script);
    ck_assert_msg(system(command) == 0, "%s: %s", command, "the openssl command failed");
    free(command);
}

/* ca.pem signs good.pem (localhost, 127.0.0.1), client.pem, old.pem (expired) and early.pem (not yet valid); other.pem,
 * another CA, signs foreign.pem. */
static void make_certificates(void)
{
    snprintf(folder, sizeof(folder), "/tmp/weir-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    run("curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';"
        "for ca in ca other; do"
        "  openssl req -x509 $curve -subj /CN=$ca -days 30 -keyout $ca.key -out $ca.pem || exit 1;"
        "done;"
        "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > san;"
        "sign() {"
        "  openssl req $curve -subj /CN=$1 -keyout $1.key -out $1.csr &&"
        "  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -set_serial $2 -days $3 -extfile san -out "
        "$1.pem;"
        "};"
        "sign good 2 30 && sign client 3 30 && sign old 4 -1 &&"
        "cp ca.pem ca0.pem && cp ca.key ca0.key && cp other.pem ca.pem && cp other.key ca.key && sign foreign 5 30;"
        "cp ca0.pem ca.pem && cp ca0.key ca.key && mkdir db && touch db/index && printf 01 > db/serial &&"
        "openssl req $curve -subj /CN=early -keyout early.key -out early.csr &&"
        "printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=db/index\\nserial=db/serial\\nnew_certs_dir=db\\n"
        "default_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' > ca.cnf &&"
        "openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in early.csr -notext -out early.pem "
        "-startdate 20480101000000Z -enddate 20490101000000Z");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_certificates(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    client = server = (struct end){ 0 };
    client_options = (struct weir_tls_client_options){ .common.ca_file = file("ca.pem") };
    server_options = (struct weir_tls_server_options){ .common.cert_file = file("good.pem"),
                                                       .common.key_file = file("good.key") };
    client_alpn = server_alpn = NULL;
    acceptor_closed = false;
}

static void start_server(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint endpoint = { 0 };
    ck_assert_msg(weir_tls_server_context(&server_options, server_alpn, &server_tls, &error) == 0, "%s",
                  weir_error_text(&error));
    weir_endpoint_parse_listen(WEIR_STR("127.0.0.1:0"), WEIR_TCP, &endpoint, NULL);
    struct weir_bind_options bind_options = { .endpoint = &endpoint };
    ck_assert_int_eq(weir_bind(&bind_options, &listener, &error), 0);
    struct weir_accept_options options = {
        .tls = server_tls, .events = &events, .accepted = on_accepted, .closed = on_acceptor_closed, .user = &server
    };
    ck_assert_int_eq(weir_listen(weir_worker_current(), listener, &options, &acceptor, &error), 0);
    weir_endpoint_free(&endpoint);
}

/* Connects with the client's context as it is now. */
static void connect_as(const char *name)
{
    struct weir_endpoint endpoint = { 0 };
    weir_endpoint_parse(weir_str_of(weir_listener_address(listener)), &endpoint, NULL);
    struct weir_connect_options options = {
        .endpoint = &endpoint, .tls = client_tls, .server_name = name, .events = &events, .user = &client
    };
    client.conn = weir_connect(weir_worker_current(), &options);
    weir_endpoint_free(&endpoint);
    turn_until((client.opened || client.closed) && (server.opened || server.closed));
}

static void make_client(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_msg(weir_tls_client_context(&client_options, client_alpn, &client_tls, &error) == 0, "%s",
                  weir_error_text(&error));
}

/* Connects to 127.0.0.1 under a name and waits for how it ends. */
static void meet_as(const char *name)
{
    start_server();
    make_client();
    connect_as(name);
}

static void meet(void)
{
    meet_as("localhost");
}

static void met(void)
{
    ck_assert_msg(client.opened, "client: %s", client.text);
    ck_assert_msg(server.opened, "server: %s", server.text);
}

static void teardown(void)
{
    if (client.conn)
        weir_conn_close(client.conn);
    if (server.conn)
        weir_conn_close(server.conn);
    if (acceptor) {
        weir_acceptor_close(acceptor);
        turn_until(acceptor_closed && !client.conn);
    }
    weir_listener_free(listener);
    weir_tls_context_close(server_tls);
    weir_tls_context_close(client_tls);
    server_tls = client_tls = NULL;
    weir_instance_free(instance);
    instance = NULL;
    weir_workers_destroy();
    weir_text_free(&client.got);
    weir_text_free(&server.got);
    free(server.room);
    listener = NULL;
    acceptor = NULL;
}

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
        "failed to load TLS config: failed to load TLS cert and key: tls: private key does not match", "");
    server_options = good;
    server_options.common.cert_file = file("san");
    server_fails(
        "failed to load TLS config: failed to load TLS cert and key: tls: failed to find any PEM data in "
        "certificate input",
        "");
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

/* --- files that change --- */

/* Names of the files that the sides use, which the tests put others' content into. */
static void live(const char *certificate)
{
    char *script = weir_xasprintf("cp %s.pem live.pem && cp %s.key live.key", certificate, certificate);
    run(script);
    free(script);
}

/* An instance whose start makes the server's context. */
static int start_instance(struct weir_instance *self, struct weir_error *error)
{
    (void)self, (void)error;
    start_server();
    return 0;
}

static const struct weir_component component = { WEIR_COMPONENT_GUARD, .type = "tested", .start = start_instance };
static const struct weir_host no_host = { .drained = NULL };

static void start_followed_server(void)
{
    server_options.common.cert_file = file("live.pem");
    server_options.common.key_file = file("live.key");
    server_options.common.reload_interval.ns = 20000000;
    instance = weir_instance_new(&component, "tested", NULL, NULL, &no_host, NULL);
    ck_assert_int_eq(weir_instance_start(instance, NULL), 0);
    weir_instance_report(instance, WEIR_STATUS_RUNNING, NULL);
}

static char *fault(void)
{
    static char text[600];
    char *reason = NULL;
    enum weir_status status = weir_instance_status(instance, &reason);
    snprintf(text, sizeof(text), "%s", status == WEIR_STATUS_RECOVERABLE_ERROR ? reason : "none");
    free(reason);
    return text;
}

/* Leaves the connections there are, as a new client comes. */
static void meet_again(void)
{
    for (struct end *end = &client; end; end = end == &client ? &server : NULL) {
        if (end->conn)
            weir_conn_close(end->conn);
        if (end->conn)
            turn_until(end->closed);
        weir_text_free(&end->got);
        *end = (struct end){ 0 };
    }
    connect_as("localhost");
}

#define turn_until_meeting(condition)                                      \
    do {                                                                   \
        meet_again();                                                      \
        for (int tries = 0; !(condition); tries++) {                       \
            ck_assert_msg(tries < 500, "never became true: " #condition); \
            weir_worker_turn(weir_worker_current(), 20);                   \
            meet_again();                                                  \
        }                                                                  \
    } while (0)

START_TEST(a_new_certificate_is_for_new_connections)
{
    struct end old_client, old_server;
    live("good");
    start_followed_server();
    make_client();
    connect_as("localhost");
    met();
    struct weir_conn *kept = client.conn, *kept_server = server.conn;
    weir_conn_set_events(kept, &events, &old_client);
    weir_conn_set_events(kept_server, &events, &old_server);
    old_client = client, old_server = server;
    client = server = (struct end){ 0 };
    live("foreign"); // of a CA that the client does not know
    turn_until_meeting(!client.opened);
    ck_assert_str_eq(client.text,
                     "TLS handshake: certificate verify failed: unable to get local issuer certificate");
    old_server.echo = true;
    weir_conn_write_copy(kept, "still there", 11);
    turn_until(old_client.got.length == 11);
    live("good");
    turn_until_meeting(client.opened);
    ck_assert_str_eq(fault(), "none");
    weir_conn_close(kept);
    weir_conn_close(kept_server);
    turn_until(old_client.closed && old_server.closed);
    weir_text_free(&old_client.got);
    weir_text_free(&old_server.got);
}
END_TEST

START_TEST(bad_files_change_nothing)
{
    live("good");
    start_followed_server();
    make_client();
    run("cp foreign.pem live.pem"); // its key comes later
    turn_until(strcmp(fault(), "none") != 0);
    char *expected = weir_xasprintf("tls: %s/live.pem: failed to load TLS cert and key: tls: private key does not match "
                                    "public key: key values mismatch", folder);
    ck_assert_str_eq(fault(), expected);
    free(expected);
    meet_again();
    met();
    run("cp foreign.key live.key");
    turn_until(strcmp(fault(), "none") == 0);
    meet_again();
    ck_assert(!client.opened);
    run("head -c 300 good.pem > live.pem"); // and stays like this
    turn_until(strcmp(fault(), "none") != 0);
    run("cat good.pem ca.pem | head -c 900 > live.pem; cp good.key live.key"); // the chain is cut
    turn_until(strstr(fault(), "live.key"));
    meet_again();
    ck_assert(!client.opened);
    live("good");
    turn_until(strcmp(fault(), "none") == 0);
    meet_again();
    met();
}
END_TEST

START_TEST(ca_files_are_followed)
{
    live("good");
    run("cp ca.pem live-ca.pem && cp ca.pem live-client-ca.pem");
    server_options.client_ca_file = file("live-client-ca.pem");
    server_options.client_ca_file_reload = true;
    client_options.common = (struct weir_tls_common){
        .ca_file = file("live-ca.pem"),
        .cert_file = file("client.pem"),
        .key_file = file("client.key"),
        .reload_interval.ns = 20000000,
    };
    start_followed_server();
    make_client();
    connect_as("localhost");
    met();
    run("cp other.pem live-client-ca.pem");
    turn_until_meeting(!server.opened);
    run("cp ca.pem live-client-ca.pem");
    turn_until_meeting(server.opened);
    met();
    run("cp other.pem live-ca.pem");
    turn_until_meeting(!client.opened);
    run("rm live-ca.pem"); // is no change
    run("cat other.pem ca.pem > live-ca.pem");
    turn_until_meeting(client.opened);
}
END_TEST

START_TEST(a_client_ca_may_be_read_once)
{
    live("good");
    run("cp ca.pem live-client-ca.pem");
    server_options.client_ca_file = file("live-client-ca.pem");
    client_options.common.cert_file = file("client.pem");
    client_options.common.key_file = file("client.key");
    start_followed_server();
    make_client();
    run("cp other.pem live-client-ca.pem");
    live("foreign");
    turn_until_meeting(!client.opened); // the client refuses the new certificate
    live("good");
    turn_until_meeting(client.opened);
    turn_until(server.opened);
}
END_TEST

static void see_certificate(const struct weir_certificate_view *view, void *argument)
{
    struct weir_text *text = argument;
    int64_t seconds = view->not_after - weir_wall_clock() / 1000000000;
    int64_t hours = (seconds + (seconds < 0 ? -1800 : 1800)) / 3600;
    const char *name = strrchr(view->file, '/');
    weir_text_addf(text, "%s %s %s %d\n", name ? name + 1 : view->file, view->side, view->use, (int)hours);
}

START_TEST(certificates_that_end_are_told)
{
    struct weir_text seen = { NULL, 0, 0 };
    run("cat old.pem ca.pem > old-chain.pem && cat old.pem other.pem ca.pem > bundle.pem");
    run("cp old-chain.pem live.pem && cp old.key live.key");
    server_options.client_ca_file = file("bundle.pem");
    start_followed_server();
    make_client();
    ck_assert_msg(strstr(fault(), "/live.pem has expired on 20"), "%s", fault());
    weir_certificates_visit(see_certificate, &seen);
    ck_assert_str_eq(weir_text_string(&seen), "ca.pem client ca 720\n"
                                              "live.pem server own -24\n"
                                              "bundle.pem server client_ca 720\n");
    weir_text_free(&seen);
    live("good");
    turn_until(strcmp(fault(), "none") == 0);
    live("early");
    turn_until(strcmp(fault(), "none") != 0);
    ck_assert_msg(strstr(fault(), "/live.pem is not valid before 20"), "%s", fault());
}
END_TEST

START_TEST(an_expired_certificate_is_told_daily)
{
    char log[64], line[600];
    weir_workers_destroy();
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL), 0);
    snprintf(log, sizeof(log), "%s/told.log", folder);
    int fd = open(log, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    weir_logging_configure(&(struct weir_logging){
        .level = WEIR_INFO, .descriptors = &fd, .descriptor_count = 1, .fields = "" });
    server_options.common.cert_file = file("old.pem");
    server_options.common.key_file = file("old.key");
    ck_assert_int_eq(weir_tls_server_context(&server_options, NULL, &server_tls, NULL), 0);
    weir_worker_advance(weir_worker_current(), INT64_C(49) * 3600 * 1000000000);
    close(fd);
    int lines = 0;
    FILE *opened = fopen(log, "r");
    while (fgets(line, sizeof(line), opened))
        lines += strstr(line, "has expired on") != NULL;
    fclose(opened);
    ck_assert_int_eq(lines, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tests = tcase_create("tls");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, make_certificates, remove_certificates);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, bytes_go_both_ways);
    tcase_add_test(tests, large_bodies_in_place);
    tcase_add_test(tests, a_paused_side_takes_nothing);
    tcase_add_test(tests, finish_sends_what_is_queued);
    tcase_add_test(tests, a_closed_socket_ends_the_session);
    tcase_add_test(tests, an_address_can_be_the_name);
    tcase_add_test(tests, the_wrong_name_is_refused);
    tcase_add_test(tests, the_name_can_be_overridden);
    tcase_add_test(tests, verification_can_be_switched_off);
    tcase_add_test(tests, the_wrong_ca_is_refused);
    tcase_add_test(tests, expired_certificates_are_refused);
    tcase_add_test(tests, clients_must_show_a_certificate);
    tcase_add_test(tests, clients_with_a_certificate_are_let_in);
    tcase_add_test(tests, clients_of_another_ca_are_refused);
    tcase_add_test(tests, versions_must_overlap);
    tcase_add_test(tests, older_versions_and_ciphers_work);
    tcase_add_test(tests, ciphers_must_overlap);
    tcase_add_test(tests, alpn_is_the_servers_choice);
    tcase_add_test(tests, alpn_must_overlap);
    tcase_add_test(tests, alpn_may_be_absent);
    tcase_add_test(tests, bad_files_are_told);
    tcase_add_test(tests, pem_text_works_as_files_do);
    tcase_add_test(tests, garbage_instead_of_a_handshake);
    tcase_add_test(tests, when_tls_is_wanted);
    tcase_add_test(tests, a_new_certificate_is_for_new_connections);
    tcase_add_test(tests, bad_files_change_nothing);
    tcase_add_test(tests, ca_files_are_followed);
    tcase_add_test(tests, a_client_ca_may_be_read_once);
    tcase_add_test(tests, certificates_that_end_are_told);
    tcase_add_test(tests, an_expired_certificate_is_told_daily);
    return run_suite(suite);
}

// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "tls_ends.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

char folder[32];
struct end client, server;
struct weir_tls_client_options client_options;
struct weir_tls_server_options server_options;
const char *const *client_alpn, *const *server_alpn;
struct weir_listener *listener;
static struct weir_acceptor *acceptor;
static bool acceptor_closed;
struct weir_tls_context *server_tls, *client_tls;
struct weir_instance *instance;

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

void on_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
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

void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct end *end = weir_conn_user(conn);
    end->closed = true;
    end->reason = reason;
    snprintf(end->text, sizeof(end->text), "%s", text);
    end->conn = NULL;
}

const struct weir_conn_events events = {
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


/* Paths that live as long as the test. */
static char paths[8][64];
static int path_count;

char *file(const char *name)
{
    char *path = paths[path_count++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void run(const char *script)
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

void start_server(void)
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

void connect_as(const char *name)
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

void make_client(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_msg(weir_tls_client_context(&client_options, client_alpn, &client_tls, &error) == 0, "%s",
                  weir_error_text(&error));
}

void meet_as(const char *name)
{
    start_server();
    make_client();
    connect_as(name);
}

void meet(void)
{
    meet_as("localhost");
}

void met(void)
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

int run_tls_suite(const char *name, const TTest *const tests[], size_t count)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create(name);
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_unchecked_fixture(all, make_certificates, remove_certificates);
    tcase_add_checked_fixture(all, setup, teardown);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(all, tests[i]);
    return run_suite(suite);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates, keys and CAs whose files change while connections come and go.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tls_ends.h"

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
                                    "public key: key values mismatch of %s/live.key and %s/live.pem",
                                    folder, folder, folder);
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
    meet_again();
    ck_assert(!client.opened);
    live("good");
    turn_until(strcmp(fault(), "none") == 0);
    meet_again();
    met();
    live("foreign");
    turn_until_meeting(!client.opened);
    run("cat good.pem ca.pem | head -c 900 > live.pem; cp good.key live.key"); // the chain is cut
    turn_until(strcmp(fault(), "none") != 0);
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
    turn_until(strstr(fault(), "/live.pem is not valid before 20"));
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
    const TTest *const tests[] = {
        a_new_certificate_is_for_new_connections,
        bad_files_change_nothing,
        ca_files_are_followed,
        a_client_ca_may_be_read_once,
        certificates_that_end_are_told,
        an_expired_certificate_is_told_daily,
    };
    return run_tls_suite("tls files", tests, WEIR_ARRAY_LENGTH(tests));
}

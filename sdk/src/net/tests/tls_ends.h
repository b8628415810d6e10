// SPDX-License-Identifier: Apache-2.0
/* Two of our connections that meet over TLS, with certificates that the openssl command makes for each run: what the
 * tests of TLS share. */
#ifndef WEIR_NET_TESTS_TLS_ENDS_H
#define WEIR_NET_TESTS_TLS_ENDS_H

#include <stdlib.h>
#include <string.h>

#include <weir/sys/host.h>
#include <weir/sys/worker.h>

#include "sdk/src/net/conn.h"
#include "tests/unit/suite.h"

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

extern char folder[32];
extern struct end client, server;
extern struct weir_tls_client_options client_options;
extern struct weir_tls_server_options server_options;
extern const char *const *client_alpn, *const *server_alpn;
extern struct weir_tls_context *server_tls, *client_tls;
extern struct weir_listener *listener;
extern const struct weir_conn_events events;
/* The instance that made the server, if the test made one: it goes with the test. */
extern struct weir_instance *instance;

#define turn_until(condition)                                               \
    do {                                                                    \
        for (int turns = 0; !(condition); turns++) {                        \
            ck_assert_msg(turns < 20000, "never became true: " #condition); \
            weir_worker_turn(weir_worker_current(), 1000);                  \
        }                                                                   \
    } while (0)

/* What an end does with events; a test may have others around them. */
void on_data(struct weir_conn *conn, const uint8_t *bytes, size_t length);

void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text);

/* The path of a file of the folder, that lives as long as the test. */
char *file(const char *name);

/* Runs a shell script in the folder. */
void run(const char *script);

void start_server(void);

void make_client(void);

/* Connects with the client's context as it is now. */
void connect_as(const char *name);

/* Connects to 127.0.0.1 under a name and waits for how it ends. */
void meet_as(const char *name);

void meet(void);

/* Both sides are open. */
void met(void);

/* Runs the suite of one test case that has the certificates and the two ends. */
int run_tls_suite(const char *name, const TTest *const tests[], size_t count);

#endif

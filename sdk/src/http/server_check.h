// SPDX-License-Identifier: Apache-2.0
/*
 * What the option tables of HTTP and gRPC servers share. Private to libweir.
 */
#ifndef WEIR_SERVER_CHECK_H
#define WEIR_SERVER_CHECK_H

#include <weir/option.h>

/* `dialer:` stands among upstream's address keys; its one key has no effect on a server. */
extern const struct weir_option_table server_dialer_table;

/* Reports a transport that no server can listen on. */
void server_check_transport(const char *transport, struct weir_checker *checker);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of the Kubernetes client: where the server is, and what its answers say.
 */
#ifndef WEIR_SDK_KUBE_H
#define WEIR_SDK_KUBE_H

#include <weir/arena.h>
#include <weir/http_client.h>
#include <weir/kube.h>
#include <weir/watch.h>

struct weir_kube {
    struct weir_instance *instance;
    char *base; /* "https://10.0.0.1:443" */
    char *ca_file;
    struct weir_http_client_options options;
    struct weir_http_transport *transport;
    struct weir_followed *token; /* a text "Bearer ..."; NULL: nobody asks for one */
};

/* --- parse.c: views point into the JSON or into the arena --- */

/* A page of a list. */
struct kube_page {
    struct weir_str version;  /* of the collection */
    struct weir_str more;     /* what to ask the next page with; empty: this is the last */
};

/* Reads a page, and then calls `item` for each object in it. 0, or -1 with `error` set and no call made. */
int kube_read_page(struct weir_str json, struct weir_arena *arena, struct kube_page *page,
                   void (*item)(void *user, const struct weir_kube_object *object), void *user, struct weir_error *error);

enum kube_change {
    KUBE_PUT,      /* ADDED, MODIFIED */
    KUBE_GONE,     /* DELETED */
    KUBE_BOOKMARK, /* only the version has changed */
    KUBE_ERROR,
};

/* A line of a watch. */
struct kube_event {
    enum kube_change change;
    struct weir_kube_object object; /* KUBE_PUT, KUBE_GONE */
    struct weir_str version;        /* of the collection from now on */
    int64_t code;                   /* KUBE_ERROR: an HTTP status; 0: not said */
    struct weir_str message;        /* KUBE_ERROR */
};

/* Reads a line of a watch. 0, or -1 with `error` set. */
int kube_read_event(struct weir_str json, struct weir_arena *arena, struct kube_event *event, struct weir_error *error);

/* The message in the body of an answer that is an error; empty when the body has none. */
struct weir_str kube_read_message(struct weir_str json, struct weir_arena *arena);

#endif

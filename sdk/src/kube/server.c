// SPDX-License-Identifier: Apache-2.0
/*
 * Where the API server is and who we are to it: what Kubernetes gives every pod (Kubernetes documentation, "Accessing the
 * Kubernetes API from a Pod").
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/kube/kube.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"
#define NAMESPACE_MAX 4096
#define SECOND INT64_C(1000000000)

static void *parse_token(void *user, struct weir_str content, struct weir_error *error)
{
    struct weir_str token = weir_str_trim(content);
    (void)user;
    if (token.length == 0) {
        weir_error_set(error, "the file is empty");
        return NULL;
    }
    for (size_t i = 0; i < token.length; i++) {
        if (token.data[i] <= ' ' || token.data[i] == 0x7f) {
            weir_error_set(error, "not a token");
            return NULL;
        }
    }
    return weir_xasprintf("Bearer %.*s", WEIR_STR_ARG(token));
}

static int find_server(struct weir_kube *kube, struct weir_error *error)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    if (!host || !*host || !port || !*port)
        return weir_error_set(error, "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
                                     "KUBERNETES_SERVICE_PORT must be defined");
    bool bare = strchr(host, ':') && host[0] != '[';
    kube->base = weir_xasprintf(bare ? "https://[%s]:%s" : "https://%s:%s", host, port);
    return 0;
}

static int open_server(struct weir_kube *kube, struct weir_error *error)
{
    struct weir_followed_options token = { .path = ACCOUNT "token", .instance = kube->instance, .parse = parse_token,
                                           .release = free };
    if (find_server(kube, error) < 0)
        return -1;
    kube->token = weir_followed_new(&token, error);
    if (!kube->token)
        return -1;
    kube->options = (struct weir_http_client_options){
        .tls.common.ca_file = kube->ca_file,
        .idle_conn_timeout.ns = 90 * SECOND,
        .force_attempt_http2 = true,
        .http2_read_idle_timeout.ns = 30 * SECOND,
        .http2_ping_timeout.ns = 15 * SECOND,
    };
    kube->transport = weir_http_transport_new(&kube->options, true, kube->instance, error);
    return kube->transport ? 0 : -1;
}

struct weir_kube *weir_kube_new(struct weir_instance *instance, struct weir_error *error)
{
    struct weir_kube *kube = weir_xcalloc(1, sizeof(*kube));
    kube->instance = instance;
    kube->ca_file = weir_xstrdup(ACCOUNT "ca.crt");
    if (open_server(kube, error) == 0)
        return kube;
    weir_error_prefix(error, "Kubernetes API");
    weir_kube_free(kube);
    return NULL;
}

void weir_kube_free(struct weir_kube *kube)
{
    if (!kube)
        return;
    weir_http_transport_free(kube->transport);
    weir_followed_free(kube->token);
    free(kube->ca_file);
    free(kube->base);
    free(kube);
}

char *weir_kube_namespace(struct weir_error *error)
{
    struct weir_text content = { .data = NULL };
    if (weir_file_read(ACCOUNT "namespace", NAMESPACE_MAX, &content, error) < 0)
        return NULL;
    char *name = weir_str_dup(weir_str_trim(weir_text_view(&content)));
    weir_text_free(&content);
    if (*name)
        return name;
    free(name);
    weir_error_set(error, ACCOUNT "namespace: the file is empty");
    return NULL;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The API server of the Kubernetes cluster that the collector runs in: collections of objects, listed and then watched
 * (Kubernetes API Concepts, "Efficient detection of changes").
 */
#ifndef WEIR_KUBE_H
#define WEIR_KUBE_H

#include <weir/component.h>

WEIR_BEGIN

/* The way to the API server, with the credentials of the pod's service account. */
struct weir_kube;

/*
 * Finds the API server as every client inside a cluster does: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT of the
 * environment, `token` and `ca.crt` in /var/run/secrets/kubernetes.io/serviceaccount, both followed. NULL with `error` set:
 * this is no pod. In start; main thread.
 */
WEIR_EXPORT struct weir_kube *weir_kube_new(struct weir_instance *instance, struct weir_error *error) WEIR_MUST_USE;
/* After the last watch is freed, in stop; accepts NULL. Main thread. */
WEIR_EXPORT void weir_kube_free(struct weir_kube *kube);

/* The namespace of the collector's own pod, which the caller frees; NULL with `error` set: nothing says it. Blocks: in start.
 * Main thread. */
WEIR_EXPORT char *weir_kube_namespace(struct weir_error *error) WEIR_MUST_USE;

/* An object of a collection; valid during the call. */
struct weir_kube_object {
    struct weir_str name_space; /* empty: it belongs to the cluster */
    struct weir_str name;
    struct weir_str json; /* the whole object: well-formed JSON, of which only metadata was looked at */
};

/* What is watched, and who is told of it: the functions are called on the worker, with `user`, and must not free the watch. */
struct weir_kube_watch_options {
    const char *path;   /* of the collection: "/api/v1/pods", "/apis/apps/v1/namespaces/x/replicasets" */
    const char *labels; /* a label selector ("app=x,tier!=y"); NULL: all */
    const char *fields; /* a field selector; NULL: all */
    int64_t timeout;    /* after which the server is to end a watch, which then begins again, in nanoseconds; 0: 5 min */
    /* A list begins, the first or another one: what `object` does not tell before `listed` is gone then. A list that fails
     * begins again with `listing`. */
    void (*listing)(void *user);
    void (*listed)(void *user);
    /* An object that is there, new or changed or told once more. */
    void (*object)(void *user, const struct weir_kube_object *object);
    /* An object that was removed, in its last state. */
    void (*gone)(void *user, const struct weir_kube_object *object);
    void *user;
};

/* One collection that is followed. */
struct weir_kube_watch;

/*
 * Lists the collection (in pages of 500) and then follows its changes, for ever: a watch that ends is taken up where it was,
 * one whose past the server has forgotten (410) begins with a list, and what fails is tried again after 1 s to 30 s. While it
 * fails the instance shows a fault, and what was told last stays so. Copies `options`. An object larger than 8 MiB, or a
 * page of a list larger than 64 MiB, is a failure. The worker's thread, in worker_start or later. Never NULL.
 */
WEIR_EXPORT struct weir_kube_watch *weir_kube_watch_new(struct weir_kube *kube, struct weir_worker *worker,
                                                        const struct weir_kube_watch_options *options) WEIR_MUST_USE;
/* None of its functions is called any more. Accepts NULL. The same thread, in worker_stop at the latest. */
WEIR_EXPORT void weir_kube_watch_free(struct weir_kube_watch *watch);

WEIR_END

#endif

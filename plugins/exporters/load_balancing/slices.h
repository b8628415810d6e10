// SPDX-License-Identifier: Apache-2.0
/*
 * The EndpointSlices of a service, as far as they tell where its pods are (discovery.k8s.io/v1).
 */
#ifndef LOAD_BALANCING_SLICES_H
#define LOAD_BALANCING_SLICES_H

#include <weir/error.h>

struct slice {
    struct slice *next;
    char *name;
    char **hosts; /* addresses, or hostnames */
    size_t count;
    bool listed; /* by the list that is being read */
};

/* Zero-initialise. */
struct slices {
    struct slice *first;
};

/* Takes an EndpointSlice in place of what was known under its name: of the endpoints that are not said to be unready the
 * addresses or, with `hostnames`, the hostnames. 0, or -1 with `error` set: then what was known stays. */
int slices_put(struct slices *slices, struct weir_str name, struct weir_str json, bool hostnames, struct weir_error *error);
void slices_remove(struct slices *slices, struct weir_str name);
/* A list begins, and ends: what was not put in between is no more. */
void slices_begin(struct slices *slices);
void slices_end(struct slices *slices);
void slices_free(struct slices *slices);

#endif

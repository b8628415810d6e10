// SPDX-License-Identifier: Apache-2.0
/*
 * What storage extensions offer to components with a `storage` key: a place on disk, and how to treat it.
 */
#ifndef WEIR_STORAGE_H
#define WEIR_STORAGE_H

#include <weir/component.h>

WEIR_BEGIN

/* The interface for weir_instance_extension; the noun for its errors is "storage extension". */
#define WEIR_STORAGE "weir.storage"

/* Constant while the extension lives. */
struct weir_storage_place {
    const char *directory; /* under which each client has a directory of its own */
    unsigned directory_mode;
    bool create; /* make `directory` and its parents */
    bool sync;   /* all that is written is to be synced at once */
    uint64_t max_bytes; /* for each client; 0: no limit */
    int64_t lock_timeout; /* nanoseconds */
};

struct weir_storage {
    uint32_t struct_size;
    /* Where clients keep their things. From the extension's start on; main thread. */
    const struct weir_storage_place *(*place)(struct weir_instance *extension);
};

/* The client's directory, to be freed by the caller: `<kind>_<type>_<name>[_<suffix>]` below the place's, as upstream
 * names its files: what is not A-Za-z0-9._- in a component's id is written ~XXXX (contrib, file_storage), a name that
 * gets too long as its SHA-256. NULL with `error` set when that cannot be made. Any thread. */
WEIR_EXPORT char *weir_storage_path(const struct weir_storage_place *place, const struct weir_instance *client,
                                    const char *suffix, struct weir_error *error) WEIR_MUST_USE;

WEIR_END

#endif

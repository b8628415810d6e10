// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that was needed once, in a burst or an outage, and is not any more goes back to the system. The allocator gives
 * back only what lies at the end of its heap; one small piece there that lives keeps all that is free below it.
 */
#ifndef WEIR_CORE_SPARE_H
#define WEIR_CORE_SPARE_H

#include <stdbool.h>
#include <stddef.h>

/* What is resident beyond what is in use, over some time. */
struct spare {
    size_t lowest; /* of this stretch */
    size_t kept;   /* what the last time to give back left over */
    unsigned looks;
};

/* Takes down a look; true: as much as is worth it was spare throughout a stretch of looks. */
bool spare_look(struct spare *spare, size_t bytes);

/* What is spare after memory was given back. */
void spare_returned(struct spare *spare, size_t bytes);

/* Looks every few seconds from now on, as long as worker 0 runs; main thread. */
void spare_start(void);
void spare_stop(void);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Where a server receives requests before it knows what they are. A request that comes in one piece makes up most of
 * it, and its body then stays where it is: the memory goes with the request, and the next one gets a new inbox.
 * Private to sdk/src/http.
 */
#ifndef WEIR_HTTP_INBOX_H
#define WEIR_HTTP_INBOX_H

#include <weir/buffer.h>

/* Zero-initialise to start; inbox_free to end. One worker. */
struct inbox {
    struct weir_buffer *buffer; /* NULL: the next room makes one */
    bool taken;                 /* a body has it; others only read on */
    size_t size;                /* of the next buffer; 0: nothing is known yet */
    size_t largest;             /* that requests of late asked for */
    unsigned seen;              /* their number */
};

/* Where to receive; sets *length. NULL when memory is out. Valid until inbox_settle. */
uint8_t *inbox_room(struct inbox *inbox, size_t *length);
/* The buffer, cut down to these bytes, as a reference of the caller's; NULL: they are not in it, or too few to be worth
 * its memory, and have to be copied. */
struct weir_buffer *inbox_take(struct inbox *inbox, const uint8_t *bytes, size_t length) WEIR_MUST_USE;
/* What was received last has been dealt with. */
void inbox_settle(struct inbox *inbox);
/* A request of this size, head and body, comes: the next inboxes are to hold one like it. */
void inbox_saw(struct inbox *inbox, uint64_t size);
void inbox_free(struct inbox *inbox);

#endif

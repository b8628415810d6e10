// SPDX-License-Identifier: Apache-2.0
/*
 * What only libweir itself does with buffers.
 */
#ifndef WEIR_BASE_BUFFER_H
#define WEIR_BASE_BUFFER_H

#include <weir/buffer.h>

/* Makes `length` bytes at `data`, inside of the buffer, all that it holds: nothing is moved. Writer only, of a buffer
 * that weir_buffer_new made with at most WEIR_BUFFER_WHOLE bytes and that never grew. */
#define WEIR_BUFFER_WHOLE ((size_t)256 << 10)
void buffer_narrow(struct weir_buffer *buffer, const uint8_t *data, size_t length);

#endif

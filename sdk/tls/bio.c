// SPDX-License-Identifier: Apache-2.0
/*
 * OpenSSL's view of a connection: it reads from the bytes that have come in, where they are, and writes
 * behind those that shall go out. So nothing is copied on the way that a memory BIO would copy.
 */
#include <config.h>

#include <pthread.h>
#include <string.h>

#include "sdk/tls/internal.h"

static int bio_read(BIO *bio, char *out, int size)
{
    struct weir_tls_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!io || io->in_length == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t length = size < 0 ? 0 : (size_t)size;
    if (length > io->in_length)
        length = io->in_length;
    memcpy(out, io->in, length);
    io->in += length;
    io->in_length -= length;
    return (int)length;
}

static int bio_write(BIO *bio, const char *data, int length)
{
    struct weir_tls_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!io || length < 0 || !weir_tls_host.buffer_append(io->out, data, (size_t)length))
        return -1;
    return length;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir");
    if (!method)
        return;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    BIO_meth_set_create(method, bio_create);
}

__attribute__((destructor)) static void free_method(void)
{
    BIO_meth_free(method);
}

BIO *weir_tls_bio_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    return method ? BIO_new(method) : NULL;
}

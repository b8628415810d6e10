// SPDX-License-Identifier: Apache-2.0
/* State of the codecs that is dear to make: each thread keeps its own until it ends. */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>

#include "sdk/src/compress/codec.h"

struct kept {
    void *objects[SCRATCH_COUNT];
    void (*release[SCRATCH_COUNT])(void *object);
};

static pthread_once_t making = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local struct kept *own;

static void release_all(void *argument)
{
    struct kept *kept = argument;
    for (int i = 0; i < SCRATCH_COUNT; i++)
        if (kept->objects[i])
            kept->release[i](kept->objects[i]);
    free(kept);
    own = NULL;
}

static void make_key(void)
{
    if (pthread_key_create(&key, release_all) != 0)
        abort();
}

/* The main thread ends with the process, without running the key's destructor. */
__attribute__((destructor)) static void release_at_exit(void)
{
    if (own)
        release_all(own);
}

static struct kept *kept_here(void)
{
    if (own)
        return own;
    pthread_once(&making, make_key);
    own = calloc(1, sizeof *own);
    if (own)
        pthread_setspecific(key, own);
    return own;
}

void *scratch_object(enum scratch which, void *(*make)(void), void (*release)(void *object))
{
    struct kept *kept = kept_here();
    if (!kept)
        return NULL;
    if (!kept->objects[which]) {
        kept->objects[which] = make();
        kept->release[which] = release;
    }
    return kept->objects[which];
}

void *scratch_memory(enum scratch which, size_t size)
{
    struct kept *kept = kept_here();
    if (!kept)
        return NULL;
    if (!kept->objects[which]) {
        kept->objects[which] = malloc(size);
        kept->release[which] = free;
    }
    return kept->objects[which];
}

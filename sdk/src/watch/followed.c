// SPDX-License-Identifier: Apache-2.0
/*
 * Values made of followed files: each worker has a pointer of its own to the newest one, changed by a task, so that
 * readers need no lock and a value is freed when the last worker has let go of it.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/sys/worker.h>
#include <weir/watch.h>

#define FILE_MAX ((size_t)1 << 20)

struct value {
    uint32_t references; /* atomic: one for each worker */
    void *made;
};

struct weir_followed {
    uint32_t references; /* atomic: the owner's and one for each task under way */
    struct weir_followed_options options;
    char *path;
    struct weir_watch *watch;
    struct value *values[]; /* by worker */
};

struct handing {
    struct weir_task task;
    struct weir_followed *followed;
    struct value *value;
    unsigned worker;
};

static void let_go(const struct weir_followed *followed, struct value *value)
{
    if (!value || __atomic_sub_fetch(&value->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    followed->options.release(value->made);
    free(value);
}

static void unref(struct weir_followed *followed)
{
    if (__atomic_sub_fetch(&followed->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (unsigned i = 0; i < weir_worker_count(); i++)
        let_go(followed, followed->values[i]);
    free(followed->path);
    free(followed);
}

static void take(struct weir_followed *followed, unsigned worker, struct value *value)
{
    struct value *old = followed->values[worker];
    followed->values[worker] = value;
    let_go(followed, old);
}

static void take_handed(struct weir_task *task)
{
    struct handing *handing = WEIR_CONTAINER_OF(task, struct handing, task);
    take(handing->followed, handing->worker, handing->value);
    unref(handing->followed);
    free(handing);
}

/* Gives every worker the value; those of other threads get it soon. */
static void hand_out(struct weir_followed *followed, struct value *value)
{
    unsigned own = weir_worker_index(weir_worker_current());
    for (unsigned i = 0; i < weir_worker_count(); i++) {
        if (i == own)
            continue;
        struct handing *handing = weir_xcalloc(1, sizeof(*handing));
        *handing = (struct handing){ .task.run = take_handed, .followed = followed, .value = value, .worker = i };
        __atomic_add_fetch(&followed->references, 1, __ATOMIC_RELAXED);
        weir_worker_post(weir_worker_at(i), &handing->task);
    }
    take(followed, own, value);
}

static struct value *make(const struct weir_followed *followed, struct weir_str content, struct weir_error *error)
{
    void *made = followed->options.parse(followed->options.user, content, error);
    if (!made)
        return NULL;
    struct value *value = weir_xcalloc(1, sizeof(*value));
    value->made = made;
    value->references = weir_worker_count();
    return value;
}

static void changed(void *user, struct weir_str content)
{
    struct weir_followed *followed = user;
    struct weir_instance *instance = followed->options.instance;
    struct weir_error error = WEIR_ERROR_INIT;
    struct value *value = content.length <= FILE_MAX ? make(followed, content, &error) : NULL;
    if (value) {
        hand_out(followed, value);
        weir_instance_fault(instance, followed, NULL);
        weir_log(weir_instance_logger(instance), WEIR_INFO, "File has changed and is used",
                 WEIR_F_TEXT("file", followed->path));
    } else {
        const char *why = content.length <= FILE_MAX ? weir_error_text(&error) : "larger than 1 MiB";
        char *reason = weir_xasprintf("%s: %s; what it held before stays in use", followed->path, why);
        weir_instance_fault(instance, followed, reason);
        weir_log(weir_instance_logger(instance), WEIR_WARN, "File has changed but cannot be used",
                 WEIR_F_TEXT("file", followed->path), WEIR_F_TEXT("error", why));
        free(reason);
    }
    weir_error_free(&error);
}

static int read_first(struct weir_followed *followed, struct weir_error *error)
{
    struct weir_text content = { .data = NULL };
    if (weir_file_read(followed->path, FILE_MAX, &content, error) != 0)
        return -1;
    struct value *value = make(followed, weir_text_view(&content), error);
    weir_text_free(&content);
    if (!value)
        return weir_error_prefix(error, "%s", followed->path);
    // No worker reads before it has started.
    for (unsigned i = 0; i < weir_worker_count(); i++)
        followed->values[i] = value;
    return 0;
}

struct weir_followed *weir_followed_new(const struct weir_followed_options *options, struct weir_error *error)
{
    struct weir_followed *followed =
        weir_xcalloc(1, sizeof(*followed) + weir_worker_count() * sizeof(struct value *));
    followed->references = 1;
    followed->options = *options;
    followed->path = weir_xstrdup(options->path);
    followed->options.path = followed->path;
    followed->watch = weir_watch_new(followed->path, 0, changed, followed);
    if (read_first(followed, error) != 0) {
        weir_followed_free(followed);
        return NULL;
    }
    return followed;
}

const void *weir_followed_value(const struct weir_followed *followed)
{
    return followed->values[weir_worker_index(weir_worker_current())]->made;
}

void weir_followed_free(struct weir_followed *followed)
{
    if (!followed)
        return;
    weir_watch_free(followed->watch);
    weir_instance_fault(followed->options.instance, followed, NULL);
    unref(followed);
}

// SPDX-License-Identifier: Apache-2.0
/* The syslog_udp exporter: each log record as a message of RFC 5424 in a datagram (RFC 5426). */
#include <config.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/component.h>
#include <weir/net.h>

struct syslog_config {
    char *endpoint;
    int facility;
};

static const struct weir_option_value facilities[] = {
    { "user", 1 }, { "daemon", 3 }, { "local0", 16 }, { "local7", 23 }, { NULL, 0 },
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct syslog_config, endpoint, "endpoint", .required = true,
                .doc = "Host and port of the syslog server."),
    WEIR_OPTION(struct syslog_config, facility, "facility", .preset = "user", .values = facilities,
                .doc = "Facility of all messages."),
    WEIR_OPTION_END,
};

/* Runs for `weir validate`, too: looks at the text and opens nothing. */
static void check(const void *group, struct weir_checker *checker)
{
    const struct syslog_config *config = group;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_str host, port;
    if (weir_host_port_split(weir_str_of(config->endpoint), &host, &port, &error) != 0)
        weir_check_fail(checker, "endpoint", "%s", weir_error_text(&error));
    weir_error_free(&error);
}

static const struct weir_option_table table = { options, sizeof(struct syslog_config), check };

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

/* The address is the instance's data, which all shards read. */
static int start(struct weir_instance *instance, struct weir_error *error)
{
    const struct syslog_config *config = weir_instance_config(instance);
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *address = NULL;
    struct weir_str host, port;
    if (weir_host_port_split(weir_str_of(config->endpoint), &host, &port, error) != 0)
        return -1;
    char *name = weir_str_dup(host), *service = weir_str_dup(port);
    int failed = getaddrinfo(name, service, &hints, &address);
    free(name);
    free(service);
    weir_instance_set_data(instance, address);
    return failed ? weir_error_set(error, "%s: %s", config->endpoint, gai_strerror(failed)) : 0;
}

/* A socket for each worker. The shard's data is NULL until there is one: worker_stop may find none. */
static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    const struct addrinfo *address = weir_instance_data(weir_shard_instance(shard));
    int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        int *own = weir_xmalloc(sizeof *own);
        *own = fd;
        weir_shard_set_data(shard, own);
        return 0;
    }
    weir_error_errno(error, errno, "socket");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Severity numbers of OTLP (1 to 24, 0: none) as those of syslog: 7 (debug) to 0 (emergency). */
static int severity(int32_t number)
{
    static const int least[] = { 21, 19, 18, 17, 13, 10, 9 };
    int syslog = 0;
    while (syslog < 7 && number < least[syslog])
        syslog++;
    return number == 0 ? 6 : syslog;
}

static void add_time(uint64_t nanoseconds, struct weir_text *text)
{
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    struct tm parts;
    char date[32];
    if (nanoseconds == 0 || !gmtime_r(&seconds, &parts))
        weir_text_adds(text, "-");
    else if (strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) > 0)
        weir_text_addf(text, "%s.%06uZ", date, (unsigned)(nanoseconds % 1000000000 / 1000));
}

/* A header field is printable ASCII without spaces, at most 48 characters; "-" where there is none. */
static void add_name(const struct weir_value *value, struct weir_text *text)
{
    struct weir_str name = value && value->type == WEIR_VALUE_STRING ? value->string : WEIR_STR_NONE;
    size_t length = name.length < 48 ? name.length : 48;
    for (size_t i = 0; i < length; i++)
        weir_text_addc(text, name.data[i] > ' ' && name.data[i] < 0x7f ? name.data[i] : '_');
    if (length == 0)
        weir_text_adds(text, "-");
}

/* <priority>1 time host application process message-id data text. The receiver knows who we are. */
static void format(const struct syslog_config *config, const struct weir_resource *resource,
                   const struct weir_log_record *record, struct weir_text *text)
{
    weir_text_clear(text);
    weir_text_addf(text, "<%d>1 ", config->facility * 8 + severity(record->severity_number));
    add_time(record->time_unix_nano, text);
    weir_text_addc(text, ' ');
    add_name(weir_attributes_get(&resource->attributes, WEIR_STR("host.name")), text);
    weir_text_addc(text, ' ');
    add_name(weir_attributes_get(&resource->attributes, WEIR_STR("service.name")), text);
    weir_text_adds(text, " - - - ");
    weir_value_print(&record->body, text);
}

/* 0, or the errno of the first message that could not be sent. */
static int send_scope(const struct syslog_config *config, int fd, struct weir_group *group,
                      struct weir_scope_group *scope, struct weir_text *text)
{
    const struct weir_resource *resource = weir_group_resource(group);
    for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
        const struct weir_log_record *record = weir_entry_log_record(entry);
        if (!resource || !record)
            return ENOMEM;
        format(config, resource, record, text);
        if (send(fd, text->data, text->length, MSG_NOSIGNAL) < 0)
            return errno;
    }
    return 0;
}

/* Not WEIR_HOLDS: when consume answers, the kernel has everything. A batch that is refused comes again, if somebody
 * before us keeps it, with its first messages, too: syslog knows no acknowledgement. */
static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_instance *instance = weir_shard_instance(shard);
    struct weir_text text = { 0 };
    int failed = 0;
    for (struct weir_group *group = weir_batch_first_group(batch); group && !failed; group = weir_group_next(group)) {
        struct weir_scope_group *scope = weir_group_first_scope(group);
        for (; scope && !failed; scope = weir_scope_group_next(scope))
            failed = send_scope(weir_instance_config(instance), *(int *)weir_shard_data(shard), group, scope, &text);
    }
    if (failed)
        weir_log(weir_instance_logger(instance), WEIR_WARN, "Not sent", WEIR_F_TEXT("error", strerror(failed)));
    weir_text_free(&text);
    weir_batch_unref(batch);
    /* What is too long for a datagram stays too long. */
    struct weir_result result = failed == 0          ? WEIR_RESULT_OK
                                : failed == EMSGSIZE ? WEIR_RESULT_PERMANENT("message too long")
                                                     : WEIR_RESULT_RETRYABLE("syslog server not reached");
    weir_ack_complete(ack, &result);
}

static void worker_stop(struct weir_shard *shard)
{
    int *fd = weir_shard_data(shard);
    if (fd)
        close(*fd);
    free(fd);
    weir_shard_set_data(shard, NULL);
}

static void stop(struct weir_instance *instance)
{
    struct addrinfo *address = weir_instance_data(instance);
    if (address)
        freeaddrinfo(address);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "syslog_udp",
    .version = PACKAGE_VERSION,
    .summary = "Sends log records to a syslog server in datagrams.",
    .stability = { [WEIR_LOGS] = WEIR_ALPHA },
    .options = &table,
    .create = create,
    .start = start,
    .worker_start = worker_start,
    .consume = consume,
    .worker_stop = worker_stop,
    .stop = stop,
};

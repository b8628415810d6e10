// SPDX-License-Identifier: Apache-2.0
/* A host with one extension, "door": lets in whoever has "authorization: sesame" and sends that. */
#ifndef WEIR_TESTS_AUTHENTICATOR_H
#define WEIR_TESTS_AUTHENTICATOR_H

#include <weir/auth.h>
#include <weir/sys/host.h>

static bool door_needs_tls;
static bool door_is_locked; /* gives no credentials */
static struct weir_auth_client door_client;

static bool door_check(struct weir_instance *extension, const struct weir_auth_request *request,
                       struct weir_auth_verdict *verdict)
{
    struct weir_str word = WEIR_STR_NONE;
    (void)extension;
    if (!weir_auth_request_header(request, "authorization", &word, verdict))
        return false;
    verdict->message = "wrong word";
    weir_auth_verdict_add(verdict, WEIR_STR("username"), WEIR_STR("ali"));
    return weir_str_is(word, "sesame");
}

static int door_headers(struct weir_instance *extension, const struct weir_context *context,
                        struct weir_auth_headers *headers, struct weir_error *error)
{
    size_t count = 0;
    const struct weir_metadata *attributes = weir_context_attributes(context, &count);
    (void)extension;
    if (door_is_locked)
        return weir_error_set(error, "the door is locked");
    weir_auth_header_set(headers, WEIR_STR("Authorization"), WEIR_STR("sesame"));
    if (count > 0)
        weir_auth_header_set(headers, WEIR_STR("x-user"), attributes[0].value);
    return 0;
}

static const void *door_offer(struct weir_instance *instance, const char *interface)
{
    static const struct weir_auth_server server = { sizeof(struct weir_auth_server), door_check };
    (void)instance;
    door_client = (struct weir_auth_client){ sizeof(struct weir_auth_client), door_needs_tls, door_headers };
    if (strcmp(interface, WEIR_AUTH_SERVER) == 0)
        return &server;
    return strcmp(interface, WEIR_AUTH_CLIENT) == 0 ? &door_client : NULL;
}

static const struct weir_component door_component = {
    WEIR_COMPONENT_GUARD, .kind = WEIR_EXTENSION, .type = "door", .offer = door_offer
};
static const struct weir_component door_user_component = {
    WEIR_COMPONENT_GUARD, .kind = WEIR_RECEIVER, .type = "user"
};

static struct weir_instance *door_instance, *door_user;

static struct weir_instance *door_find(struct weir_instance *user, const char *id)
{
    (void)user;
    return strcmp(id, "door") == 0 ? door_instance : NULL;
}

static const struct weir_host door_host = { .extension = door_find };

/* Makes both, once there are workers; door_user is who asks. */
static inline void door_make(void)
{
    door_needs_tls = door_is_locked = false;
    door_instance = weir_instance_new(&door_component, "door", NULL, NULL, &door_host, NULL);
    door_user = weir_instance_new(&door_user_component, "user", NULL, NULL, &door_host, NULL);
}

static inline void door_free(void)
{
    weir_instance_free(door_user);
    weir_instance_free(door_instance);
    door_user = door_instance = NULL;
}

#endif

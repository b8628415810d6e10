// SPDX-License-Identifier: Apache-2.0
// A processor in C++, which passes on what comes.
#include <weir/component.h>

static int create(struct weir_instance *, struct weir_error *)
{
    return 0;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    weir_shard_send(shard, batch, ack);
}

const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "cxx",
    .version = "1.0",
    .summary = "Passes on what comes.",
    .stability = { WEIR_DEVELOPMENT, WEIR_DEVELOPMENT, WEIR_DEVELOPMENT, WEIR_UNSUPPORTED },
    .create = create,
    .consume = consume,
};

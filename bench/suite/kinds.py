# SPDX-License-Identifier: Apache-2.0
"""One run of a scenario, by its kind: a dictionary of numbers.

cost: CPU-seconds of the collector for a million items; rate: items a second; sink, relay, proxy: the cost of the
ceilings; x_sink, x_relay, x_proxy: ratios to them; paced: the relay's cost at the scenario's rate; peak: MiB; bytes: of
memory for each item that is held."""
from . import flows, latency, sampling, scrape

KINDS = {
    'flow': flows.flow,
    'workers': flows.workers,
    'latency': latency.latency,
    'sampling': sampling.sampling,
    'tail-full': sampling.full_speed,
    'scrape': scrape.scrape,
}

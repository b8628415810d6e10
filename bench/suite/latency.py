# SPDX-License-Identifier: Apache-2.0
"""How long an item takes at half of the load that saturates the collector, and at the same load its ceiling.

Both times count from when the request was due, whether or not the load could send it then: "answer" until weir-load has
the answer, "arrival" until it is at the sink, which shares the clock."""
import json

from . import flows, measure, servers

QUANTILES = ('p50', 'p90', 'p99', 'p99.9', 'max')


def measured(bench, load, server, sink, rate):
    send = measure.send(bench, load, server.ports, bench.seconds, '--reuse', '--stamp', f'--rate={rate:.0f}')
    server.settle()
    arrival = json.loads(sink.stop().splitlines()[-1])['latency_ms']
    return {**{f'answer_{name}': send['latency_ms'][name] for name in QUANTILES},
            **{f'arrival_{name}': arrival[name] for name in QUANTILES}}, send


def latency(bench, scenario):
    load = scenario.load
    row = dict(bench.ceilings(load))
    with servers.sink(bench, load, servers.LOAD_CPUS, '--latency') as sink:
        with servers.weir(bench, scenario, sink) as weir:
            rate = measure.cost(weir, bench, load)['rate'] / 2
            before = weir.cpu()
            times, send = measured(bench, load, weir, sink, rate)
            items = send['items_acknowledged']
            row.update(times, items=items, rate=items / send['seconds'], cost=(weir.cpu() - before) / items * 1e6,
                       peak=weir.peak(), dropped=weir.end())
    with servers.sink(bench, load, servers.LOAD_CPUS, '--latency') as sink:
        middle = servers.middle(bench, load, sink)
        if middle:
            name, server = middle
            with server:
                times, _ = measured(bench, load, server, sink, rate)
            row.update({f'{name}_{key}': value for key, value in times.items()})
    return flows.with_ratios(row)

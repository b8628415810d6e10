# SPDX-License-Identifier: Apache-2.0
"""tail_sampling: what a span costs while a number of traces is live, and the memory of each span that waits."""
import dataclasses
import time

from . import flows, measure, servers
from .scenarios import BATCH, POLICIES

SPANS = 5  # of a trace
RATE = 500_000  # spans a second at most


def with_wait(scenario, seconds):
    options = {'decision_wait': f'{seconds}s', 'num_traces': 4 * scenario.number, 'policies': POLICIES,
               'drop_pending_traces_on_shutdown': True}
    limiter = {'memory_limiter': {'check_interval': '1s', 'limit_mib': 16384}}
    return dataclasses.replace(scenario, processors={**limiter, 'tail_sampling': options, **BATCH})


def held(bench, scenario):
    """Bytes of memory for each span that waits for its trace's decision."""
    spans = SPANS * scenario.number
    with servers.sink(bench, scenario.load, servers.LOAD_CPUS) as sink:
        with servers.weir(bench, with_wait(scenario, 600), sink) as weir:
            measure.send(bench, scenario.load, weir.ports, 0.1, '--reuse', '--bodies=2')
            weir.settle()
            before = weir.rss()
            with measure.Load(bench, scenario.load, weir.ports, f'--count={spans}', f'--spans-per-trace={SPANS}') as run:
                run.summary(120)
            weir.settle()
            return (weir.rss() - before) * 1024 * 1024 / spans, weir.peak()


def steadily(bench, load, server, wait, rate):
    """What a server costs at this rate (None: at full speed) with new traces all the time, from `wait` seconds on."""
    seconds = max(2, round(bench.seconds))  # decisions come once a second
    pace = [f'--rate={rate:.0f}'] if rate else []
    with measure.Load(bench, load, server.ports, f'--spans-per-trace={SPANS}', f'--duration={wait + seconds + 2}s',
                      *pace) as run:
        time.sleep(wait + 1.2)
        began, before = time.monotonic(), server.cpu()
        time.sleep(began + seconds - time.monotonic())
        cpu, took = server.cpu() - before, time.monotonic() - began
        summary = run.summary(seconds)
    found = summary['items_acknowledged'] / summary['seconds']
    return {'rate': found, 'items': found * took, 'cost': cpu / (found * took) * 1e6}


def sampling(bench, scenario):
    """The cost is taken while as many traces are decided as begin. That is a rate far below saturation, at which each
    request is waited for: the relay at the same rate stands beside it."""
    row = dict(bench.ceilings(scenario.load))
    row['bytes'], row['peak'] = held(bench, scenario)
    wait = max(1, SPANS * scenario.number // RATE)
    rate = SPANS * scenario.number / wait
    with servers.sink(bench, scenario.load, servers.LOAD_CPUS) as sink:
        with servers.weir(bench, with_wait(scenario, wait), sink) as weir:
            row.update(steadily(bench, scenario.load, weir, wait, rate))
            row['live'] = row['rate'] * wait / SPANS
            weir.end()
        with servers.relay(bench, sink) as relay:
            row['paced'] = steadily(bench, scenario.load, relay, 0, rate)['cost']
    return flows.with_ratios(row)


def full_speed(bench, scenario):
    """The same at full speed, as ceilings and all other costs are measured: traces wait for a second."""
    row = dict(bench.ceilings(scenario.load))
    with servers.sink(bench, scenario.load, servers.LOAD_CPUS) as sink:
        with servers.weir(bench, with_wait(scenario, 1), sink) as weir:
            row.update(steadily(bench, scenario.load, weir, 1, None))
            row.update(live=row['rate'] / SPANS, peak=weir.peak())
            weir.end()
    return flows.with_ratios(row)

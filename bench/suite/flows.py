# SPDX-License-Identifier: Apache-2.0
"""Load through the collector to the sink, as fast as it goes."""
import contextlib
import os

from . import config, measure, servers
from .process import free_port


def with_ratios(row):
    for name in ('sink', 'relay', 'proxy'):
        if name in row:
            row['x_' + name] = row['cost'] / row[name]
    return row


def flow(bench, scenario):
    row = dict(bench.ceilings(scenario.load))
    with servers.sink(bench, scenario.load, servers.LOAD_CPUS) as sink:
        with servers.weir(bench, scenario, sink) as weir:
            row.update(measure.cost(weir, bench, scenario.load))
            row['peak'] = weir.peak()
            row['dropped'] = weir.end()
    return with_ratios(row)


def split_cpus(workers):
    """CPUs of the collector, and of loads and sinks; where there are too few, they share."""
    cpus = sorted(os.sched_getaffinity(0))
    return set(cpus[:workers]), set(cpus[workers:]) or set(cpus)


def workers(bench, scenario):
    """Several workers; as many loads and sinks as there are CPUs left for, each pair with a pipeline of its own."""
    load, count = scenario.load, scenario.number
    ours, others = split_cpus(count)
    pairs = max(1, min(count, len(others) // 2))
    row = dict(bench.ceilings(load))
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(servers.sink(bench, load, others)) for _ in range(pairs)]
        ports = [free_port() for _ in sinks]
        weir = stack.enter_context(servers.Weir(
            bench, lambda folder: config.lanes(scenario, ports, sinks, folder, bench.certificate), {}, ours, count))

        def send(seconds):
            runs = [stack.enter_context(measure.Load(bench, load, {'http': port}, '--reuse',
                                                     f'--duration={round(seconds * 1000)}ms', cpus=others))
                    for port in ports]
            return [run.summary(seconds) for run in runs]

        send(bench.warm_up)
        weir.settle()
        before = weir.cpu()
        found = send(bench.seconds)
        weir.settle()
        items = sum(summary['items_acknowledged'] for summary in found)
        row.update(items=items, rate=sum(summary['items_acknowledged'] / summary['seconds'] for summary in found),
                   cost=(weir.cpu() - before) / items * 1e6, peak=weir.peak(), cpus=len(ours), load_cpus=len(others - ours))
        row['dropped'] = weir.end()
    return with_ratios(row)

# SPDX-License-Identifier: Apache-2.0
"""One run of a scenario: what the collector costs for each item, and what the ceilings cost for the same load."""
import json

from . import servers
from .process import Failure, Process, binary

WARM_UP = 0.4  # seconds


def send(bench, load, ports, seconds, more=()):
    """Runs weir-load against a server; its summary."""
    protocol = 'grpc' if load.protocol == 'grpc' else 'http'
    address = f'127.0.0.1:{ports[protocol]}'
    if protocol == 'http':
        address = f'{"https" if load.tls else "http"}://{address}'
    arguments = [binary(bench.build, 'bench/weir-load'), '--protocol', load.protocol, '--endpoint', address,
                 '--signal', load.signal, '--items', str(load.items), '--connections', str(load.connections),
                 f'--duration={round(seconds * 1000)}ms', '--quiet', '--json=-', f'--compression={load.compression}', *more]
    if load.tls:
        arguments += ['--insecure'] + (['--tls'] if protocol == 'grpc' else [])
    with Process(bench.build, arguments, servers.LOAD_CPUS) as run:
        out, _ = run.child.communicate(timeout=seconds + 60)
        lines = [line for line in out.splitlines() if line.startswith('{')]
        if not lines:
            raise Failure(f'weir-load failed:\n{out}{run.log()}')
        return json.loads(lines[-1])


def cost(process, bench, load):
    """CPU-seconds for a million items and items a second of a server, warm."""
    send(bench, load, process.ports, WARM_UP)
    process.settle()
    before = process.cpu()
    summary = send(bench, load, process.ports, bench.seconds)
    process.settle()
    items = summary['items_acknowledged']
    if not items:
        raise Failure(f'nothing was acknowledged:\n{process.log()}\n{summary}')
    return {'items': items, 'rate': items / summary['seconds'], 'cost': (process.cpu() - before) / items * 1e6}


def ceilings(bench, load):
    """CPU-seconds for a million items of each ceiling that there is for this load."""
    found = {}
    with servers.sink(bench, load, servers.COLLECTOR_CPUS) as sink:
        found['sink'] = cost(sink, bench, load)['cost']
    with servers.sink(bench, load, servers.LOAD_CPUS) as sink:
        if load.protocol != 'grpc' and not load.tls:
            with servers.relay(bench, sink) as relay:
                found['relay'] = cost(relay, bench, load)['cost']
        elif servers.NGHTTPX:
            with servers.proxy(bench, load, sink) as proxy:
                found['proxy'] = cost(proxy, bench, load)['cost']
    return found


def flow(bench, scenario):
    """The load through the collector to the sink."""
    row = {}
    for name, value in bench.ceilings(scenario.load).items():
        row[name] = value
    with servers.sink(bench, scenario.load, servers.LOAD_CPUS) as sink:
        with servers.weir(bench, scenario, sink) as weir:
            row.update(cost(weir, bench, scenario.load))
            row['peak'] = weir.peak()
            row['dropped'] = weir.end()
    for name in ('sink', 'relay', 'proxy'):
        if name in row:
            row['x_' + name] = row['cost'] / row[name]
    return row


KINDS = {'flow': flow}

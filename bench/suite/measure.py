# SPDX-License-Identifier: Apache-2.0
"""Load, and what a server takes for it."""
import json

from . import servers
from .process import Failure, Process, binary


class Load(Process):
    """weir-load, on its way."""

    def __init__(self, bench, load, ports, *more, cpus=servers.LOAD_CPUS):
        address = f'127.0.0.1:{ports[servers.wire(load)]}'
        if servers.wire(load) == 'http':
            address = f'{"https" if load.tls else "http"}://{address}'
        tls = ['--insecure', *(['--tls'] if load.protocol == 'grpc' else [])] if load.tls else []
        super().__init__(bench.build, [binary(bench.build, 'bench/weir-load'), '--protocol', load.protocol,
                                       '--endpoint', address, '--signal', load.signal, '--items', str(load.items),
                                       '--connections', str(load.connections), f'--compression={load.compression}',
                                       '--quiet', '--json=-', *tls, *more], cpus)

    def summary(self, seconds):
        out, _ = self.child.communicate(timeout=seconds + 60)
        lines = [line for line in out.splitlines() if line.startswith('{')]
        found = json.loads(lines[-1]) if lines else {}
        if not found.get('items_acknowledged'):
            raise Failure(f'weir-load: nothing was acknowledged:\n{out}{self.log()}')
        return found


def send(bench, load, ports, seconds, *more):
    """Load for some seconds; its summary."""
    with Load(bench, load, ports, f'--duration={round(seconds * 1000)}ms', *more) as run:
        return run.summary(seconds)


def cost(process, bench, load):
    """CPU-seconds for a million items of a warm server, and items a second."""
    send(bench, load, process.ports, bench.warm_up, '--reuse')
    process.settle()
    before = process.cpu()
    summary = send(bench, load, process.ports, bench.seconds, '--reuse')
    process.settle()
    items = summary['items_acknowledged']
    return {'items': items, 'rate': items / summary['seconds'], 'cost': (process.cpu() - before) / items * 1e6}


def ceilings(bench, load):
    """The cost of each ceiling that there is for this load."""
    found = {}
    with servers.sink(bench, load, servers.COLLECTOR_CPUS) as sink:
        found['sink'] = cost(sink, bench, load)['cost']
    with servers.sink(bench, load, servers.LOAD_CPUS) as sink:
        middle = servers.middle(bench, load, sink)
        if middle:
            name, server = middle
            with server:
                found[name] = cost(server, bench, load)['cost']
    return found

# SPDX-License-Identifier: Apache-2.0
"""What a role may take, and the checks that hold it to that: each gives rows of what was measured, allowed, and wanted."""
import contextlib
import dataclasses
import json
import statistics
import time

from . import connections, roles, servers
from .cgroup import Limit
from .process import Failure, Process, binary

# Neighbours on the machine must not make load and sink late, nor the sink the load, which is on the same CPU.
LOAD_FIRST, SINK_SECOND, WEIR_THIRD = ['chrt', '-f', '5'], ['chrt', '-f', '4'], ['chrt', '-f', '3']


@dataclasses.dataclass
class Budget:
    traces: int  # a second
    cpus: float
    mib: int
    p99: float  # milliseconds
    connections: int
    ready: tuple = (20, 8)  # milliseconds: allowed, aimed at


BUDGETS = {
    'sidecar': Budget(5000, 0.1, 128, 1, connections=1),
    'agent': Budget(50000, 0.2, 400, 2, connections=10),
    'gateway': Budget(500000, 1, 2048, 10, connections=8),
}
IDLE = {'plaintext': (6, 3), 'TLS': (10, 7)}  # MiB, of a sidecar
AT_TEN_THOUSAND = (12, 6)  # MiB at 10,000 spans a second


@dataclasses.dataclass
class Row:
    check: str
    measured: str
    allowed: str = ''
    good: bool = None  # None: nothing is asked
    note: str = ''
    unclear: bool = False  # the machine alone misses what is allowed

    @property
    def verdict(self):
        return 'noise' if self.unclear else {None: '', True: 'pass', False: 'FAIL'}[self.good]


def most(check, value, allowed, unit, note='', form='.1f'):
    """A row for what must not exceed allowed[0] and aims at allowed[1]."""
    wanted = f'<= {allowed[0]} {unit}' + (f', aim {allowed[1]}' if len(allowed) > 1 else '')
    return Row(check, f'{value:{form}} {unit}', wanted, value <= allowed[0], note)


def sink_command(build, *more):
    return [binary(build, 'bench/weir-sink'), '--grpc=127.0.0.1:0', '--http=127.0.0.1:0', '--discard', '--interval=0', *more]


def sink(build, *more):
    return servers.Server(build, [*SINK_SECOND, *sink_command(build, *more)], servers.LOAD_CPUS, 2)


def load_command(build, port, seconds, count, spans, more):
    return [*LOAD_FIRST, binary(build, 'bench/weir-load'), '--endpoint', f'127.0.0.1:{port}', '--quiet', '--json=-',
            f'--duration={round(seconds * 1000)}ms', '--connections', str(count), '--spans-per-trace', str(spans), *more]


def send(build, port, seconds, count, spans=1, more=()):
    """Runs weir-load; its summary."""
    with Process(build, load_command(build, port, seconds, count, spans, more), servers.LOAD_CPUS) as run:
        out, _ = run.child.communicate(timeout=seconds + 60)
        lines = [line for line in out.splitlines() if line.startswith('{')]
        if not lines:
            raise Failure(f'weir-load failed:\n{out}{run.log()}')
        return json.loads(lines[-1])


def bare(bench, limit, first, count, spans, options):
    """Latencies of the same load with a sink in weir's place."""
    with limit, servers.Server(bench.build, limit.command([*first, *sink_command(bench.build)]), servers.COLLECTOR_CPUS,
                               2) as server:
        return send(bench.build, server.ports['grpc'], min(bench.seconds, 3), count, spans, options)['latency_ms']


@contextlib.contextmanager
def running(bench, role, cpus=None, mib=None, sink_options=(), **more):
    """weir in the role within a limit, and the sink behind it."""
    with Limit(cpus, mib) as limit, sink(bench.build, *sink_options) as behind:
        with roles.Role(bench.build, role, limit, behind.ports['grpc'], **more) as weir:
            yield weir, limit


def start(bench, role):
    """Start to ready, idle memory, and size of the files."""
    budget = BUDGETS[role]
    with roles.Installed(bench.build) as installed, sink(bench.build) as behind:
        yield Row('files', f'{installed.size(role):.2f} MiB', note=f'{len(roles.plugins(role))} plugins, stripped')
        times = []
        for _ in range(bench.starts):
            with Limit(budget.cpus, budget.mib) as limit:
                times.append(roles.time_to_ready(role, limit, behind.ports['grpc'], installed))
        yield most('start to ready', statistics.median(times), budget.ready, 'ms', f'{min(times):.1f} to {max(times):.1f}')
    for name, certificate in (('plaintext', None), ('TLS', bench.certificate)):
        with running(bench, role, budget.cpus, budget.mib, certificate=certificate) as (weir, _):
            time.sleep(1)
            row = most(f'idle RSS, {name}', weir.rss(), IDLE[name], 'MiB',
                       f'{weir.pss():.1f} of it not shared, {weir.threads()} threads')
            yield row if role == 'sidecar' else dataclasses.replace(row, allowed='', good=None)


def rate(bench, role, traces, spans, warm=1, name='', **more):
    """The role under its limit at a fixed rate: rows for what came through, CPU, p99 and memory."""
    budget = BUDGETS[role]
    options = ('--rate', str(traces * spans))
    cpus, first = (None, WEIR_THIRD) if bench.realtime else (budget.cpus, [])
    floor = bare(bench, Limit(cpus, budget.mib), first, budget.connections, spans, options)
    with running(bench, role, cpus, budget.mib, first=first, **more) as (weir, limit):
        send(bench.build, weir.ports['grpc'], warm, budget.connections, spans, options)
        before, cpu = limit.throttled(), weir.cpu()
        summary = send(bench.build, weir.ports['grpc'], bench.seconds, budget.connections, spans, options)
        share, after = (weir.cpu() - cpu) / summary['seconds'], limit.throttled()
        memory, charged = weir.peak(), limit.peak()
    came = summary['items_acknowledged'] / (traces * spans * bench.seconds)
    what = f'{traces} traces/s of {spans}{name}'
    yield Row(f'{what}: acknowledged', f'{came * 100:.1f} %', '>= 99 %', came >= 0.99, f'{summary["errors"] or ""}')
    yield most(f'{what}: CPU', share, (budget.cpus,), 'core',
               f'{after[0] - before[0]} times throttled, {after[1] - before[1]:.2f} s', '.3f')
    latency = summary['latency_ms']
    row = most(f'{what}: p99', latency['p99'], (budget.p99,), 'ms',
               f'p50 {latency["p50"]:.2f}, p99.9 {latency["p99.9"]:.2f}; a bare server in its place: p50 {floor["p50"]:.2f}, '
               f'p99 {floor["p99"]:.2f}', '.2f')
    row.unclear = not row.good and floor['p99'] > budget.p99
    yield row
    yield most(f'{what}: peak RSS', memory, (budget.mib,), 'MiB', f'{charged:.1f} charged, page cache included')


def small(bench, role):
    """Memory at 10,000 spans a second."""
    budget = BUDGETS[role]
    with running(bench, role, budget.cpus, budget.mib) as (weir, _):
        send(bench.build, weir.ports['grpc'], bench.seconds, budget.connections, 10, ('--rate', '10000'))
        yield most('RSS at 10,000 spans/s', weir.rss(), AT_TEN_THOUSAND, 'MiB', f'peak {weir.peak():.1f}')


def overload(bench, role):
    """Twice what the role can take: memory stays within the memory_limiter's, and as much comes through."""
    budget, allowed = BUDGETS[role], roles.memory_limit(role)
    with running(bench, role, budget.cpus, budget.mib) as (weir, _):
        full = send(bench.build, weir.ports['grpc'], bench.seconds, 8)['items_per_second']
    with running(bench, role, budget.cpus, budget.mib) as (weir, limit):
        options = ('--rate', str(round(2 * full)), '--in-flight', '64', '--timeout', '30s')
        twice = send(bench.build, weir.ports['grpc'], bench.seconds, 16, 1, options)
        share = twice['items_acknowledged'] / bench.seconds / full
        yield Row('overload: throughput', f'{share * 100:.0f} %', '>= 90 %', share >= 0.9,
                  f'of {full:.0f} items/s, at twice the rate; {twice["errors"] or ""}')
        yield most('overload: peak RSS', weir.peak(), (allowed,), 'MiB', f'{limit.peak():.1f} charged')


def burst(bench, role):
    """Memory a minute after a burst that a slow output made pile up."""
    budget = BUDGETS[role]
    with running(bench, role, None, budget.mib, ('--delay=200ms',)) as (weir, _):
        send(bench.build, weir.ports['grpc'], 1, 1, 1, ('--rate', '1000'))
        time.sleep(1)
        before = weir.rss()
        send(bench.build, weir.ports['grpc'], min(bench.seconds, 5), 8)
        peak, began, seen = weir.peak(), time.monotonic(), []
        for after in (5, 20, 60):
            time.sleep(max(0, began + after - time.monotonic()))
            seen.append(weir.rss())
        allowed = before + max(1, (peak - before) / 20)
        yield Row('memory after a burst', f'{seen[-1]:.1f} MiB', f'<= {allowed:.1f} MiB', seen[-1] <= allowed,
                  f'{before:.1f} before, peak {peak:.1f}, 5 s after {seen[0]:.1f}, 20 s {seen[1]:.1f}, 60 s {seen[2]:.1f}')


def idle_connections(bench, role):
    """Memory of idle connections, each after its first exchange."""
    for protocol, allowed in connections.ALLOWED.items():
        with running(bench, role) as (weir, _):
            with connections.Idle(protocol, weir.ports[protocol], 10):
                time.sleep(0.5)
                before = weir.rss()
                with connections.Idle(protocol, weir.ports[protocol], bench.connections):
                    time.sleep(1)
                    each = (weir.rss() - before) * 1024 / bench.connections
                yield most(f'{bench.connections} idle connections, {protocol}', each, allowed, 'KiB each')


def ack_memory(document):
    for pipeline in document['service']['pipelines'].values():
        pipeline.pop('ack')


def steady(bench, role):
    """The rate that the role is for, in traces of one span and of five."""
    budget = BUDGETS[role]
    for spans in (1, 5):
        if role == 'gateway':
            yield from gateway(bench, spans)
            continue
        yield from rate(bench, role, budget.traces, spans, files=bench.files)
        if role == 'agent':
            yield from rate(bench, role, budget.traces, spans, files=bench.files, name=', ack: memory', change=ack_memory)


def gateway(bench, spans):
    """With room for all traces that wait, and the shortest wait there is: the example's ten seconds of this rate would be
    more than the memory that is allowed. From the full rate down until one holds."""
    def room(document):
        document['processors']['tail_sampling'].update(decision_wait='1s', num_traces=2000000)
        document['processors']['tail_sampling'].pop('maximum_pending_bytes')
    for share in (1, 0.8, 0.6, 0.4, 0.2):
        rows = list(rate(bench, 'gateway', round(BUDGETS['gateway'].traces * share), spans, warm=3, change=room))
        yield from rows
        if all(row.good for row in rows):
            return


CHECKS = {'start': start, 'small': small, 'steady': steady, 'overload': overload, 'burst': burst,
          'connections': idle_connections}

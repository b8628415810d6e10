# SPDX-License-Identifier: Apache-2.0
"""What is measured, as data: a row for each scenario. kinds.py says how each kind is measured."""
import dataclasses
import os

BATCH = {'batch': {}}
LIMITER = {'memory_limiter': {'check_interval': '1s', 'limit_mib': 1024}}
ALL = {**LIMITER, **BATCH}
INSERT = {'key': 'deployment.environment', 'value': 'production', 'action': 'insert'}
POLICIES = [{'name': 'errors', 'type': 'status_code', 'status_code': {'status_codes': ['ERROR']}},
            {'name': 'slow', 'type': 'latency', 'latency': {'threshold_ms': 1000}},
            {'name': 'rest', 'type': 'probabilistic', 'probabilistic': {'sampling_percentage': 10}}]


@dataclasses.dataclass(frozen=True)
class Load:
    """What weir-load sends, and to which server of the collector."""
    protocol: str = 'http'  # http, json, grpc
    signal: str = 'traces'
    compression: str = 'none'  # both ways
    tls: bool = False  # both ways
    items: int = 100  # in a request
    connections: int = 8


@dataclasses.dataclass(frozen=True)
class Bar:
    """What a result is held against: `measure` at most `must`, better `aim`.

    The measure is a number of the result (cost: CPU-s/M, x_relay, x_proxy, bytes), or its cost next to that of another
    scenario, which is measured beside it: 'more NAME' as a share of it, 'plus NAME' in CPU-s/M, 'times NAME'."""
    measure: str
    must: float
    aim: float


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    load: Load
    exporter: str = 'otlp_http'
    processors: dict = dataclasses.field(default_factory=lambda: ALL)
    queue: dict = dataclasses.field(default_factory=dict)  # sending_queue; empty: upstream's defaults
    ack: str = 'memory'
    storage: bool = False  # the queue is on disk
    kind: str = 'flow'
    number: int = 0  # of workers, traces or series, as the kind says
    bars: tuple = ()

    @property
    def beside(self):
        """The name of the scenario that this one is compared with, or nothing."""
        return next((bar.measure.split()[1] for bar in self.bars if ' ' in bar.measure), '')


LOAD_FIELDS = {field.name for field in dataclasses.fields(Load)}


def http(name, about, **more):
    load = Load(**{key: value for key, value in more.items() if key in LOAD_FIELDS})
    return Scenario(name, about, load, **{key: value for key, value in more.items() if key not in LOAD_FIELDS})


def grpc(name, about, **more):
    return http(name, about, **{'protocol': 'grpc', 'connections': 2, 'exporter': 'otlp_grpc', **more})


def everything_on():
    resource = {**LIMITER, 'resource': {'attributes': [INSERT]}, **BATCH}
    attributes = {**LIMITER, 'attributes': {'actions': [INSERT]}, **BATCH}
    yield http('http', 'OTLP/HTTP, memory_limiter, batch', bars=(Bar('x_relay', 3.2, 1.9),))
    yield grpc('grpc', 'OTLP/gRPC, memory_limiter, batch', bars=(Bar('x_proxy', 2, 1.3),))
    yield http('json', 'OTLP/JSON to OTLP/gRPC, memory_limiter, batch', exporter='otlp_grpc', protocol='json',
               bars=(Bar('cost', 1.3, 0.9),))
    yield http('gzip', '"http", gzip in and out', compression='gzip', bars=(Bar('cost', 1.3, 0.9),))
    yield http('tls', '"http", TLS in and out', tls=True)
    yield http('http-limiter', '"http" without batch', processors=LIMITER)
    yield http('http-batch', '"http" without memory_limiter', processors=BATCH)
    yield http('resource', '"http" and a resource attribute', processors=resource, bars=(Bar('more http', 0.05, 0.02),))
    yield http('attributes', '"http" and an attribute of each span', processors=attributes,
               bars=(Bar('plus http', 0.10, 0.05),))
    yield http('http-small', '"http", 1 span in a request', items=1, bars=(Bar('x_relay', 1.5, 1.2),))
    yield grpc('grpc-small', '"grpc", 1 span in a request', items=1)


def answers():
    """What an answer means, and costs: 64 clients, each of which waits for it. Who finds the queue full waits outside: what
    refusals cost would be counted as that of the requests that came in."""
    how = {'connections': 64, 'processors': {}}
    queued = {**how, 'queue': {'block_on_overflow': True}}
    yield http('no-queue', '64 clients, answered when the sink has answered, no queue', queue={'enabled': False}, **how)
    yield http('ack-memory', '64 clients, answered when it is in the queue', **queued)
    yield http('ack-sink', '64 clients, answered when the sink has answered, behind the queue', ack='sink', **queued)
    yield http('disk', '64 clients, queue on disk, answered when it is written', storage=True, **queued)
    yield http('disk-ack-sink', '64 clients, queue on disk, answered when the sink has answered', storage=True, ack='sink',
               **queued)
    yield http('ack-disk', '64 clients, queue on disk, answered when it is on disk', storage=True, ack='disk',
               bars=(Bar('times ack-memory', 3, 1.5),), **queued)


def sampling():
    for name, traces in (('2k', 2000), ('100k', 100_000), ('200k', 200_000), ('1M', 1_000_000)):
        yield http(f'tail-{name}', f'tail_sampling, {name} live traces of 5 spans', kind='sampling', number=traces,
                   bars=(Bar('cost', 0.7, 0.4), Bar('bytes', 600, 450)) if traces == 200_000 else ())
    yield http('tail-full', 'tail_sampling at full speed, traces of 5 spans wait for a second', kind='tail-full',
               number=200_000)


def other_formats():
    yield http('remote-write', 'metrics from OTLP/HTTP to Prometheus remote write', signal='metrics',
               exporter='prometheusremotewrite')
    yield http('loki', 'logs from OTLP/HTTP to Loki', signal='logs', exporter='loki')
    for way in ('none', 'gzip'):
        yield http(f'scrape{"-gzip" if way == "gzip" else ""}', f'scrapes of 100 k series, compression {way}',
                   signal='metrics', compression=way, exporter='prometheus', kind='scrape', number=100_000)


def latencies():
    how = {'kind': 'latency', 'processors': LIMITER}
    yield http('latency-http', 'OTLP/HTTP at half of saturation, no batch', connections=16, **how)
    yield grpc('latency-grpc', 'OTLP/gRPC at half of saturation, no batch', **how)
    yield http('latency-small', 'OTLP/HTTP at half of saturation, 1 span in a request', items=1, connections=16, **how)


def workers():
    count = 1
    while count <= (os.cpu_count() or 1):
        bars = (Bar('times workers-1', 2 / 1.9, 2 / 1.97),) if count == 2 else ()
        bars = (Bar('times workers-1', 1.2, 12 / 11.5),) if count == 12 else bars
        yield http(f'workers-{count}', f'"http" with {count} workers', kind='workers', number=count, connections=16, bars=bars)
        count += count if count != 8 else 4


def passes():
    """Every protocol, signal and way on the wire, with nothing between receiver and exporter."""
    ways = {'': {}, '-gzip': {'compression': 'gzip'}, '-tls': {'tls': True}}
    yield http('pass-http-small', 'traces from http, 1 span in a request, no processor', items=1, processors={})
    for protocol, make in {'http': http, 'json': http, 'grpc': grpc}.items():
        for signal in ('traces', 'metrics', 'logs'):
            for way, how in ways.items():
                about = f'{signal} from {protocol}{" with " + way[1:] if way else ""}, no processor'
                yield make(f'pass-{protocol}-{signal}{way}', about, protocol=protocol, signal=signal, processors={}, **how)


TABLE = (everything_on, answers, sampling, other_formats, latencies, workers, passes)
SCENARIOS = {scenario.name: scenario for rows in TABLE for scenario in rows()}

# SPDX-License-Identifier: Apache-2.0
"""What is measured, as data."""
import dataclasses

BATCH = {'batch': {}}
LIMITER = {'memory_limiter': {'check_interval': '1s', 'limit_mib': 1024}}
ALL = {**LIMITER, **BATCH}
INSERT = {'key': 'deployment.environment', 'value': 'production', 'action': 'insert'}


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
    # Bars of the issue tracker: what the result is held against, must, aim.
    bar: tuple = ()


def http(name, about, exporter='otlp_http', processors=None, queue=None, ack='memory', storage=False, bar=(), **load):
    return Scenario(name, about, Load(**{'protocol': 'http', **load}), exporter,
                    ALL if processors is None else processors, queue or {}, ack, storage, bar=bar)


def grpc(name, about, **more):
    return http(name, about, **{'protocol': 'grpc', 'connections': 2, 'exporter': 'otlp_grpc', **more})


def passes():
    """Every protocol, signal and way on the wire, with nothing between receiver and exporter."""
    ways = {'': {}, '-gzip': {'compression': 'gzip'}, '-tls': {'tls': True}}
    for protocol, make in {'http': http, 'json': http, 'grpc': grpc}.items():
        for signal in ('traces', 'metrics', 'logs'):
            for way, how in ways.items():
                about = f'{signal} from {protocol}{" with " + way[1:] if way else ""}, no processor'
                yield make(f'pass-{protocol}-{signal}{way}', about, protocol=protocol, signal=signal, processors={}, **how)


def answers():
    """What an answer means, and costs: 64 clients, each of which waits for it."""
    how = {'connections': 64, 'processors': {}}
    yield http('no-queue', 'answered when the sink has answered, no queue', queue={'enabled': False}, **how)
    yield http('ack-memory', 'answered when it is in the queue', **how)
    yield http('ack-sink', 'answered when the sink has answered, behind the queue', ack='sink', **how)
    yield http('disk', 'queue on disk, answered when it is in memory', storage=True, **how)
    yield http('ack-disk', 'queue on disk, answered when it is on disk', storage=True, ack='disk',
               bar=('times ack-memory', 3, 1.5), **how)


def table():
    resource = {**LIMITER, 'resource': {'attributes': [INSERT]}, **BATCH}
    attributes = {**LIMITER, 'attributes': {'actions': [INSERT]}, **BATCH}
    yield http('http', 'OTLP/HTTP, memory_limiter, batch', bar=('relay', 3.2, 1.9))
    yield grpc('grpc', 'OTLP/gRPC, memory_limiter, batch', bar=('proxy', 2, 1.3))
    yield http('json', 'OTLP/JSON to OTLP/gRPC, memory_limiter, batch', 'otlp_grpc', protocol='json', bar=('cost', 1.3, 0.9))
    yield http('gzip', 'OTLP/HTTP, gzip in and out, memory_limiter, batch', compression='gzip', bar=('cost', 1.3, 0.9))
    yield http('tls', 'OTLP/HTTP, TLS in and out, memory_limiter, batch', tls=True)
    yield http('http-limiter', 'OTLP/HTTP, memory_limiter', processors=LIMITER)
    yield http('http-batch', 'OTLP/HTTP, batch', processors=BATCH)
    yield http('resource', '"http" and a resource attribute', processors=resource, bar=('more http', 0.05, 0.02))
    yield http('attributes', '"http" and an attribute of each span', processors=attributes, bar=('plus http', 0.10, 0.05))
    yield http('http-small', '"http" with 1 span in a request', items=1, bar=('relay', 1.5, 1.2))
    yield grpc('grpc-small', '"grpc" with 1 span in a request', items=1)
    yield from answers()
    yield from passes()


SCENARIOS = {scenario.name: scenario for scenario in table()}

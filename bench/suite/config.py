# SPDX-License-Identifier: Apache-2.0
"""The collector's configuration of a scenario."""


def _otlp_http(scenario, sink):
    scheme = 'https' if scenario.load.tls else 'http'
    return {'endpoint': f'{scheme}://127.0.0.1:{sink.ports["http"]}', 'compression': scenario.load.compression}


def _otlp_grpc(scenario, sink):
    return {'endpoint': f'127.0.0.1:{sink.ports["grpc"]}', 'compression': scenario.load.compression}


def _remote_write(_, sink):
    return {'endpoint': f'http://127.0.0.1:{sink.ports["http"]}/api/v1/write'}


def _loki(_, sink):
    return {'endpoint': f'http://127.0.0.1:{sink.ports["http"]}/loki/api/v1/push'}


EXPORTERS = {'otlp_http': _otlp_http, 'otlp_grpc': _otlp_grpc, 'prometheusremotewrite': _remote_write, 'loki': _loki}


def exporter(scenario, sink):
    options = EXPORTERS[scenario.exporter](scenario, sink)
    options['tls'] = {'insecure_skip_verify': True} if scenario.load.tls else {'insecure': True}
    if scenario.queue or scenario.storage:
        options['sending_queue'] = dict(scenario.queue, **({'storage': 'file_storage'} if scenario.storage else {}))
    return options


def receiver(load, port, certificate):
    server = {'endpoint': f'127.0.0.1:{port}'}
    if load.tls:
        server['tls'] = {'cert_file': f'{certificate}/cert.pem', 'key_file': f'{certificate}/key.pem'}
    return {'protocols': {'grpc' if load.protocol == 'grpc' else 'http': server}}


def document(receivers, processors, exporters, pipelines, extensions=None):
    """The whole of it; all pipelines have the same processors."""
    for pipeline in pipelines.values():
        pipeline['processors'] = list(processors)
    return {
        'extensions': extensions or {},
        'receivers': receivers,
        'processors': processors,
        'exporters': exporters,
        'service': {'extensions': list(extensions or {}), 'pipelines': pipelines,
                    'telemetry': {'metrics': {'level': 'none'}}},
    }


def lanes(scenario, ports, sinks, folder, certificate):
    """A pipeline from OTLP on each port through the scenario's processors to its sink."""
    load = scenario.load
    storage = {'file_storage': {'directory': f'{folder}/queue', 'create_directory': True}} if scenario.storage else {}
    receivers, exporters, pipelines = {}, {}, {}
    for lane, (port, sink) in enumerate(zip(ports, sinks)):
        receivers[f'otlp/{lane}'] = receiver(load, port, certificate)
        exporters[f'{scenario.exporter}/{lane}'] = exporter(scenario, sink)
        pipelines[f'{load.signal}/{lane}'] = {'receivers': [f'otlp/{lane}'], 'exporters': [f'{scenario.exporter}/{lane}'],
                                              'ack': scenario.ack}
    return document(receivers, scenario.processors, exporters, pipelines, storage)

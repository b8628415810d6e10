# SPDX-License-Identifier: Apache-2.0
"""The collector's configuration of a scenario."""


def tls_files(certificate):
    return {'cert_file': f'{certificate}/cert.pem', 'key_file': f'{certificate}/key.pem'}


def exporter(scenario, sink):
    load = scenario.load
    address = f'127.0.0.1:{sink.ports["http" if scenario.exporter == "otlp_http" else "grpc"]}'
    if scenario.exporter == 'otlp_http':
        address = f'{"https" if load.tls else "http"}://{address}'
    queue = dict(scenario.queue, storage='file_storage') if scenario.storage else scenario.queue
    tls = {'insecure_skip_verify': True} if load.tls else {'insecure': True}
    return {'endpoint': address, 'compression': load.compression, 'tls': tls, 'sending_queue': queue}


def document(scenario, port, sink, folder, certificate):
    """OTLP on `port`, the scenario's processors, and its exporter to the sink."""
    load = scenario.load
    server = {'endpoint': f'127.0.0.1:{port}'}
    if load.tls:
        server['tls'] = tls_files(certificate)
    storage = {'file_storage': {'directory': f'{folder}/queue', 'create_directory': True}} if scenario.storage else {}
    protocol = 'grpc' if load.protocol == 'grpc' else 'http'
    return {
        'extensions': storage,
        'receivers': {'otlp': {'protocols': {protocol: server}}},
        'processors': scenario.processors,
        'exporters': {scenario.exporter: exporter(scenario, sink)},
        'service': {'extensions': list(storage),
                    'pipelines': {load.signal: {'receivers': ['otlp'], 'processors': list(scenario.processors),
                                                'exporters': [scenario.exporter], 'ack': scenario.ack}},
                    'telemetry': {'metrics': {'level': 'none'}}},
    }

# SPDX-License-Identifier: Apache-2.0
"""Scrapes of the prometheus exporter: CPU for each series of a scrape, and the memory of a series."""
import http.client
import json
import os
import time

from . import config, servers
from .process import Failure, free_port

POINTS = 1000  # in a request


def request(first):
    points = [{'attributes': [{'key': 'path', 'value': {'stringValue': f'/api/v1/orders/{number}'}},
                              {'key': 'method', 'value': {'stringValue': 'GET'}}],
               'timeUnixNano': str(time.time_ns()), 'asDouble': number / 8} for number in range(first, first + POINTS)]
    metric = {'name': 'http_server_active_requests', 'gauge': {'dataPoints': points}}
    resource = {'attributes': [{'key': 'service.name', 'value': {'stringValue': 'shop'}}]}
    return json.dumps({'resourceMetrics': [{'resource': resource, 'scopeMetrics': [{'metrics': [metric]}]}]})


def fill(port, series):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    for first in range(0, series, POINTS):
        connection.request('POST', '/v1/metrics', request(first), {'Content-Type': 'application/json'})
        answer = connection.getresponse()
        if answer.status != 200:
            raise Failure(f'series were refused: {answer.status} {answer.read()}')
        answer.read()
    connection.close()


def pull(connection, encoding):
    """The bytes of one scrape."""
    connection.request('GET', '/metrics', headers={'Accept-Encoding': encoding})
    answer = connection.getresponse()
    return answer.read()


def scrape(bench, scenario):
    port, exposed, series = free_port(), free_port(), scenario.number
    encoding = 'gzip' if scenario.load.compression == 'gzip' else 'identity'
    document = config.document({'otlp': config.receiver(scenario.load, port, bench.certificate)}, {},
                               {'prometheus': {'endpoint': f'127.0.0.1:{exposed}'}},
                               {'metrics': {'receivers': ['otlp'], 'exporters': ['prometheus']}})
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, servers.LOAD_CPUS)
    try:
        with servers.Weir(bench, lambda folder: document, {}) as weir:
            before = weir.rss()
            fill(port, series)
            weir.settle()
            row = {'bytes': (weir.rss() - before) * 1024 * 1024 / series}
            connection = http.client.HTTPConnection('127.0.0.1', exposed, timeout=30)
            lines = pull(connection, 'identity').count(b'\nhttp_server_active_requests{')
            if lines < series - 1:
                raise Failure(f'{lines} series are shown instead of {series}')
            began, cpu, scrapes, size = time.monotonic(), weir.cpu(), 0, 0
            while scrapes < 3 or time.monotonic() < began + bench.seconds:
                size = len(pull(connection, encoding))
                scrapes += 1
            items = scrapes * series
            row.update(items=items, rate=items / (time.monotonic() - began), cost=(weir.cpu() - cpu) / items * 1e6,
                       peak=weir.peak(), mebibytes=size / 1024 / 1024, dropped=weir.end())
            return row
    finally:
        os.sched_setaffinity(0, usual)

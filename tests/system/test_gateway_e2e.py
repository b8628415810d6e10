# SPDX-License-Identifier: Apache-2.0
"""The whole way: an application's SDK, weir beside it, weir as a gateway, and what stands behind that."""

import base64
import collections
import json
import pathlib
import random
import tempfile
import threading
import time

from weirtest import TestCase, free_port, messages, node, rpc, wait_for
from weirtest.loki import Loki
from weirtest.pki import Authority
from weirtest.prometheus import Prometheus
from weirtest.sampling import by_chance

ERROR = 2
DELTA = 1
LEVELS = [""] + [f"{name}{more}" for name in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
                 for more in ("", 2, 3, 4)]

SIDECAR = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)s"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 400, spike_limit_mib: 100}
  batch: {timeout: 200ms, send_batch_size: 1024}
  resource: {attributes: [{key: k8s.pod.name, value: web-0, action: insert}]}
exporters:
  otlp/gateway:
    endpoint: localhost:%(gateway)s
    compression: gzip
    tls: {ca_file: "%(ca)s"}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch, resource], exporters: [otlp/gateway]}
    metrics: {receivers: [otlp], processors: [memory_limiter, batch, resource], exporters: [otlp/gateway]}
    logs: {receivers: [otlp], processors: [memory_limiter, batch, resource], exporters: [otlp/gateway]}
"""

GATEWAY = """\
receivers:
  otlp:
    protocols: {grpc: {endpoint: "127.0.0.1:%(port)s", tls: {cert_file: "%(cert)s", key_file: "%(key)s"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 1024, spike_limit_mib: 200}
  batch: {timeout: 200ms, send_batch_size: 10000, send_batch_max_size: 11000}
  tail_sampling:
    decision_wait: 3s
    num_traces: 100000
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: rest, type: probabilistic, probabilistic: {sampling_percentage: 10}}
  resource: {attributes: [{key: loki.resource.labels, value: k8s.pod.name, action: insert}]}
exporters:
  otlp/jaeger: {endpoint: "127.0.0.1:%(sink)s", tls: {insecure: true}}
  prometheusremotewrite:
    endpoint: %(prometheus)s
    external_labels: {cluster: prod, collector: gateway}
  loki:
    endpoint: %(loki)s
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, tail_sampling, batch], exporters: [otlp/jaeger]}
    metrics: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [prometheusremotewrite]}
    logs: {receivers: [otlp], processors: [memory_limiter, resource, batch], exporters: [loki]}
"""

BALANCER = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)s"}}}
exporters:
  load_balancing:
    routing_key: traceID
    protocol: {otlp: {tls: {insecure: true}, sending_queue: {queue_size: 100000}}}
    resolver: {static: {hostnames: ["127.0.0.1:%(first)s", "127.0.0.1:%(second)s"]}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [load_balancing]}
"""

BALANCED = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)s"}}}
processors:
  tail_sampling:
    decision_wait: %(wait)ss
    num_traces: 100000
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: rest, type: probabilistic, probabilistic: {sampling_percentage: 25}}
exporters:
  otlp_grpc: {endpoint: "127.0.0.1:%(sink)s", tls: {insecure: true}, sending_queue: {queue_size: 100000}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [otlp_grpc]}
"""


def all_spans(requests):
    """{span id: (resource attributes, scope, span)}, all as bytes but the attributes; and a list of the ids."""
    found, ids = {}, []
    for request in requests:
        for group in request.resource_spans:
            attributes = {a.key: a.value.SerializeToString() for a in group.resource.attributes}
            for scope in group.scope_spans:
                for span in scope.spans:
                    ids.append(span.span_id)
                    found[span.span_id] = (attributes, scope.scope.SerializeToString(), span)
    return found, ids


def make_traces(count, per_trace, first=1):
    """Spans of traces that begin now and then have a failed span, mixed."""
    chance = random.Random(7)
    spans = []
    for trace in range(first, first + count):
        trace_id = chance.randbytes(16)
        failed = chance.randrange(per_trace) if trace % 10 == 0 else -1
        spans += [(trace_id, trace * per_trace + n, n == failed) for n in range(per_trace)]
    chance.shuffle(spans)
    return spans


def requests_of(spans, at_once):
    for begin in range(0, len(spans), at_once):
        request = messages.request("traces")()
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = "shop"
        scope = group.scope_spans.add()
        for trace_id, number, failed in spans[begin:begin + at_once]:
            span = scope.spans.add(trace_id=trace_id, span_id=number.to_bytes(8, "big"), name=f"span {number}",
                                   start_time_unix_nano=number, end_time_unix_nano=number + 1000)
            span.attributes.add(key="number").value.int_value = number
            span.status.code = ERROR if failed else 0
        yield request


class EndToEnd(TestCase):
    def send_all(self, ports, requests, clients=4):
        """Each request by another client than the one before it, to the ports in turn."""
        requests, bad = list(requests), []

        def send(number):
            sender = self.managed(rpc.Sender(ports[number % len(ports)]))
            bad.extend(a for a in (sender.export("traces", r) for r in requests[number::clients]) if a.code != "OK")
        threads = [threading.Thread(target=send, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])

    @staticmethod
    def to_keep(spans, percentage):
        """The ids of all traces that must be sampled; `spans` are (trace id, ..., failed)."""
        return {t for t, _, failed in spans if failed} | {t for t, *_ in spans if by_chance(t, percentage)}


class TestSidecarAndGateway(EndToEnd):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weirtest.")))
        authority = Authority(folder)
        cert, key = authority.issue()
        self.sink, self.seen = self.managed(rpc.Sink()), self.managed(rpc.Sink())
        self.prometheus, self.loki = self.managed(Prometheus()), self.managed(Loki())
        inner, self.port = free_port(), free_port()
        self.gateway = self.weir(GATEWAY % {
            "port": inner, "cert": cert, "key": key, "sink": self.sink.port,
            "prometheus": self.prometheus.write_url, "loki": self.loki.url}, args=["--workers", "3"])
        self.sidecar = self.weir(SIDECAR % {"port": self.port, "gateway": inner, "ca": authority.pem},
                                 args=["--workers", "2"])

    def sdk(self, signal, count):
        """The SDK sends the same to the sidecar and to a sink of ours: what it sent, as messages."""
        targets = [f"http://127.0.0.1:{port}" for port in (self.port, self.seen.port)]
        report = node.send(signal, "grpc", "none", targets, count)
        self.assertEqual(report["failures"], [])
        self.assertEqual(self.seen.count(signal), report["items"])
        return self.seen.parsed(signal)

    def ledgers(self, signal):
        """Both closed; nothing is lost between the two: the gateway's."""
        outer = self.stop_cleanly(self.sidecar)
        inner = self.stop_cleanly(self.gateway)
        sent, got = outer.row(signal, "exporter", "otlp/gateway"), inner.row(signal, "receiver", "otlp")
        self.assertEqual((sent["dropped"], sent["held"]), (0, 0))
        self.assertEqual(sent["out"], got["accepted"])
        return inner

    def test_traces(self):
        """Of the SDK's traces and 2000 others all failed ones arrive, and those that the hash chooses, as sent."""
        others = list(requests_of(make_traces(2000, 4), 250))
        sent, _ = all_spans([*self.sdk("traces", 20), *others])
        self.send_all([self.port], others)
        spans = [(span.trace_id, span_id, span.status.code == ERROR) for span_id, (_, _, span) in sent.items()]
        kept = self.to_keep(spans, 10)
        expected = {span_id for trace_id, span_id, _ in spans if trace_id in kept}
        self.assertTrue(300 < len(kept) < 500, len(kept))
        self.sink.wait_count("traces", len(expected), 30)
        found, ids = all_spans(self.sink.parsed("traces"))
        self.assertEqual(collections.Counter(ids), collections.Counter(dict.fromkeys(expected, 1)))
        pod = {"k8s.pod.name": messages.module("common/v1/common").AnyValue(string_value="web-0").SerializeToString()}
        for span_id, (attributes, scope, span) in found.items():
            self.assertEqual((attributes, scope, span),
                             ({**sent[span_id][0], **pod}, *sent[span_id][1:]))
        sampling = self.ledgers("traces").row("traces", "processor", "tail_sampling")
        self.assertEqual((sampling["accepted"], sampling["out"], sampling["drops"]),
                         (len(sent), len(expected), {"not_sampled": len(sent) - len(expected)}))

    def test_metrics(self):
        """Every value that the SDK sent and Prometheus can take is asked back from it."""
        expected, delta = collections.Counter(), 0
        for request in self.sdk("metrics", 3):
            for group in request.resource_metrics:
                for scope in group.scope_metrics:
                    for metric in scope.metrics:
                        points, lost = prometheus_points(metric)
                        expected.update(points)
                        delta += lost
        self.assertGreater(len(expected), 50)
        self.assertEqual(delta, 10)  # three counters with three series each, and one with one

        def found():
            return collections.Counter(
                (name, labels.get("series"), labels.get("zero"), labels.get("le"), ms, value)
                for series, samples in self.prometheus.samples('{__name__=~".+"}').items()
                for labels in [dict(series)] for name in [labels["__name__"]] if name != "target_info"
                for ms, value in [(ms, plain(value)) for ms, value in samples])
        wait_for(lambda: sum(found().values()) >= sum(expected.values()), 30, lambda: f"all samples: {found()}")
        have = found()
        self.assertEqual((have - expected, expected - have), (collections.Counter(), collections.Counter()))
        for series in self.prometheus.samples('{__name__!="target_info", __name__=~".+"}'):
            labels = dict(series)
            self.assertEqual((labels["cluster"], labels["collector"], labels["job"]),
                             ("prod", "gateway", "interop-sender"))
        (info,) = self.prometheus.samples("target_info")
        self.assertEqual(dict(info)["k8s_pod_name"], "web-0")
        row = self.ledgers("metrics").row("metrics", "exporter", "prometheusremotewrite")
        self.assertEqual(row["dropped"], delta)

    def test_logs(self):
        """Every record that the SDK sent is a line of the stream in which it must be."""
        sent = self.sdk("logs", 3)
        expected, count = in_loki(sent), self.seen.count("logs")
        wait_for(lambda: len(self.loki.lines()) >= count, 30, lambda: f"{count} lines: {self.loki.streams()}")
        found = {}
        for labels, entries in self.loki.streams().items():
            lines = [(ns, json.loads(line, parse_float=lambda text: number(float(text)))) for ns, line in entries]
            found[labels] = sorted(([ns, line["instrumentation_scope"]["name"], line] for ns, line in lines),
                                   key=lambda e: e[:2])
        self.assertEqual(sorted(found), sorted(expected))
        for labels, entries in expected.items():
            self.assert_same(entries, found[labels], str(labels))
        row = self.ledgers("logs").row("logs", "exporter", "loki")
        self.assertEqual((row["out"], row["dropped"]), (count, 0))


def in_loki(requests):
    """{labels: [[nanoseconds, scope's name, line as an object], ...]} of what Loki must have got, sorted."""
    out = {}
    for request in requests:
        for group in request.resource_logs:
            resource = as_object(group.resource.attributes)
            for scope in group.scope_logs:
                for record in scope.log_records:
                    labels = {"exporter": "OTLP", "instance": resource["service.instance.id"],
                              "job": resource["service.name"], "k8s_pod_name": "web-0"}
                    if record.severity_number:
                        labels["level"] = LEVELS[record.severity_number]
                    line = {"body": as_json(record.body), "traceid": record.trace_id.hex(),
                            "spanid": record.span_id.hex(), "severity": record.severity_text,
                            "flags": record.flags, "attributes": as_object(record.attributes), "resources": resource,
                            "instrumentation_scope": {"name": scope.scope.name, "version": scope.scope.version}}
                    if not scope.scope.version:
                        del line["instrumentation_scope"]["version"]
                    line = {key: value for key, value in line.items() if key == "body" or value}
                    if line["body"] is None:
                        del line["body"]
                    entry = [record.time_unix_nano, scope.scope.name, line]
                    out.setdefault(tuple(sorted(labels.items())), []).append(entry)
    return {labels: sorted(entries, key=lambda e: e[:2]) for labels, entries in out.items()}


def as_object(attributes):
    return {a.key: as_json(a.value) for a in attributes}


def as_json(value):
    """What the exporter must write for an AnyValue, parsed."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    given = getattr(value, kind)
    if kind == "array_value":
        return [as_json(v) for v in given.values]
    if kind == "kvlist_value":
        return as_object(given.values)
    if kind == "bytes_value":
        return base64.b64encode(given).decode()
    return number(given) if kind == "double_value" else given


def number(value):
    """Go writes 1 for 1.0."""
    return int(value) if value.is_integer() else value


def plain(value):
    """A sample's value for comparisons: a number, or (count, sum) of a native histogram."""
    return (float(value["count"]), float(value["sum"])) if isinstance(value, dict) else float(value)


# The names by the rules for units and kinds; what is not told here keeps its own with _ for dots.
NAMES = {"histogram": "histogram_seconds", "observed.gauge": "observed_gauge_ratio"}


def prometheus_points(metric):
    """[(name, series, zero, le, milliseconds, value)] of a metric, and how many points cannot be sent."""
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    if kind != "gauge" and data.aggregation_temporality == DELTA:
        return [], len(data.data_points)
    name, out = NAMES.get(metric.name, metric.name.replace(".", "_")), []
    for point in data.data_points:
        own = {a.key: a.value for a in point.attributes}
        key = (str(own["series"].int_value) if "series" in own else None, "true" if "zero" in own else None)
        ms = point.time_unix_nano // 1_000_000
        if kind in ("gauge", "sum"):
            out.append((name, *key, None, ms, float(getattr(point, point.WhichOneof("value")))))
        elif kind == "exponential_histogram":
            out.append((name, *key, None, ms, (float(point.count), point.sum)))
        else:
            total = 0
            for bound, count in zip([*point.explicit_bounds, None], point.bucket_counts):
                total += count
                le = "+Inf" if bound is None else f"{bound:g}"
                out.append((f"{name}_bucket", *key, le, ms, float(total)))
            out += [(f"{name}_sum", *key, None, ms, point.sum), (f"{name}_count", *key, None, ms, float(point.count))]
    return out, 0


class TestTwoGateways(EndToEnd):
    def test_every_trace_is_decided_whole(self):
        """Pieces of each trace come over eight connections to two balancers, which have the same two gateways."""
        for wait in (8, 32, 128):  # as long as some are decided before all have come, on a busy machine
            if self.decide_whole(wait):
                return
        self.fail("the spans took too long to send")

    def decide_whole(self, wait):
        sinks = [self.managed(rpc.Sink()) for _ in range(2)]
        inner, outer = [free_port(), free_port()], [free_port(), free_port()]
        gateways = [self.weir(BALANCED % {"port": port, "sink": sink.port, "wait": wait}, args=["--workers", "2"])
                    for port, sink in zip(inner, sinks)]
        balancers = [self.weir(BALANCER % {"port": port, "first": inner[0], "second": inner[1]},
                               args=["--workers", "2"]) for port in outer]
        spans = make_traces(2000, 6)
        began = time.monotonic()
        self.send_all(outer, requests_of(spans, 40), clients=8)
        if time.monotonic() - began > wait - 1:
            return False
        kept = self.to_keep(spans, 25)
        expected = {number.to_bytes(8, "big") for trace_id, number, _ in spans if trace_id in kept}
        wait_for(lambda: sum(sink.count("traces") for sink in sinks) >= len(expected), wait + 20,
                 lambda: f"{len(expected)} spans; came: {[sink.count('traces') for sink in sinks]}")
        at, ids = [], []
        for sink in sinks:
            found, own = all_spans(sink.parsed("traces"))
            ids += own
            at.append({span.trace_id for _, _, span in found.values()})
        self.assertEqual(collections.Counter(ids), collections.Counter(dict.fromkeys(expected, 1)))
        self.assertEqual((at[0] & at[1], at[0] | at[1]), (set(), kept))
        for own in at:
            self.assertGreater(len(own), len(kept) // 4)
        sent = [self.stop_cleanly(weir).row("traces", "exporter", "load_balancing")["out"] for weir in balancers]
        rows = [self.stop_cleanly(weir).row("traces", "processor", "tail_sampling") for weir in gateways]
        self.assertEqual((sum(sent), sum(row["accepted"] for row in rows)), (len(spans), len(spans)))
        self.assertEqual(sum(row["drops"]["not_sampled"] for row in rows), len(spans) - len(expected))
        return True

# SPDX-License-Identifier: Apache-2.0
"""prometheusremotewrite into a real Prometheus and VictoriaMetrics: every value is queried back."""

import json
import pathlib
import tempfile
import threading
import time

from weirtest import TestCase, free_port, rawhttp, wait_for
from weirtest.prometheus import Prometheus, Victoria


ALL = '{__name__=~".+"}'


def string(key, value):
    return {"key": key, "value": {"stringValue": value}}


def message(metrics, resource=(), scope=None):
    return {"resourceMetrics": [{"resource": {"attributes": list(resource)},
                                 "scopeMetrics": [{"scope": scope or {}, "metrics": metrics}]}]}


def gauge(name, values, key="n"):
    """A gauge with a point for each (attribute, milliseconds, value)."""
    return {"name": name, "gauge": {"dataPoints": [
        {"attributes": [string(key, str(n))], "timeUnixNano": str(ms * 1_000_000), "asDouble": value}
        for n, ms, value in values]}}


def labels(name, **others):
    return tuple(sorted({"__name__": name, **others}.items()))


def wait_for_line(weir, text):
    wait_for(lambda: text in weir.stderr, 10, lambda: f"{text!r} in {weir.stderr}")


class RemoteWrite(TestCase):
    def setUp(self):
        self.http = free_port()
        self.now = int(time.time() * 1000) - 60_000

    def start(self, url, **options):
        exporter = {"endpoint": url, **options}
        return self.weir(args=["--workers", "3"], config={
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.http}"}}}},
            "exporters": {"prometheusremotewrite": exporter},
            "service": {"telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["prometheusremotewrite"]}}},
        })

    def send(self, body):
        answer = rawhttp.post(self.http, "/v1/metrics", json.dumps(body).encode(), "application/json")
        self.assertEqual(answer.status, 200, answer.body)


class TestValues(RemoteWrite):
    def send_each_kind(self, t):
        """A point of each type, at `t`."""
        ns = str(t * 1_000_000)
        cumulative = {"aggregationTemporality": 2}
        self.send(message([
            {"name": "http.requests", "unit": "{request}", "sum": {**cumulative, "isMonotonic": True, "dataPoints": [
                {"attributes": [string("http.method", "GET")], "timeUnixNano": ns, "asInt": "3"}]}},
            {"name": "queue.fill", "unit": "1", "gauge": {"dataPoints": [{"timeUnixNano": ns, "asDouble": 0.25}]}},
            {"name": "db.time", "unit": "ms", "histogram": {**cumulative, "dataPoints": [
                {"timeUnixNano": ns, "count": "3", "sum": 17, "bucketCounts": ["1", "2", "0"],
                 "explicitBounds": [5, 10]}]}},
            {"name": "rpc.time", "unit": "s", "summary": {"dataPoints": [
                {"timeUnixNano": ns, "count": "4", "sum": 2.5, "quantileValues": [{"quantile": 0.5, "value": 0.5},
                                                                               {"quantile": 0.99, "value": 1}]}]}},
            {"name": "size", "unit": "By", "exponentialHistogram": {**cumulative, "dataPoints": [
                {"timeUnixNano": ns, "count": "10", "sum": 12.5, "zeroCount": "1", "scale": 0,
                 "positive": {"offset": 0, "bucketCounts": ["4", "2", "3"]}}]}},
        ], [string("service.name", "shop"), string("service.instance.id", "i1"), string("host.name", "h1")],
            {"name": "lib", "version": "1.0"}))

    OWN = {"cluster": "prod", "instance": "i1", "job": "shop", "otel_scope_name": "lib", "otel_scope_version": "1.0"}

    def each_kind(self):
        """{labels: value} of what send_each_kind sends, but for the native histogram."""
        own = self.OWN
        return {
            labels("http_requests_total", http_method="GET", **own): "3",
            labels("queue_fill_ratio", **own): "0.25",
            labels("db_time_milliseconds_bucket", le="5", **own): "1",
            labels("db_time_milliseconds_bucket", le="10", **own): "3",
            labels("db_time_milliseconds_bucket", le="+Inf", **own): "3",
            labels("db_time_milliseconds_sum", **own): "17",
            labels("db_time_milliseconds_count", **own): "3",
            labels("rpc_time_seconds", quantile="0.5", **own): "0.5",
            labels("rpc_time_seconds", quantile="0.99", **own): "1",
            labels("rpc_time_seconds_sum", **own): "2.5",
            labels("rpc_time_seconds_count", **own): "4",
            labels("target_info", cluster="prod", host_name="h1", instance="i1", job="shop"): "1",
        }

    def test_each_kind_is_there_with_its_values(self):
        prometheus = self.managed(Prometheus())
        weir = self.start(prometheus.write_url, external_labels={"cluster": "prod"})
        t, expected = self.now, self.each_kind()
        self.send_each_kind(t)
        wait_for(lambda: len(prometheus.samples(ALL)) == len(expected) + 1, 20,
                 lambda: f"all series are there: {prometheus.samples(ALL)}")
        found = prometheus.samples(ALL)
        (when, histogram), = found.pop(labels("size_bytes", **self.OWN))
        self.assertEqual((when, histogram["count"], histogram["sum"]), (t, "10", "12.5"))
        self.assertEqual([(low, high, n) for _, low, high, n in histogram["buckets"]],
                         [("-1e-128", "1e-128", "1"), ("1", "2", "4"), ("2", "4", "2"), ("4", "8", "3")])
        self.assertEqual(found, {series: [(t, value)] for series, value in expected.items()})
        ledger = self.stop_cleanly(weir)
        row = ledger.row("metrics", "exporter", "prometheusremotewrite")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (5, 5, 0))

    def test_each_kind_in_victoriametrics(self):
        """Which knows no native histograms, and leaves them out."""
        victoria = self.managed(Victoria())
        weir = self.start(victoria.write_url, external_labels={"cluster": "prod"})
        t, expected = self.now, self.each_kind()
        self.send_each_kind(t)
        wait_for(lambda: len(victoria.samples(ALL)) == len(expected), 30,
                 lambda: f"all series are there: {victoria.samples(ALL)}")
        self.assertEqual(victoria.samples(ALL), {series: [(t, float(value))] for series, value in expected.items()})
        self.stop_cleanly(weir)

    def test_samples_of_many_connections_arrive_in_order(self):
        """Each request is a connection of its own, and lands on any worker: Prometheus takes samples of a series in order
        only, so one that overtakes another is missing."""
        prometheus = self.managed(Prometheus())
        weir = self.start(prometheus.write_url)
        for n in range(300):
            self.send(message([gauge("clock", [("a", self.now + n, n)])]))
        series = labels("clock", n="a")
        wait_for(lambda: len(prometheus.samples("clock").get(series, ())) == 300, 20,
                 lambda: f"300 samples: {len(prometheus.samples('clock').get(series, ()))}")
        self.assertEqual(prometheus.samples("clock")[series], [(self.now + n, str(n)) for n in range(300)])
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("metrics", "exporter", "prometheusremotewrite")["dropped"], 0)

    def test_a_batch_larger_than_a_request_arrives_whole(self):
        prometheus = self.managed(Prometheus())
        weir = self.start(prometheus.write_url, max_batch_size_bytes=2000)
        self.send(message([gauge("many", [(n, self.now, n) for n in range(1000)])]))
        wait_for(lambda: len(prometheus.get("series", **{"match[]": "many"})) == 1000, 20, "1000 series")
        self.assertEqual({dict(k)["n"]: v for k, v in prometheus.samples("many").items()},
                         {str(n): [(self.now, str(n))] for n in range(1000)})
        self.stop_cleanly(weir)


class TestFaults(RemoteWrite):
    def test_what_prometheus_refuses_is_dropped_and_counted(self):
        prometheus = self.managed(Prometheus())
        weir = self.start(prometheus.write_url)
        self.send(message([gauge("x", [("a", self.now, 1)])]))
        wait_for(lambda: prometheus.samples("x"), 20, "the first sample")
        self.send(message([gauge("x", [("a", self.now - 10_000, 0)])]))
        wait_for_line(weir, "out of order sample")
        ledger = self.stop_cleanly(weir)
        row = ledger.row("metrics", "exporter", "prometheusremotewrite")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (2, 1, 1))

    def test_a_part_that_cannot_be_sent_is_counted(self):
        prometheus = self.managed(Prometheus())
        weir = self.start(prometheus.write_url)
        delta = {"name": "delta", "sum": {"aggregationTemporality": 1, "dataPoints": [
            {"timeUnixNano": str(self.now * 1_000_000), "asInt": "1"}]}}
        self.send(message([delta, gauge("x", [("a", self.now, 1)])]))
        wait_for(lambda: prometheus.samples("x"), 20, "the other metric")
        wait_for_line(weir, "its temporality is not cumulative")
        ledger = self.stop_cleanly(weir)
        row = ledger.row("metrics", "exporter", "prometheusremotewrite")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (2, 1, 1))

    def test_an_outage_of_prometheus_loses_nothing(self):
        """The server is away while samples come, with the queue in memory and on disk."""
        for wal in (False, True):
            with self.subTest(wal=wal), tempfile.TemporaryDirectory(prefix="weirtest.wal.") as folder:
                port = free_port()
                options = {"wal": {"directory": folder}} if wal else {}
                weir = self.start(f"http://127.0.0.1:{port}/api/v1/write", **options)
                for n in range(50):
                    self.send(message([gauge("outage", [("a", self.now + n, n)])]))
                if wal:
                    weir.kill()
                    self.assertTrue(list(pathlib.Path(folder, "prom_remotewrite").iterdir()))
                    weir = self.start(f"http://127.0.0.1:{port}/api/v1/write", **options)
                prometheus = self.managed(Prometheus(port=port))
                series = labels("outage", n="a")
                wait_for(lambda p=prometheus: len(p.samples("outage").get(series, ())) == 50, 30,
                         lambda p=prometheus: f"50 samples: {p.samples('outage')}")
                self.assertEqual(prometheus.samples("outage")[series],
                                 [(self.now + n, str(n)) for n in range(50)])
                ledger = self.stop_cleanly(weir)
                self.assertEqual(ledger.row("metrics", "exporter", "prometheusremotewrite")["dropped"], 0)

    def test_answers_decide(self):
        """5xx and 429 come again, not before Retry-After; other answers drop."""
        for status, headers, again in ((500, {}, True), (503, {"Retry-After": "1"}, True), (429, {}, True),
                                       (400, {}, False), (404, {}, False), (301, {}, False)):
            with self.subTest(status=status):
                answers = [(status, headers, b"no"), (204, {}, b"")]
                lock, times = threading.Lock(), []

                def answer(_):
                    with lock:
                        times.append(time.monotonic())
                        return answers[min(len(times), 2) - 1]

                sink = self.managed(rawhttp.Sink(answer))
                weir = self.start(f"http://127.0.0.1:{sink.port}/write")
                self.send(message([gauge("x", [("a", self.now, 1)])]))
                if again:
                    wait_for(lambda: len(times) == 2, 10, "the second request")
                    if headers:
                        self.assertGreaterEqual(times[1] - times[0], 1.0)
                else:
                    wait_for_line(weir, f"remote write returned HTTP status {status}: no")
                ledger = self.stop_cleanly(weir)
                self.assertEqual(len(times), 2 if again else 1)
                row = ledger.row("metrics", "exporter", "prometheusremotewrite")
                self.assertEqual((row["out"], row["dropped"]), (1, 0) if again else (0, 1))

    def test_headers_of_both_versions(self):
        for version, kind, number in ((None, "application/x-protobuf", "0.1.0"),
                                      ("io.prometheus.write.v2.Request",
                                       "application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0")):
            with self.subTest(version=version):
                sink = self.managed(rawhttp.Sink(lambda _: (204, {}, b"")))
                weir = self.start(f"http://127.0.0.1:{sink.port}/write",
                                  **({"protobuf_message": version} if version else {}))
                self.send(message([gauge("x", [("a", self.now, 1)])]))
                request = wait_for(lambda: sink.received[:], 10, "a request")[0]
                self.assertEqual([request.headers.get(name) for name in
                                  ("content-encoding", "content-type", "x-prometheus-remote-write-version")],
                                 ["snappy", kind, number])
                self.stop_cleanly(weir)

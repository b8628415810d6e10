# SPDX-License-Identifier: Apache-2.0
"""The prometheus exporter before a real Prometheus, promtool and the OpenMetrics parser of Python's client."""

import base64
import gzip
import json
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from weirtest import TestCase, bench, free_port, rawhttp, wait_for
from weirtest.prometheus import Prometheus
from weirtest.weir import run

OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
TRACE, SPAN = "000102030405060708090a0b0c0d0e0f", "0001020304050607"
SECOND = 1_000_000_000


def string(key, value):
    return {"key": key, "value": {"stringValue": value}}


def message(metrics, resource=(), scope=None):
    return {"resourceMetrics": [{"resource": {"attributes": list(resource)},
                                 "scopeMetrics": [{"scope": scope or {}, "metrics": metrics}]}]}


def gauge(name, values):
    """A gauge with a point for each attribute n of `values`."""
    return {"name": name, "gauge": {"dataPoints": [
        {"attributes": [string("n", str(n))], "asDouble": value} for n, value in values.items()]}}


def delta(start, time_, value):
    return {"name": "hits", "sum": {"isMonotonic": True, "aggregationTemporality": 1, "dataPoints": [
        {"startTimeUnixNano": str(start), "timeUnixNano": str(time_), "asInt": str(value)}]}}


def every_kind(ns):
    """One metric of each kind, of a resource with a name."""
    start, times = str(ns - 5 * SECOND), {"timeUnixNano": str(ns), "startTimeUnixNano": str(ns - 5 * SECOND)}
    exemplar = {"timeUnixNano": str(ns - SECOND), "traceId": TRACE, "spanId": SPAN}
    cumulative = {"aggregationTemporality": 2}
    return start, message([
        {"name": "http.requests", "unit": "{request}", "description": "Requests.", "sum": {
            **cumulative, "isMonotonic": True, "dataPoints": [
                {**times, "attributes": [string("http.method", "GET")], "asInt": "3",
                 "exemplars": [{**exemplar, "asDouble": 1}]}]}},
        {"name": "queue.fill", "unit": "1", "description": "Fill.", "gauge": {
            "dataPoints": [{**times, "asDouble": 0.25}]}},
        {"name": "db.time", "unit": "s", "description": "Time.", "histogram": {**cumulative, "dataPoints": [
            {**times, "count": "3", "sum": 17, "bucketCounts": ["1", "2", "0"], "explicitBounds": [5, 10],
             "exemplars": [{**exemplar, "asDouble": 7.5}]}]}},
        {"name": "rpc.time", "unit": "s", "description": "Time.", "summary": {"dataPoints": [
            {**times, "count": "4", "sum": 2.5, "quantileValues": [{"quantile": 0.5, "value": 0.5},
                                                                {"quantile": 0.99, "value": 1}]}]}},
        {"name": "size", "unit": "By", "description": "Size.", "exponentialHistogram": {**cumulative, "dataPoints": [
            {**times, "count": "10", "sum": 12.5, "zeroCount": "1", "scale": 0,
             "positive": {"offset": 0, "bucketCounts": ["4", "2", "3"]}}]}},
    ], [string("service.name", "shop"), string("service.instance.id", "i1"), string("host.name", "h1")],
        {"name": "lib", "version": "1.0"})


def expected_series(point):
    """{(name, labels): value}, with labels of buckets and quantiles as text or OpenMetrics (`point`) have them."""
    own = {"instance": "i1", "job": "shop", "otel_scope_name": "lib", "otel_scope_version": "1.0"}

    def row(name, value, **others):
        return (name, tuple(sorted({**own, **others}.items()))), value

    five, ten = ("5.0", "10.0") if point else ("5", "10")
    return dict([
        row("http_requests_total", 3, http_method="GET"),
        row("queue_fill_ratio", 0.25),
        row("db_time_seconds_bucket", 1, le=five), row("db_time_seconds_bucket", 3, le=ten),
        row("db_time_seconds_bucket", 3, le="+Inf"),
        row("db_time_seconds_sum", 17), row("db_time_seconds_count", 3),
        row("rpc_time_seconds", 0.5, quantile="0.5"), row("rpc_time_seconds", 1, quantile="0.99"),
        row("rpc_time_seconds_sum", 2.5), row("rpc_time_seconds_count", 4),
        row("size_bytes_bucket", 10, le="+Inf"), row("size_bytes_sum", 12.5), row("size_bytes_count", 10),
        (("target_info", (("host_name", "h1"), ("instance", "i1"), ("job", "shop"))), 1),
    ])


class Exporter(TestCase):
    def setUp(self):
        self.http, self.port = free_port(), free_port()

    def start(self, extensions=None, workers=3, **options):
        self.config = {
            "extensions": extensions or {},
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.http}"}}}},
            "exporters": {"prometheus": {"endpoint": f"127.0.0.1:{self.port}", **options}},
            "service": {"extensions": list(extensions or {}), "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["prometheus"]}}},
        }
        self.weir_ = self.weir(self.config, args=["--workers", workers])
        return self.weir_

    def send(self, body):
        """On a connection of its own, which any worker may get."""
        answer = rawhttp.post(self.http, "/v1/metrics", json.dumps(body).encode(), "application/json")
        self.assertEqual(answer.status, 200, answer.body)

    def page(self, **headers):
        answer = rawhttp.request(self.port, "GET", "/metrics", headers)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.body.decode()

    def reload(self, **options):
        self.config["exporters"]["prometheus"].update(options)
        (self.weir_.folder / "config.yaml").write_text(yaml.safe_dump(self.config))
        done = run("reload", self.weir_.pid)
        self.assertEqual(done.code, 0, done.stderr)


class TestScraped(Exporter):
    def scraped(self, native=False, **options):
        """What Prometheus has of every_kind: {(name, labels): value}, and the Prometheus."""
        self.start(**options)
        start, body = every_kind(time.time_ns())
        self.send(body)
        prometheus = self.managed(Prometheus(scrape=[self.port], native=native))
        wait_for(lambda: prometheus.get("query", query='target_info{job="shop"}')["result"], 20, "a scrape")
        found = {}
        for series in prometheus.get("query", query='{job="shop"}')["result"]:
            name = series["metric"].pop("__name__")
            value = float(series["value"][1]) if "value" in series else series["histogram"][1]
            found[name, tuple(sorted(series["metric"].items()))] = value
        return start, found, prometheus

    def test_text(self):
        _, found, _ = self.scraped()
        self.assertEqual(found, expected_series(False))
        ledger = self.stop_cleanly(self.weir_)
        row = ledger.row("metrics", "exporter", "prometheus")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (5, 5, 0))

    def test_open_metrics(self):
        start, found, prometheus = self.scraped(enable_open_metrics=True)
        created = {key[0]: value for key, value in found.items() if key[0].endswith("_created")}
        self.assertEqual(sorted(created), ["db_time_seconds_created", "http_requests_created",
                                           "rpc_time_seconds_created", "size_bytes_created"])
        for value in created.values():
            self.assertAlmostEqual(value, int(start) / SECOND, places=3)
        self.assertEqual({k: v for k, v in found.items() if k[0] not in created}, expected_series(True))
        self.assert_exemplars(prometheus)

    def test_protobuf(self):
        _, found, prometheus = self.scraped(native=True)
        size = next(key for key in found if key[0] == "size_bytes")
        self.assertEqual(found.pop(size), {"count": "10", "sum": "12.5", "buckets": [
            [3, "-1e-128", "1e-128", "1"], [0, "1", "2", "4"], [0, "2", "4", "2"], [0, "4", "8", "3"]]})
        self.assertEqual(found, {k: v for k, v in expected_series(True).items() if not k[0].startswith("size_bytes")})
        self.assert_exemplars(prometheus)

    def assert_exemplars(self, prometheus):
        exemplars = {e["seriesLabels"]["__name__"]: [(x["labels"], float(x["value"])) for x in e["exemplars"]]
                     for e in prometheus.get("query_exemplars", query='{job="shop"}', start=time.time() - 600,
                                             end=time.time() + 600)}
        ids = {"trace_id": TRACE, "span_id": SPAN}
        self.assertEqual(exemplars, {"http_requests_total": [(ids, 1.0)], "db_time_seconds_bucket": [(ids, 7.5)]})

    def test_a_series_that_ends_is_stale(self):
        self.start(workers=1, metric_expiration="1s")
        prometheus = self.managed(Prometheus(scrape=[self.port]))

        def is_there():
            self.send(message([gauge("short", {1: 1})]))
            return prometheus.get("query", query="short")["result"]

        wait_for(is_there, 20, "short is there")
        wait_for(lambda: not prometheus.get("query", query="short")["result"], 20, "short has gone")
        self.assertEqual(self.page(), "")


class TestForms(Exporter):
    def test_promtool_finds_nothing_to_mend(self):
        self.start()
        self.send(every_kind(time.time_ns())[1])
        done = subprocess.run(["promtool", "check", "metrics"], input=self.page(), text=True, capture_output=True,
                              timeout=20)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_parser_of_openmetrics(self):
        self.start(enable_open_metrics=True, send_timestamps=True)
        now = time.time_ns()
        self.send(every_kind(now)[1])
        families = {family.name: family for family in text_string_to_metric_families(self.page(**OPEN_METRICS))}
        self.assertEqual({name: family.type for name, family in families.items()}, {
            "db_time_seconds": "histogram", "http_requests": "counter", "queue_fill_ratio": "gauge",
            "rpc_time_seconds": "summary", "size_bytes": "histogram", "target_info": "gauge"})
        self.assertEqual(families["http_requests"].documentation, "Requests.")
        found = {(s.name, tuple(sorted((k, v) for k, v in s.labels.items() if v))): s.value
                 for family in families.values() for s in family.samples if not s.name.endswith("_created")}
        self.assertEqual(found, expected_series(True))
        counter = families["http_requests"].samples[0]
        self.assertEqual((counter.exemplar.labels, counter.exemplar.value), ({"trace_id": TRACE, "span_id": SPAN}, 1))
        self.assertEqual(int(float(counter.timestamp) * 1000), now // 1_000_000)

    def test_names_of_other_alphabets(self):
        self.start(translation_strategy="NoTranslation", without_scope_info=True)
        self.send(message([{"name": "a.b", "gauge": {"dataPoints": [
            {"asInt": "1", "attributes": [string("grün", "1"), string("l", "2")]}]}}]))
        quoted = self.page(Accept="text/plain; version=1.0.0; escaping=allow-utf-8")
        self.assertIn('{"a.b","grün"="1",l="2"} 1\n', quoted)
        self.assertIn('a_b{gr_n="1",l="2"} 1\n', self.page())
        self.assertIn('U__a_2e_b{U__gr_fc_n="1",l="2"} 1\n', self.page(Accept="text/plain; escaping=values"))

    def test_compression(self):
        self.start()
        self.send(every_kind(time.time_ns())[1])
        plain = self.page()
        for coding, unpack in (("gzip", gzip.decompress),
                               ("zstd", lambda data: subprocess.run(["zstd", "-dc"], input=data, capture_output=True,
                                                                    check=True, timeout=20).stdout)):
            with self.subTest(coding):
                answer = rawhttp.request(self.port, "GET", "/metrics", {"Accept-Encoding": coding})
                self.assertEqual(answer.headers["content-encoding"], coding)
                self.assertEqual(unpack(answer.body).decode(), plain)

    def test_methods_and_paths(self):
        self.start()
        self.send(message([gauge("g", {1: 1})]))
        self.assertEqual(rawhttp.request(self.port, "POST", "/metrics", {}, b"").body.decode(), self.page())
        head = rawhttp.request(self.port, "HEAD", "/metrics")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(rawhttp.request(self.port, "GET", "/").status, 404)

    def test_series_that_cannot_be_shown_are_told_of(self):
        self.start(const_labels={"n": "1"})
        self.send(message([gauge("g", {2: 1}), {"name": "h", "gauge": {"dataPoints": [{"asInt": "1"}]}}]))
        page = self.page()
        self.assertNotIn("g{", page)
        self.assertIn('h{n="1"', page)
        wait_for(lambda: "duplicate label name n" in self.weir_.stderr, 10, lambda: self.weir_.stderr)


class TestAccess(Exporter):
    def test_tls_and_a_password(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        cert, key = bench.certificate(pathlib.Path(folder.name))
        self.start({"basicauth": {"htpasswd": {"inline": "bo:sesame"}}}, tls={"cert_file": str(cert), "key_file": str(key)},
                   auth={"authenticator": "basicauth"})
        self.send(message([gauge("g", {1: 1})]))
        context = ssl.create_default_context(cafile=cert)
        request = urllib.request.Request(f"https://localhost:{self.port}/metrics")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10, context=context)
        self.assertEqual(caught.exception.code, 401)
        caught.exception.close()
        request.add_header("Authorization", "Basic " + base64.b64encode(b"bo:sesame").decode())
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            self.assertIn(b'g{n="1"', answer.read())
        self.stop_cleanly(self.weir_)


class TestWorkers(Exporter):
    def test_deltas_of_many_connections_add_up(self):
        self.start(without_scope_info=True)
        for n in range(100):
            self.send(message([delta(SECOND + n, SECOND + n + 1, n)]))
        self.assertIn(f"\nhits_total {sum(range(100))}\n", self.page())
        self.assertEqual(self.stop_cleanly(self.weir_).row("metrics", "exporter", "prometheus")["out"], 100)

    def test_scrapes_while_series_come(self):
        self.start(without_scope_info=True)
        bodies = [message([gauge(f"m{m}", {n: n for n in range(200)}) for m in range(20)],
                          [string("service.name", f"s{sender}")]) for sender in range(4)]
        senders = [threading.Thread(target=lambda body=body: [self.send(body) for _ in range(10)]) for body in bodies]
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders):
            lines = [line for line in self.page().splitlines() if not line.startswith("#")]
            self.assertEqual(len(lines), len(set(lines)))
        for sender in senders:
            sender.join()
        page = self.page()
        self.assertEqual(sum(not line.startswith("#") for line in page.splitlines()), 4 * 20 * 200)
        families = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")]
        self.assertEqual(families, sorted(families))
        row = self.stop_cleanly(self.weir_).row("metrics", "exporter", "prometheus")
        self.assertEqual((row["out"], row["dropped"]), (4 * 10 * 20 * 200, 0))

    def test_what_cannot_be_stored_is_counted(self):
        self.start()
        self.send(message([{"name": "d", "sum": {"aggregationTemporality": 1, "dataPoints": [{"asInt": "1"}]}},
                           gauge("g", {1: 1})]))
        self.assertNotIn("# TYPE d ", self.page())
        row = self.stop_cleanly(self.weir_).row("metrics", "exporter", "prometheus")
        self.assertEqual((row["out"], row["dropped"]), (1, 1))

    def test_a_queue(self):
        self.start(sending_queue={"queue_size": 10})
        self.send(message([gauge("g", {1: 1})]))
        wait_for(lambda: 'g{n="1"' in self.page(), 10, "g is shown")
        self.stop_cleanly(self.weir_)


class TestReload(Exporter):
    def test_series_and_totals_outlive_it(self):
        self.start(without_scope_info=True)
        self.send(message([delta(SECOND, SECOND + 5, 2), gauge("g", {1: 1})]))
        self.reload(metric_expiration="1m")
        self.send(message([delta(SECOND + 5, SECOND + 6, 3)]))
        page = self.page()
        self.assertIn("\nhits_total 5\n", page)
        self.assertIn('\ng{n="1"} 1\n', page)
        self.reload(namespace="new")
        self.assertEqual(self.page(), "")
        self.send(message([gauge("g", {1: 1})]))
        self.assertIn('\nnew_g{n="1"} 1\n', self.page())
        self.stop_cleanly(self.weir_)

    def test_scrapes_during_reloads_are_answered(self):
        self.start(without_scope_info=True)
        self.send(message([gauge("g", {1: 1})]))
        stop, pages = threading.Event(), []

        def scrape():
            while not stop.is_set():
                pages.append(self.page())

        scraper = threading.Thread(target=scrape)
        scraper.start()
        try:
            for n in range(5):
                self.reload(metric_expiration=f"{n + 1}m")
                seen = len(pages)
                wait_for(lambda: len(pages) > seen + 1 or not scraper.is_alive(), what="a scrape")
        finally:
            stop.set()
            scraper.join()
        self.assertGreater(len(pages), 10)
        self.assertEqual(set(pages), {pages[0]})
        self.assertIn('g{n="1"} 1\n', pages[0])
        self.stop_cleanly(self.weir_)

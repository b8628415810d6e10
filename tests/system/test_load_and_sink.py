# SPDX-License-Identifier: Apache-2.0
"""weir-load and weir-sink: numbered items, with and without weir between them."""

import pathlib
import tempfile
import urllib.request

from weirtest import TestCase, free_port, rpc
from weirtest.answers import DIRECT
from weirtest.bench import Sink, certificate, load


class Direct(TestCase):
    """From weir-load straight into weir-sink."""

    def check_all_arrived(self, sink, summary, items):
        code, counts = sink.stop()
        self.assertEqual(code, 0)
        self.assertEqual(summary["items_acknowledged"], items)
        self.assertEqual((counts["items"], counts["distinct"]), (items, items))
        for name in ("duplicates", "missing", "unnumbered", "bad_crc", "malformed"):
            self.assertEqual(counts[name], 0, name)
        return counts

    def test_protocols_and_compressions(self):
        for protocol, compression in (("grpc", "none"), ("grpc", "gzip"), ("grpc", "zstd"),
                                      ("grpc", "snappy"), ("http", "none"), ("http", "gzip"),
                                      ("json", "none"), ("json", "zstd")):
            with self.subTest(f"{protocol} {compression}"):
                sink = self.managed(Sink())
                where = sink.grpc if protocol == "grpc" else f"http://{sink.http}"
                code, summary, _ = load("-p", protocol, "-e", where, "-n", 3000, "-c", 2,
                                        "-s", "traces,metrics,logs",
                                        f"--compression={compression}")
                self.assertEqual(code, 0)
                counts = self.check_all_arrived(sink, summary, 3000)
                self.assertEqual([counts[i] for i in ("spans", "metric_points", "log_records")],
                                 [1000, 1000, 1000])

    def test_tls(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            cert, key = certificate(pathlib.Path(folder))
            for protocol in ("grpc", "http"):
                sink = self.managed(Sink(f"--cert={cert}", f"--key={key}"))
                where = sink.grpc if protocol == "grpc" else f"https://{sink.http}"
                code, summary, _ = load("-p", protocol, "-e", where, "-n", 1000, "--tls",
                                        f"--ca={cert}")
                self.assertEqual(code, 0)
                self.check_all_arrived(sink, summary, 1000)

    def test_somebody_elses_server_reads_it(self):
        sink = self.managed(rpc.Sink())
        code, summary, _ = load("-e", f"127.0.0.1:{sink.port}", "-n", 300)
        self.assertEqual((code, summary["items_acknowledged"]), (0, 300))
        spans = [span for request in sink.parsed("traces") for resource in request.resource_spans
                 for scope in resource.scope_spans for span in scope.spans]
        numbers = [a.value.string_value for s in spans for a in s.attributes if a.key == "weir.seq"]
        self.assertEqual(sorted(numbers), [f"{n:012x}" for n in range(300)])
        traces = {s.trace_id for s in spans}
        self.assertEqual(len(traces), 30)
        self.assertEqual({len(s.attributes) for s in spans}, {10})

    def test_refusals_are_counted_and_told(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            obligations = pathlib.Path(folder) / "obligations"
            sink = self.managed(Sink("--fail-first=2", "--fail-code=InvalidArgument",
                                     f"--obligations={obligations}"))
            code, summary, _ = load("-e", sink.grpc, "-n", 1000, "--in-flight=1",
                                    f"--obligations={obligations}")
            self.assertEqual((code, summary["items_acknowledged"], summary["items_refused"]),
                             (0, 800, 200))
            self.assertEqual(summary["errors"], {"InvalidArgument: refused by weir-sink": 2})
            code, counts = sink.stop()
            self.assertEqual(code, 0)
            self.assertEqual((counts["acknowledged"], counts["owed"], counts["missing"],
                              counts["refused"]), (800, 0, 200, 2))
            lines = [line.split() for line in obligations.read_text().splitlines()]
            self.assertEqual([line[0] for line in lines], ["refused"] * 2 + ["ack"] * 8)

    def test_what_is_owed_is_found(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            obligations = pathlib.Path(folder) / "obligations"
            sink = self.managed(Sink(f"--obligations={obligations}"))
            load("-e", sink.grpc, "-n", 200, f"--obligations={obligations}", "--run=r")
            with obligations.open("a") as file:
                file.write("ack r 0000 traces 200 50\n")
            code, counts = sink.stop()
            self.assertEqual((code, counts["owed"]), (1, 50))

    def test_duplicates_are_found(self):
        sink = self.managed(Sink())
        for _ in range(2):
            load("-e", sink.grpc, "-n", 200, "--run=again")
        code, counts = sink.stop()
        self.assertEqual((code, counts["items"], counts["distinct"], counts["duplicates"]),
                         (0, 400, 200, 200))

    def test_bodies_that_are_used_again(self):
        sink = self.managed(Sink())
        load("-e", sink.grpc, "-n", 1000, "-c", 2, "--bodies=2", "--reuse", "-s", "traces,logs")
        code, counts = sink.stop()
        self.assertEqual((code, counts["items"], counts["distinct"], counts["missing"]), (0, 1000, 400, 0))
        self.assertEqual((counts["bad_crc"], counts["unnumbered"]), (0, 0))

    def test_rate(self):
        """Never more than asked for; as much of it as the machine lets through, at best of a few."""
        sink = self.managed(Sink())
        for _ in range(10):
            code, summary, _ = load("-e", sink.grpc, "-r", 2000, "-d", "1s", "-i", 20)
            self.assertEqual(code, 0)
            self.assertLessEqual(summary["items_acknowledged"], 2040)
            if summary["items_acknowledged"] > 1500:
                return
        self.fail(f"{summary['items_acknowledged']} of 2000 items")

    def test_latency_from_when_requests_were_due(self):
        sink = self.managed(Sink("--latency", "--delay=50ms"))
        for protocol, where in (("grpc", sink.grpc), ("json", f"http://{sink.http}"), ("http", f"http://{sink.http}")):
            for more in ((), ("--plain",), ("--compression=gzip",)):
                code, _, text = load("-p", protocol, "-e", where, "-n", 100, "-i", 10, "--resources=2", "--stamp", *more)
                self.assertEqual(code, 0, text)
        # Ten requests of two resources each, six times in protobuf; the answers' delay is not counted.
        code, counts = sink.stop()
        self.assertEqual((code, counts["bad_crc"], counts["stamped"]), (0, 0, 120))
        self.assertEqual((counts["distinct"], counts["unnumbered"]), (600, 300))
        self.assertGreater(counts["latency_ms"]["p50"], 0)

    def test_discard_takes_what_is_posted_anywhere(self):
        sink = self.managed(Sink("--discard"))
        for path, code in (("/api/v1/write", 204), ("/v1/traces", 200)):
            request = urllib.request.Request(f"http://{sink.http}{path}", data=b"...", method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                self.assertEqual(answer.status, code)
        code, counts = sink.stop()
        self.assertEqual((code, counts["requests"], counts["bytes"]), (0, 2, 6))

    def test_nobody_there(self):
        code, summary, text = load("-e", f"127.0.0.1:{free_port()}", "-n", 100, "--timeout=200ms")
        self.assertEqual((code, summary["items_acknowledged"], summary["items_unanswered"]),
                         (1, 0, 100))
        self.assertIn("connection refused", text)

    def test_bad_command_line(self):
        for arg in ("--rate=x", "--signal=spans", "--protocol=ftp", "--items=0", "more"):
            code, _, text = load(arg)
            self.assertEqual(code, 2, arg)
            self.assertIn("weir-load --help", text)


class Through(TestCase):
    """With weir between, nothing is lost and the ledger closes."""

    def run_through(self, exporter, load_args=(), sink_args=(), processors=()):
        sink = self.managed(Sink(*sink_args))
        port = free_port()
        options = {key: value.format(grpc=sink.grpc, http=sink.http) if isinstance(value, str)
                   else value for key, value in exporter[1].items()}
        pipeline = {"receivers": ["otlp"], "processors": list(processors),
                    "exporters": [exporter[0]]}
        weir = self.weir({
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}"}}}},
            "processors": {name: {} for name in processors},
            "exporters": {exporter[0]: options},
            "service": {"telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {s: pipeline for s in ("traces", "metrics", "logs")}},
        })
        code, summary, _ = load("-e", f"127.0.0.1:{port}", "-c", 2, "-s", "traces,metrics,logs",
                                *load_args)
        ledger = self.stop_cleanly(weir)
        sink_code, counts = sink.stop()
        self.assertEqual((code, sink_code), (0, 0))
        self.assertEqual((counts["duplicates"], counts["bad_crc"], counts["unnumbered"]), (0, 0, 0))
        self.assertEqual(counts["items"], summary["items_acknowledged"])
        return summary, counts, ledger

    def test_every_item_arrives(self):
        insecure = {"insecure": True}
        for exporter in (("otlp_grpc", {"endpoint": "{grpc}", "tls": insecure}),
                         ("otlp_http", {"endpoint": "http://{http}"}),
                         ("otlp_http", {"endpoint": "http://{http}", "encoding": "json",
                                        "compression": "none"})):
            for processors in ((), ("batch",)):
                with self.subTest(f"{exporter} {processors}"):
                    summary, counts, _ = self.run_through(exporter, ("-n", 6000),
                                                          processors=processors)
                    self.assertEqual(summary["items_acknowledged"], 6000)
                    self.assertEqual(counts["missing"], 0)

    def test_tls_and_http_2(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            cert, key = certificate(pathlib.Path(folder))
            tls = {"ca_file": str(cert)}
            for exporter in (("otlp_grpc", {"endpoint": "{grpc}", "tls": tls}),
                             ("otlp_http", {"endpoint": "https://{http}", "tls": tls}),
                             ("otlp_http", {"endpoint": "https://{http}", "tls": tls,
                                            "force_attempt_http2": False})):
                with self.subTest(str(exporter)):
                    self.run_through(exporter, ("-n", 3000),
                                     (f"--cert={cert}", f"--key={key}"))

    def test_half_of_the_requests_refused(self):
        summary, counts, ledger = self.run_through(
            ("otlp_grpc", {"endpoint": "{grpc}", "tls": {"insecure": True}, **DIRECT}), ("-n", 6000),
            ("--fail-rate=0.5", "--delay=1ms"))
        self.assertGreater(summary["items_refused"], 0)
        self.assertEqual(summary["items_acknowledged"] + summary["items_refused"], 6000)
        self.assertEqual(counts["items"], summary["items_acknowledged"])
        self.assertEqual(sum(ledger.row(s, "exporter", "otlp_grpc")["out"]
                             for s in ("traces", "metrics", "logs")), counts["items"])

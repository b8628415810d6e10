# SPDX-License-Identifier: Apache-2.0
"""The running collector: its log, its metrics, signals, workers."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from weirtest import TestCase, Weir, free_port, messages, paths, prom, rpc, wait_for
from weirtest.ledger import Ledger

IDLE = """\
receivers: {nop: }
exporters: {nop: }
service:
  telemetry: {metrics: {level: none}%s}
  pipelines:
    traces: {receivers: [nop], exporters: [nop]}
"""
BUSY = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)s"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 4000}
  batch: {timeout: 10ms}
exporters:
  nop:
  otlp_grpc: {endpoint: "127.0.0.1:%(sink)s", tls: {insecure: true}}
service:
  telemetry:
    metrics: %(metrics)s
    %(resource)s
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}
    logs: {receivers: [otlp], exporters: [nop]}
"""
PULL = "readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s%s}}}}]"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}\t(debug|info|warn|error)\t([^\t]*)(\t\{.*\})?")


def log_lines(stderr):
    """Everything before the ledger."""
    return stderr.split("ledger:\n")[0].splitlines()


class TestLogs(TestCase):
    def test_console(self):
        weir = self.weir(IDLE % "")
        lines = [LINE.fullmatch(line) for line in log_lines(self.ended(weir))]
        self.assertTrue(all(lines), weir.stderr)
        said = [line.group(2) for line in lines]
        for text in ("Starting weir...", "Everything is ready. Begin running and processing data.",
                     "Received signal from OS", "Starting shutdown..."):
            self.assertEqual(said.count(text), 1, text)
        resource = json.loads(lines[0].group(3))["resource"]
        self.assertEqual(set(resource), {"service.instance.id", "service.name", "service.version"})
        self.assertEqual(resource["service.name"], "weir")

    def test_json(self):
        weir = self.weir(IDLE % ", logs: {encoding: json, initial_fields: {team: a, shard: 3, on: true, "
                                "list: [1, x]}}, resource: {service.name: edge, service.version: null}")
        lines = [json.loads(line) for line in log_lines(self.ended(weir))]
        self.assertIn("Starting weir...", [line["msg"] for line in lines])
        for line in lines:
            self.assertLessEqual({"level", "ts", "msg", "resource", "team"}, set(line))
            self.assertEqual((line["team"], line["shard"], line["on"], line["list"]), ("a", 3, True, [1, "x"]))
            self.assertEqual(line["resource"]["service.name"], "edge")
            self.assertNotIn("service.version", line["resource"])

    def test_level_and_output(self):
        weir = self.weir(IDLE % ", logs: {level: error, output_paths: [./weir.log]}", ready=False)
        wait_for(lambda: (weir.folder / "weir.log").exists(), what="the log file")
        wait_for(lambda: self.signals_are_handled(weir), what="handled signals")
        ended = weir.stop()
        self.assertEqual(ended.code, 0, ended.stderr)
        self.assertEqual(log_lines(ended.stderr), [])

    @staticmethod
    def signals_are_handled(weir):
        with open(f"/proc/{weir.pid}/status", encoding="ascii") as status:
            caught = int(re.search(r"^SigCgt:\s*([0-9a-f]+)", status.read(), re.MULTILINE).group(1), 16)
        return caught >> (signal.SIGTERM - 1) & 1

    def test_output_that_cannot_be_opened(self):
        weir = self.weir(IDLE % ", logs: {output_paths: [/nowhere/weir.log]}", ready=False)
        ended = weir.wait()
        self.assertEqual(ended.code, 1)
        self.assertIn("Error: failed to create logger: cannot open /nowhere/weir.log: No such file or directory\n",
                      ended.stderr)

    def ended(self, weir):
        ended = weir.stop()
        self.assertEqual(ended.code, 0, ended.stderr)
        return ended.stderr


class TestMetrics(TestCase):
    def start(self, metrics, resource=""):
        """Sends 10 spans and 3 log records through weir; returns it when the spans are accounted for."""
        self.sink = self.managed(rpc.Sink())
        port = free_port()
        weir = self.weir(BUSY % {"port": port, "sink": self.sink.port, "metrics": "{%s}" % metrics,
                                 "resource": resource})
        sender = self.managed(rpc.Sender(port))
        self.assertEqual(sender.export("traces", messages.simple("traces", 10)).code, "OK")
        self.assertEqual(sender.export("logs", messages.simple("logs", 3)).code, "OK")
        self.sink.wait_count("traces", 10)
        return weir

    def scrape_settled(self, port, name="otelcol_exporter_sent_spans"):
        return wait_for(lambda: (lambda m: m if m.value(name) >= 10 else None)(prom.scrape(port)),
                        what=f"{name} of 10")

    def test_names_labels_types(self):
        port = free_port()
        self.start(PULL % (port, ""))
        metrics = self.scrape_settled(port)
        self.assertEqual(metrics.find("otelcol_receiver_accepted_spans"),
                         [("otelcol_receiver_accepted_spans", {"receiver": "otlp", "transport": "grpc"}, 10.0)])
        self.assertEqual(metrics.find("otelcol_receiver_refused_spans"),
                         [("otelcol_receiver_refused_spans", {"receiver": "otlp", "transport": "grpc"}, 0.0)])
        self.assertEqual(metrics.find("otelcol_receiver_failed_spans"),
                         [("otelcol_receiver_failed_spans", {"receiver": "otlp", "transport": "grpc"}, 0.0)])
        self.assertEqual(metrics.value("otelcol_receiver_accepted_log_records", receiver="otlp"), 3)
        sent = metrics.find("otelcol_exporter_sent_spans")
        self.assertEqual([s[2] for s in sent], [10.0])
        self.assertEqual(sent[0][1], {"exporter": "otlp_grpc", "server_address": "127.0.0.1",
                                      "server_port": str(self.sink.port)})
        self.assertEqual(metrics.value("otelcol_exporter_sent_log_records", exporter="nop"), 3)
        self.assertEqual(metrics.find("otelcol_exporter_send_failed_spans"), [])
        self.assertEqual(metrics.value("otelcol_processor_incoming_items", processor="memory_limiter",
                                       otel_signal="traces"), 10)
        self.assertEqual(metrics.find("otelcol_processor_incoming_items", processor="batch"), [])
        self.assertEqual(metrics.value("otelcol_processor_memory_limiter_accepted_spans"), 10)
        self.assertEqual(metrics.value("otelcol_processor_batch_batch_send_size_sum"), 10)
        for name, kind in {
                "otelcol_receiver_accepted_spans": "counter", "otelcol_exporter_sent_spans": "counter",
                "otelcol_process_uptime": "counter", "otelcol_process_cpu_seconds": "counter",
                "otelcol_process_memory_rss": "gauge", "otelcol_process_runtime_heap_alloc_bytes": "gauge",
                "otelcol_process_runtime_total_sys_memory_bytes": "gauge", "target_info": "gauge",
                "otelcol_processor_batch_batch_send_size": "histogram",
                "promhttp_metric_handler_errors_total": "counter", "weir_ledger_items": "counter",
                "weir_ledger_held_items": "gauge"}.items():
            self.assertEqual(metrics.types.get(name), kind, name)
        self.assertGreater(metrics.value("otelcol_process_memory_rss"), 1e6)
        self.assertGreater(metrics.value("otelcol_process_uptime"), 0)
        [(_, info, one)] = metrics.find("target_info")
        self.assertEqual((one, info["service_name"]), (1.0, "weir"))
        self.assertEqual(set(info), {"service_name", "service_version", "service_instance_id"})
        self.assertEqual(metrics.value("weir_ledger_items", kind="processor", id="batch", state="sent"), 10)

    def test_labels_do_not_follow_the_data(self):
        """A thousand services later there are as many series as before."""
        port = free_port()
        weir = self.start(PULL % (port, ""))
        before = len(self.scrape_settled(port).samples)
        config = (weir.folder / "config.yaml").read_text()
        sender = self.managed(rpc.Sender(int(re.search(r'endpoint: "127.0.0.1:(\d+)"', config).group(1))))
        for _ in range(50):
            sender.export("traces", messages.simple("traces", 1))
        wait_for(lambda: prom.scrape(port).value("otelcol_exporter_sent_spans") == 60, what="60 spans")
        self.assertEqual(len(prom.scrape(port).samples), before)

    def test_levels(self):
        for level, shown in (("basic", set()),
                             ("normal", {"otelcol_processor_batch_batch_send_size_sum"}),
                             ("detailed", {"otelcol_processor_batch_batch_send_size_sum",
                                           "otelcol_processor_batch_batch_send_size_bytes_sum"})):
            with self.subTest(level=level):
                port = free_port()
                weir = self.start(f"level: {level}, {PULL % (port, '')}")
                names = self.scrape_settled(port).names()
                self.assertEqual({n for n in names if n.startswith("otelcol_processor_batch_batch_send_size") and
                                  n.endswith("_sum")}, shown)
                self.assertIn("otelcol_process_uptime", names)
                weir.kill()

    def test_level_none_listens_nowhere(self):
        port = free_port()
        self.start(f"level: none, {PULL % (port, '')}")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5).close()

    def test_address_of_old(self):
        port = free_port()
        self.start(f'address: "127.0.0.1:{port}"')
        self.assertEqual(self.scrape_settled(port).value("otelcol_exporter_sent_spans"), 10)

    def test_suffixes_and_constant_labels(self):
        port = free_port()
        self.start(PULL % (port, ", without_type_suffix: false, without_scope_info: false, "
                                 "with_resource_constant_labels: {included: [team, 'zo*'], excluded: [zoo]}"),
                   resource='resource: {team: "a \\"b\\"", zone: x, zoo: y}')
        metrics = self.scrape_settled(port, "otelcol_exporter_sent_spans_total")
        [(_, labels, _)] = metrics.find("otelcol_receiver_accepted_spans_total")
        self.assertEqual(labels, {"receiver": "otlp", "transport": "grpc", "team": 'a "b"', "zone": "x",
                                  "otel_scope_name": "weir", "otel_scope_version": labels["otel_scope_version"]})
        self.assertIn("otelcol_process_uptime_seconds_total", metrics.names())
        self.assertIn("otelcol_process_memory_rss_bytes", metrics.names())
        self.assertIn("otelcol_process_runtime_heap_alloc_bytes", metrics.names())
        self.assertIn("promhttp_metric_handler_errors_total", metrics.names())

    def test_other_paths(self):
        port = free_port()
        self.weir(IDLE.replace("level: none", PULL % (port, "")) % "")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))

    def test_taken_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            weir = self.weir(IDLE.replace("level: none", PULL % (port, "")) % "", ready=False)
            ended = weir.wait()
        self.assertEqual(ended.code, 1)
        self.assertRegex(ended.stderr, rf"(?m)^Error: binding address 127\.0\.0\.1:{port} for the Prometheus "
                         r"exporter: .*address already in use")


class TestSignals(TestCase):
    def test_sigterm_and_sigint(self):
        for number, word in ((signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupt")):
            weir = self.weir(IDLE % "")
            weir.child.signal(number)
            ended = weir.wait()
            self.assertEqual(ended.code, 0, ended.stderr)
            self.assertIn(f'"signal": "{word}"', ended.stderr)
            self.assertTrue(Ledger(ended.stderr).closes)
            self.assertTrue(ended.stderr.rstrip().splitlines()[-1].split("\t")[2].startswith("Shutdown complete."))

    def test_second_signal_ends_at_once(self):
        """The first one waits for a destination that does not answer."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = free_port()
            weir = self.weir(BUSY % {"port": port, "sink": silent.getsockname()[1], "metrics": "{level: none}",
                                     "resource": ""}, args=["--drain-timeout", "60s"])
            sender = self.managed(rpc.Sender(port))
            self.assertEqual(sender.export("traces", messages.simple("traces", 1)).code, "OK")
            weir.child.signal(signal.SIGTERM)
            weir.child.wait_line("Starting shutdown...")
            weir.child.signal(signal.SIGTERM)
            self.assertEqual(weir.wait(5).code, 128 + signal.SIGTERM)

    def test_drain_timeout(self):
        """What could not be delivered in time is in the ledger, with its reason."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = free_port()
            weir = self.weir(BUSY % {"port": port, "sink": silent.getsockname()[1], "metrics": "{level: none}",
                                     "resource": ""}, args=["--drain-timeout", "300ms"])
            sender = self.managed(rpc.Sender(port))
            self.assertEqual(sender.export("traces", messages.simple("traces", 7)).code, "OK")
            ended = weir.stop()
        self.assertEqual(ended.code, 0, ended.stderr)
        self.assertIn("Shutdown deadline is over: what is still held is dropped", ended.stderr)
        ledger = Ledger(ended.stderr)
        self.assertTrue(ledger.closes, ended.stderr)
        self.assertEqual(ledger.row("traces", "exporter", "otlp_grpc")["drops"], {"shutdown": 7}, ended.stderr)

    def test_taken_port_of_a_receiver(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            weir = Weir(BUSY % {"port": port, "sink": 9, "metrics": "{level: none}", "resource": ""}, ready=False)
            self.addCleanup(weir.kill)
            ended = weir.wait()
        self.assertEqual(ended.code, 1, ended.stderr)
        self.assertRegex(ended.stderr, r'(?m)^Error: \S+\.yaml:2:3: receivers::otlp: cannot start pipelines: failed to '
                                       r'start "otlp" receiver: ')

    def test_files_that_cannot_be_used(self):
        """The error of a start tells the place in the configuration, and which file it is."""
        with tempfile.TemporaryDirectory(prefix="weirtest.start.") as folder:
            junk, none = f"{folder}/junk.pem", f"{folder}/none"
            with open(junk, "w") as file:
                file.write("no key\n")
            tls = f"tls: {{cert_file: {junk}, key_file: {junk}}}}}"
            text = BUSY % {"port": 0, "sink": 9, "metrics": "{level: none}", "resource": ""}
            token = f"extensions:\n  bearertokenauth: {{filename: {none}}}\n" + text.replace(
                "service:\n", "service:\n  extensions: [bearertokenauth]\n")
            for config, place, what in (
                    (text.replace('127.0.0.1:0"}', f'127.0.0.1:0", {tls}'), "2:3: receivers::otlp: cannot start pipelines: "
                     'failed to start "otlp" receiver: ', f"key input {junk}: "),
                    (text.replace("insecure: true", f"ca_file: {none}"), "8:3: exporters::otlp_grpc: cannot start pipelines"
                     ': failed to start "otlp_grpc" exporter: ', f"open {none}: no such file or directory"),
                    (token, "2:3: extensions::bearertokenauth: failed to start extensions: failed to start "
                     '"bearertokenauth" extension: ', none)):
                with self.subTest(place):
                    weir = Weir(config, ready=False)
                    self.addCleanup(weir.kill)
                    ended = weir.wait()
                    self.assertEqual(ended.code, 1, ended.stderr)
                    line, = re.findall(r"(?m)^Error: (.*)", ended.stderr)
                    self.assertIn(f".yaml:{place}", line)
                    self.assertIn(what, line)

    def test_log_that_nobody_reads(self):
        """A log pipe whose reader has gone does not end weir."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(IDLE % "")
            config.flush()
            with subprocess.Popen([paths.weir_bin(), "--config", config.name], stderr=subprocess.PIPE,
                                  env={**os.environ, **paths.weir_env()}) as weir:
                while b"Everything is ready" not in weir.stderr.readline():
                    self.assertIsNone(weir.poll())
                weir.stderr.close()
                weir.send_signal(signal.SIGHUP)
                weir.send_signal(signal.SIGTERM)
                self.assertEqual(weir.wait(20), 0)


class TestWorkers(TestCase):
    def test_two_workers(self):
        sink = self.managed(rpc.Sink())
        port, metrics = free_port(), free_port()
        weir = self.weir(BUSY % {"port": port, "sink": sink.port, "metrics": "{%s}" % (PULL % (metrics, "")),
                                 "resource": ""}, args=["--workers", "2"])
        self.assertIn('"workers": 2', weir.stderr)
        for _ in range(20):
            sender = rpc.Sender(port)
            self.assertEqual(sender.export("traces", messages.simple("traces", 5)).code, "OK")
            sender.close()
        sink.wait_count("traces", 100)
        wait_for(lambda: prom.scrape(metrics).value("otelcol_exporter_sent_spans") == 100, what="100 spans")
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("traces", "receiver", "otlp")["accepted"], 100)
        self.assertEqual(ledger.row("traces", "exporter", "otlp_grpc")["out"], 100)

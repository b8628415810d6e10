# SPDX-License-Identifier: Apache-2.0
"""SIGHUP and `weir reload`: what changed is replaced, what did not is left alone, nothing is lost."""

import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

from weirtest import TestCase, free_port, messages, prom, rpc, wait_for
from weirtest.weir import run

DONE = "Configuration reloaded"
SAME = "Configuration is unchanged"
REFUSED = "Configuration not reloaded"
CONFIG = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)s"}}}
processors:
  batch: {timeout: %(timeout)s}
exporters:
  otlp_grpc: {endpoint: "127.0.0.1:%(sink)s", tls: {insecure: true}}
  nop:
service:
  telemetry: {logs: {level: %(level)s}, metrics: {%(metrics)s}}
  pipelines:
    traces: {receivers: [otlp], processors: [%(processors)s], exporters: [otlp_grpc]}%(more)s
"""
PULL = "readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s%s}}}}]"


def config(port, sink, **changes):
    values = {"timeout": "10ms", "level": "info", "metrics": "level: none", "processors": "batch", "more": ""}
    return CONFIG % {"port": port, "sink": sink, **values, **changes}


class Reloads(TestCase):
    def rewrite(self, weir, text):
        (weir.folder / "config.yaml").write_text(text)

    def reload(self, weir, text=None):
        """`weir reload`, on a new configuration if there is one; returns Done(code, stdout, stderr)."""
        if text is not None:
            self.rewrite(weir, text)
        return run("reload", weir.pid)

    def reloaded(self, weir, text=None):
        done = self.reload(weir, text)
        self.assertEqual(done.code, 0, done.stderr)
        return done.stdout.strip()

    def send(self, sender, count, at="traces"):
        self.assertEqual(sender.export(at, messages.simple(at, count)).code, "OK")


class TestOutcomes(Reloads):
    def test_sighup(self):
        port, sink = free_port(), self.managed(rpc.Sink())
        weir = self.weir(config(port, sink.port))
        self.rewrite(weir, config(port, sink.port, timeout="20ms"))
        weir.child.signal(signal.SIGHUP)
        weir.child.wait_line(DONE)
        self.assertIn('"signal": "hangup"', weir.stderr)
        self.assertRegex(weir.stderr, DONE + r".*\"started\": 1, \"stopped\": 1, \"seconds\": [0-9]")
        self.stop_cleanly(weir)

    def test_identical(self):
        """Comments, the order of keys and quotes around words are no change."""
        port, sink = free_port(), self.managed(rpc.Sink())
        text = config(port, sink.port)
        weir = self.weir(text)
        sender = self.managed(rpc.Sender(port))
        self.send(sender, 1)
        self.assertEqual(self.reloaded(weir), "the configuration is unchanged")
        text = "# a comment\n" + text.replace('{endpoint: "127.0.0.1:%s", tls: {insecure: true}}' % sink.port,
                                              '{tls: {insecure: true}, endpoint: 127.0.0.1:%s}' % sink.port)
        self.assertEqual(self.reloaded(weir, text), "the configuration is unchanged")
        self.send(sender, 1)
        sink.wait_count("traces", 2)
        self.assertEqual(weir.stderr.count(SAME), 2)
        self.stop_cleanly(weir)

    def test_invalid(self):
        """Nothing changes; every error is told with its place, to the log and to who asked."""
        port, sink = free_port(), self.managed(rpc.Sink())
        weir = self.weir(config(port, sink.port))
        sender = self.managed(rpc.Sender(port))
        done = self.reload(weir, config(port, sink.port, timeout="soon", processors="batch, absent"))
        self.assertEqual(done.code, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("Error: the configuration was not reloaded, the one before runs on: invalid configuration: 2 "
                      "errors", done.stderr)
        for text in (done.stderr, weir.stderr):
            self.assertRegex(text, r"config\.yaml:4:20: processors::batch::timeout: ")
            self.assertRegex(text, r"config\.yaml:11:\d+: service::pipelines::traces: references processor .?\"absent")
        self.assertIn(REFUSED, weir.stderr)
        self.send(sender, 3)
        sink.wait_count("traces", 3)
        self.assertTrue(weir.running())
        self.assertEqual(self.reloaded(weir, config(port, sink.port)), "the configuration is unchanged")
        self.stop_cleanly(weir)

    def test_config_that_is_gone(self):
        port, sink = free_port(), self.managed(rpc.Sink())
        weir = self.weir(config(port, sink.port))
        (weir.folder / "config.yaml").unlink()
        done = self.reload(weir)
        self.assertEqual(done.code, 1)
        self.assertIn("cannot retrieve the configuration", done.stderr)
        self.stop_cleanly(weir)

    def test_component_that_does_not_start(self):
        """A port that somebody else has: all is as before, also what had been started."""
        port, other, sink = free_port(), free_port(), self.managed(rpc.Sink())
        weir = self.weir(config(port, sink.port))
        sender = self.managed(rpc.Sender(port))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", other))
            taken.listen()
            done = self.reload(weir, config(other, sink.port, timeout="1ms"))
            self.assertEqual(done.code, 1)
            self.assertIn("address already in use", done.stderr)
        self.send(sender, 3)
        sink.wait_count("traces", 3)
        self.assertEqual(self.reloaded(weir), "reloaded: 2 component instances started, 2 stopped")
        moved = self.managed(rpc.Sender(other))
        self.send(moved, 4)
        sink.wait_count("traces", 7)
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("traces", "receiver", "otlp")["accepted"], 7)

    def test_environment_is_read_again(self):
        """Also what stands in files that the configuration names."""
        port, sink, second = free_port(), self.managed(rpc.Sink()), self.managed(rpc.Sink())
        text = config(port, "X").replace("127.0.0.1:X", "${file:target}")
        weir = self.weir(text.replace("${file:target}", "127.0.0.1:%s" % sink.port))
        target = weir.folder / "target"
        target.write_text("127.0.0.1:%s" % sink.port)
        self.assertEqual(self.reloaded(weir, text), "reloaded: 1 component instance started, 1 stopped")
        target.write_text("127.0.0.1:%s" % second.port)
        self.assertEqual(self.reloaded(weir), "reloaded: 1 component instance started, 1 stopped")
        sender = self.managed(rpc.Sender(port))
        self.send(sender, 2)
        second.wait_count("traces", 2)
        self.stop_cleanly(weir)


class TestTelemetry(Reloads):
    def setUp(self):
        self.port, self.sink = free_port(), self.managed(rpc.Sink())

    def text(self, **changes):
        return config(self.port, self.sink.port, **changes)

    def test_log(self):
        """A level takes effect; so do other files, and what cannot be opened changes nothing."""
        weir = self.weir(self.text())
        self.assertEqual(self.reloaded(weir, self.text(level="error")), "reloaded: 0 component instances started, 0 stopped")
        lines = len(weir.stderr.splitlines())
        self.assertEqual(self.reloaded(weir, self.text(level="error")), "the configuration is unchanged")
        self.assertEqual(len(weir.stderr.splitlines()), lines)
        folder = tempfile.TemporaryDirectory(prefix="weirtest.log.")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "weir.log"
        self.reloaded(weir, self.text(level=f"info, output_paths: [{path}]"))
        self.assertEqual(self.reloaded(weir), "the configuration is unchanged")
        self.assertIn(SAME, path.read_text())
        done = self.reload(weir, self.text(level=f"info, output_paths: [{folder.name}/absent/weir.log]", timeout="1ms"))
        self.assertEqual(done.code, 1)
        self.assertIn("absent/weir.log", done.stderr)
        self.assertIn(REFUSED, path.read_text())
        self.reloaded(weir, self.text())
        self.stop_cleanly(weir)

    def test_metrics(self):
        """Counters go on over a replaced instance; an address that stays is never closed."""
        first, second = free_port(), free_port()
        weir = self.weir(self.text(metrics=PULL % (first, "")))
        sender = self.managed(rpc.Sender(self.port))
        sent = lambda port: prom.scrape(port).value("otelcol_exporter_sent_spans")
        self.send(sender, 3)
        wait_for(lambda: sent(first) == 3, what="three spans are counted")
        other = self.managed(rpc.Sink())
        with socket.create_connection(("127.0.0.1", first), 5) as open_connection:
            self.reloaded(weir, config(self.port, other.port, metrics=PULL % (first, ", without_scope_info: false")))
            open_connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(open_connection.recv(15).startswith(b"HTTP/1.1 200 OK"))
        self.send(sender, 4)
        wait_for(lambda: sum(s[2] for s in prom.scrape(first).find("otelcol_exporter_sent_spans")) == 7,
                 what="seven spans are counted")
        reloads = prom.scrape(first)
        self.assertTrue(any(labels.get("otel_scope_name") for _, labels, _ in reloads.samples))
        self.reloaded(weir, self.text(metrics=PULL % (second, "")))
        self.assertRaises(OSError, prom.scrape, first)
        self.assertEqual(sum(s[2] for s in prom.scrape(second).find("otelcol_exporter_sent_spans")), 7)
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", first))
            taken.listen()
            done = self.reload(weir, self.text(metrics=PULL % (first, ""), timeout="1ms"))
            self.assertEqual(done.code, 1)
            self.assertIn("address already in use", done.stderr)
        self.assertEqual(prom.scrape(second).value("weir_config_reloads", outcome="refused"), 1)
        self.stop_cleanly(weir)


class TestHealthCheck(Reloads):
    def setUp(self):
        self.port, self.sink, self.health = free_port(), self.managed(rpc.Sink()), free_port()
        self.statuses = []

    def text(self, body=None, **changes):
        extension = "" if body is None else (
            "\nextensions:\n  health_check: {endpoint: \"127.0.0.1:%d\", response_body: {healthy: \"%s\"}}\n"
            % (self.health, body))
        text = config(self.port, self.sink.port, **changes) + extension
        return text.replace("service:\n", "service:\n  extensions: [health_check]\n") if extension else text

    def ask(self):
        """(status, body) of one request on a connection of its own, or the exception's name."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return type(error).__name__, str(error)

    def test_comes_and_goes(self):
        weir = self.weir(self.text())
        self.assertEqual(self.ask()[0], "URLError")
        self.reloaded(weir, self.text("one"))
        self.assertEqual(self.ask(), (200, "one"))
        self.assertEqual(self.reload(weir, self.text("two", timeout="soon")).code, 1)
        self.assertEqual(self.ask(), (200, "one"))
        self.reloaded(weir, self.text())
        self.assertEqual(self.ask()[0], "URLError")
        self.stop_cleanly(weir)

    def test_is_ready_throughout(self):
        """While it is replaced, while others are, and while a new one is given up again."""
        weir = self.weir(self.text("0"))
        over = threading.Event()

        def poll():
            while not over.is_set():
                self.statuses.append(self.ask()[0])
        poller = threading.Thread(target=poll)
        poller.start()
        try:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                for number in range(1, 11):
                    self.reloaded(weir, self.text(str(number), timeout=f"{number}ms"))
                    self.assertEqual(self.ask(), (200, str(number)))
                    done = self.reload(weir, self.text("bad").replace(str(self.port), str(taken.getsockname()[1])))
                    self.assertIn("address already in use", done.stderr)
                    seen = len(self.statuses)
                    wait_for(lambda: len(self.statuses) > seen + 1, what="the health check is asked")
        finally:
            over.set()
            poller.join()
        self.assertEqual(set(self.statuses), {200})
        self.stop_cleanly(weir)

    def test_not_ready_at_the_end(self):
        """A shutdown that waits for a destination says so."""
        weir = self.weir(self.text("up", timeout="1ms"), args=["--drain-timeout", "20s"])
        self.reloaded(weir, self.text("still up", timeout="60s"))
        held = threading.Event()
        slow = self.managed(rpc.Sink(lambda signal, number: held.wait(10) and None))
        self.reloaded(weir, self.text("still up", timeout="60s").replace(str(self.sink.port), str(slow.port)))
        sender = self.managed(rpc.Sender(self.port))
        self.send(sender, 1)
        weir.child.signal(signal.SIGTERM)
        wait_for(lambda: self.ask()[0] == 503, what="the health check says that weir is not ready")
        held.set()
        self.assertEqual(weir.wait().code, 0)


class TestCertificates(Reloads):
    """TLS files named anew by a reload; those that change in place are followed without one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.tls.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("a", "b"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-days", "30", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem"],
                           check=True, capture_output=True)
        self.port, self.sink = free_port(), self.managed(rpc.Sink())

    def text(self, name):
        tls = "tls: {cert_file: %s, key_file: %s}" % tuple(self.folder / f"{name}.{end}" for end in ("pem", "key"))
        return config(self.port, self.sink.port).replace('127.0.0.1:%s"' % self.port, '127.0.0.1:%s", %s' % (self.port, tls))

    def connect(self, name):
        context = ssl.create_default_context(cafile=self.folder / f"{name}.pem")
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 5), server_hostname="127.0.0.1")

    def test_receiver(self):
        weir = self.weir(self.text("a"))
        self.connect("a").close()
        self.assertEqual(self.reloaded(weir, self.text("b")), "reloaded: 1 component instance started, 1 stopped")
        self.connect("b").close()
        self.assertRaises(ssl.SSLError, self.connect, "a")
        (self.folder / "c.pem").write_text("no certificate\n")
        (self.folder / "c.key").write_text("no key\n")
        done = self.reload(weir, self.text("c"))
        self.assertEqual(done.code, 1)
        self.assertIn('failed to start "otlp" receiver: failed to load TLS config', done.stderr)
        self.connect("b").close()
        self.stop_cleanly(weir)


class TestGrowth(Reloads):
    def figures(self, weir):
        """(KiB, descriptors, threads)"""
        text = pathlib.Path(f"/proc/{weir.pid}/status").read_text()
        numbers = (int(re.search(rf"{name}:\s+(\d+)", text).group(1)) for name in ("VmRSS", "Threads"))
        return next(numbers), len(os.listdir(f"/proc/{weir.pid}/fd")), next(numbers)

    def test_many_reloads(self):
        """Nothing is left of what was replaced."""
        ports, sink = [free_port(), free_port()], self.managed(rpc.Sink())
        weir = self.weir(config(ports[0], sink.port), args=["--workers", "2"])

        def reload(count):
            for number in range(count):
                timeout = "soon" if number % 5 == 4 else f"{number % 3}ms"
                text = config(ports[number % 2], sink.port, timeout=timeout, level="error" if number % 3 else "info",
                              metrics=PULL % (metrics, "") if number % 4 else "level: none")
                self.assertEqual(self.reload(weir, text).code, 1 if timeout == "soon" else 0)
            self.reloaded(weir, config(ports[0], sink.port))
        metrics = free_port()
        reload(40)
        before = self.figures(weir)
        reload(120)
        wait_for(lambda: self.figures(weir)[1] <= before[1], what=lambda: f"{before}, {self.figures(weir)} descriptors")
        after = self.figures(weir)
        self.assertLessEqual(after[2], before[2], "threads")
        if not weir.sanitized():
            self.assertLessEqual(after[0] - before[0], 256, "KiB")
        self.stop_cleanly(weir)


class TestReloadCommand(TestCase):
    def test_no_such_process(self):
        done = run("reload", 2 ** 22 + 1)
        self.assertEqual((done.code, done.stderr), (1, "Error: there is no process 4194305\n"))

    def test_another_program(self):
        done = run("reload", os.getpid())
        self.assertEqual((done.code, done.stderr),
                         (1, f"Error: process {os.getpid()} is not a collector that runs\n"))

    def test_wrong_usage(self):
        for arguments in ([], ["x"], ["0"], ["-1"], ["1", "2"]):
            self.assertEqual(run("reload", *arguments).code, 2, arguments)

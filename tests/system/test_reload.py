# SPDX-License-Identifier: Apache-2.0
"""SIGHUP and `weir reload`: what changed is replaced, what did not is left alone, nothing is lost."""

import os
import signal
import socket

from weirtest import TestCase, free_port, messages, rpc, wait_for
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
        self.assertRegex(weir.stderr, DONE + r".*\"started\": 1, \"stopped\": 1, \"seconds\": 0\.0")
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

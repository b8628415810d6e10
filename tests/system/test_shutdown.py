# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: what was answered is delivered, or dropped and counted when that takes too long."""

import signal
import threading
import time

from weirtest import TestCase, free_port, load, messages, rawhttp, rpc, wait_for
from weirtest.ledger import Ledger
from weirtest.requests import PROTO

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
      http:
        endpoint: 127.0.0.1:{http}
processors:
  batch:
    timeout: {timeout}
    send_batch_size: 500
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
    timeout: 60s
    tls:
      insecure: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces: &pipeline
      receivers: [otlp]
      processors: [{processors}]
      exporters: [otlp]
    metrics: *pipeline
    logs: *pipeline
"""

STARTED = "Starting shutdown..."


class Shutdown(TestCase):
    def start(self, answer=None, processors="batch", timeout="200ms", args=()):
        self.sink = self.managed(rpc.Sink(answer, workers=8))
        self.grpc, self.http = free_port(), free_port()
        self.process = self.weir(
            CONFIG.format(grpc=self.grpc, http=self.http, sink=self.sink.port, timeout=timeout,
                          processors=processors), args=["--workers", "4", *args])

    def load(self, count, **options):
        self.sent = load.requests(messages.SIGNALS, [1 + n % 23 for n in range(count)])
        self.sending = self.managed(load.Load(self.sent, self.http, grpc_port=self.grpc, **options))
        return self.sending

    def black_hole(self):
        """An answer() for a sink that answers nobody before the test is over."""
        over = threading.Event()
        self.addCleanup(over.set)
        return lambda *_: over.wait(60) and ("ABORTED", "the test is over")

    def stop_under_load(self, after):
        """SIGTERM once `after` requests are answered, while more are being sent."""
        sending = self.load(30_000)
        wait_for(lambda: len(sending.answered) >= after, 30, "the load is on its way")
        self.assertLess(len(sending.answered), len(self.sent), "the load was over too early")
        # Whoever still sends is refused or finds the door closed.
        self.ledger = self.stop_cleanly(self.process)
        sending.stop()
        self.answered = sending.wait(20)

    def numbers(self, name):
        return sorted(n for r in self.sink.received if r.signal == name
                      for n in load.numbers(r.body))

    def assert_answered_is_delivered(self):
        """Each once; and nothing arrived that was refused."""
        for name in messages.SIGNALS:
            with self.subTest(name):
                delivered = self.numbers(name)
                self.assertEqual(len(delivered), len(set(delivered)), "some came twice")
                promised = set(load.items(name, self.answered))
                self.assertGreater(len(promised), 0)
                missing = promised - set(delivered)
                self.assertEqual(missing, set(), f"{len(missing)} answered OK and lost")
                row = self.ledger.row(name, "exporter", "otlp")
                self.assertEqual(row["out"], len(delivered))
                row = self.ledger.row(name, "receiver", "otlp")
                self.assertEqual(row["accepted"], len(delivered))
                # Refused during the shutdown: it must not have been delivered as well.
                refused = set(load.items(name, self.answered, (503,)))
                self.assertEqual(refused & set(delivered), set())

    def test_under_load_through_batch(self):
        self.start()
        self.stop_under_load(1500)
        self.assert_answered_is_delivered()

    def test_under_load_without_batch(self):
        self.start(processors="")
        self.stop_under_load(1000)
        self.assert_answered_is_delivered()

    def test_slow_sink(self):
        """What is held when the signal comes is sent on, however slow the sink."""
        self.start(lambda *_: time.sleep(0.3))
        self.stop_under_load(1000)
        self.assert_answered_is_delivered()

    def test_dead_sink_drops_and_counts(self):
        """A destination that never answers: after --drain-timeout what is held is dropped."""
        self.start(self.black_hole(), timeout="20ms", args=["--drain-timeout", "2s"])
        self.load(300)
        answered = self.sending.wait(20)
        self.assertEqual({a.outcome for a in answered}, {"OK", 200})
        began = time.monotonic()
        ledger = self.stop_cleanly(self.process)
        self.assertGreater(time.monotonic() - began, 1.5)
        self.assertLess(time.monotonic() - began, 15)
        for name in messages.SIGNALS:
            count = len(load.items(name, answered))
            row = ledger.row(name, "processor", "batch", name)
            self.assertEqual((row["accepted"], row["out"], row["dropped"]), (count, 0, count))

    def test_dead_sink_tells_who_waits(self):
        """Without batch nobody was promised anything: the waiting clients are told to come back."""
        self.start(self.black_hole(), processors="", args=["--drain-timeout", "1s"])
        self.load(20)
        wait_for(lambda: self.sink.requests >= 6, 10, "the sink has all that can be under way")
        ledger = self.stop_cleanly(self.process)
        self.sending.stop()
        answered = self.sending.wait(20)
        self.assertEqual({a.outcome for a in answered if isinstance(a.outcome, int)}, {503})
        # Both say that it may be sent again.
        self.assertLessEqual({a.outcome for a in answered if isinstance(a.outcome, str)},
                             {"CANCELLED", "UNAVAILABLE"})
        self.assertEqual(self.sending.unknown, [])
        for name in messages.SIGNALS:
            self.assertEqual(ledger.row(name, "receiver", "otlp")["accepted"], 0)

    def test_unreachable_sink(self):
        """Nobody listens there: the loss is counted and nothing waits for the deadline."""
        self.start()
        self.sink.close()
        self.load(300)
        answered = self.sending.wait(20)
        began = time.monotonic()
        ledger = self.stop_cleanly(self.process)
        self.assertLess(time.monotonic() - began, 15)
        for name in messages.SIGNALS:
            count = len(load.items(name, answered))
            row = ledger.row(name, "processor", "batch", name)
            self.assertEqual(row["drops"], {"send_failed": count})

    def test_clients_that_left(self):
        """Their requests go on without them; an answer that nobody waits for does no harm."""
        left = threading.Event()
        self.start(lambda *_: left.wait(60) and None, processors="")
        sender = self.managed(rpc.Sender(self.grpc))
        sent = load.requests(messages.SIGNALS, [2] * 18)
        for number, one in enumerate(sent):
            left.clear()
            if number % 2:
                with rawhttp.Connection(self.http) as connection:
                    connection.send(rawhttp.encode("POST", messages.http_path(one.signal),
                                                   {"Content-Type": PROTO}, one.body))
                    wait_for(lambda: self.sink.requests > number, what="the request is passed on")
            else:
                call = sender.begin(one.signal, one.body)
                wait_for(lambda: self.sink.requests > number, what="the request is passed on")
                call.cancel()
            left.set()
        ledger = self.stop_cleanly(self.process)
        for name in messages.SIGNALS:
            self.assertEqual(len(self.numbers(name)), 12)
            self.assertEqual(ledger.row(name, "receiver", "otlp")["accepted"], 12)
            self.assertEqual(ledger.row(name, "exporter", "otlp")["out"], 12)

    def test_silent_connections_do_not_hold_up_the_end(self):
        self.start()
        head = b"POST /v1/traces HTTP/1.1\r\nHost: weir\r\nContent-Length: 100\r\n"
        body = b"Content-Type: application/x-protobuf\r\n\r\n"
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
        for port, sent in ((self.http, b""), (self.http, head), (self.http, head + body + b"x"),
                           (self.grpc, b""), (self.grpc, preface)):
            self.managed(rawhttp.Connection(port)).send(sent)
        # By the time a later connection is served, they mostly are with their workers.
        self.assertEqual(rawhttp.request(self.http, "GET", "/v1/traces").status, 405)
        began = time.monotonic()
        self.stop_cleanly(self.process)
        self.assertLess(time.monotonic() - began, 20)

    def test_second_signal_ends_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM),
                              (signal.SIGTERM, signal.SIGINT)):
            with self.subTest(f"{first.name} {second.name}"):
                self.start(self.black_hole(), timeout="20ms")
                self.load(30)
                self.sending.wait(20)
                self.process.child.signal(first)
                self.process.child.wait_line(STARTED)
                began = time.monotonic()
                self.process.child.signal(second)
                ended = self.process.wait(20)
                self.assertLess(time.monotonic() - began, 15)
                self.assertEqual(ended.code, 128 + second)
                with self.assertRaises(ValueError):
                    Ledger(ended.stderr)

# SPDX-License-Identifier: Apache-2.0
"""More telemetry than memory: it is refused for now, and nothing that was accepted is lost."""

import threading

from weirtest import TestCase, free_port, load, messages, prom, rawhttp, rpc, wait_for

LIMIT_MIB = 40
# What the limit does not count: the program itself, the allocator's own, what is just being read.
BESIDES_MIB = 20
ITEMS = 10  # in each request
UNITS = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
      http:
        endpoint: 127.0.0.1:{http}
processors:
  memory_limiter:
    check_interval: 100ms
    limit_mib: {limit}
    spike_limit_mib: 8
  batch:
    timeout: 20ms
    send_batch_size: 300
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    timeout: 60s
    tls:
      insecure: true
service:
  telemetry:
    metrics:
      level: normal
      address: 127.0.0.1:{metrics}
  pipelines:
    traces: &pipeline
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp]
    metrics: *pipeline
    logs: *pipeline
"""

REFUSED = (503, "UNAVAILABLE")


class MemoryLimiter(TestCase):
    def setUp(self):
        self.later = []
        self.open = threading.Event()
        self.addCleanup(self.open.set)
        answer = lambda *_: None if self.open.wait(60) else ("ABORTED", "")
        self.sink = self.managed(rpc.Sink(answer, workers=32))
        self.grpc, self.http, self.metrics = free_port(), free_port(), free_port()
        self.process = self.weir(
            CONFIG.format(grpc=self.grpc, http=self.http, metrics=self.metrics,
                          sink=self.sink.port, limit=LIMIT_MIB), args=["--workers", "2"])

    def overload(self):
        """Sends much more than fits while the sink takes nothing, and returns the answers."""
        self.sent = load.requests(messages.SIGNALS, [ITEMS] * 900, 250_000)
        self.assertGreater(sum(len(r.body) for r in self.sent), 3 * LIMIT_MIB << 20)
        sending = self.managed(load.Load(self.sent, self.http, 12, self.grpc, 4))
        return sending.wait(50)

    def accepts(self):
        """True when a small request is accepted; it is one of those that have to arrive."""
        number = len(self.later)
        one = load.request("logs", 10_000_000 + number, 1, len(self.sent) + number)
        answer = rawhttp.post(self.http, "/v1/logs", one.body)
        self.assertIn(answer.status, (200, 503))
        if answer.status == 200:
            self.later.append(load.Answered(one, 200))
        return answer.status == 200

    def assert_refusals(self, answered):
        """Every refusal says "later", and each is counted: most before they were decoded."""
        outcomes = [a.outcome for a in answered]
        self.assertEqual(len(outcomes), len(self.sent))
        self.assertLessEqual(set(outcomes), {"OK", 200, *REFUSED})
        self.assertLessEqual({200, *REFUSED}, set(outcomes))
        metrics = prom.scrape(self.metrics)
        for signal, unit in UNITS.items():
            refused = sum(a.request.signal == signal and a.outcome in REFUSED for a in answered)
            early = metrics.value("weir_receiver_refused_requests", signal=signal, reason="memory")
            late = metrics.value(f"otelcol_processor_memory_limiter_refused_{unit}") / ITEMS
            self.assertEqual(early + late, refused)
            self.assertGreater(early, 0)

    def test_overload(self):
        answered = self.overload()
        self.assert_refusals(answered)
        if not self.process.sanitized():
            self.assertLess(self.process.peak_kib(), (LIMIT_MIB + BESIDES_MIB) << 10)

        self.open.set()
        wait_for(self.accepts, 20, "requests are accepted again")
        # What has been waiting goes out; from then on nothing is a reason to refuse.
        accepted = sum(len(load.items(signal, answered + self.later)) for signal in messages.SIGNALS)
        wait_for(lambda: sum(len(load.numbers(r.body)) for r in self.sink.received) >= accepted, 20,
                 lambda: f"{accepted} accepted items arrive", 0.2)
        for _ in range(20):
            self.assertTrue(self.accepts())
        ledger = self.stop_cleanly(self.process)
        for signal in messages.SIGNALS:
            with self.subTest(signal):
                accepted = load.items(signal, answered + self.later)
                delivered = sorted(n for r in self.sink.received if r.signal == signal
                                   for n in load.numbers(r.body))
                self.assertTrue(delivered == accepted,
                                f"{len(accepted)} accepted, {len(delivered)} delivered")
                self.assertEqual(ledger.row(signal, "receiver", "otlp")["accepted"], len(accepted))
                row = ledger.row(signal, "exporter", "otlp")
                self.assertEqual(row["out"], len(accepted))

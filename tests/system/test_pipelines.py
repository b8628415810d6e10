# SPDX-License-Identifier: Apache-2.0
"""Fan-out, shared exporters, connectors and several exporters at once, on two workers."""

import collections

from weirtest import (TestCase, canonical, free_port, load, messages, prom, rawhttp, rich, rpc,
                      wait_for)

RECEIVER = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
      http:
        endpoint: 127.0.0.1:{http}
"""

KEYS = {"traces": "resourceSpans", "metrics": "resourceMetrics", "logs": "resourceLogs"}

# From the receiver there are two ways to otlp/one, one to file and debug, one to otlp/two.
FAN_OUT = RECEIVER + """
processors:
  batch:
    timeout: 20ms
connectors:
  forward:
exporters:
  otlp/one: &otlp
    endpoint: 127.0.0.1:{one}
    tls:
      insecure: true
  otlp/two:
    <<: *otlp
    endpoint: 127.0.0.1:{two}
  file:
    path: telemetry.json
  debug:
    verbosity: {verbosity}
service:
  telemetry:
    metrics:
      level: normal
      address: 127.0.0.1:{metrics}
  pipelines:
    traces/batched: &batched
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp/one, file, debug]
    traces/direct: &direct
      receivers: [otlp]
      exporters: [forward, otlp/one]
    traces/forwarded: &forwarded
      receivers: [forward]
      processors: [batch]
      exporters: [otlp/two]
    metrics/batched: *batched
    metrics/direct: *direct
    metrics/forwarded: *forwarded
    logs/batched: *batched
    logs/direct: *direct
    logs/forwarded: *forwarded
"""

BRANCHES = RECEIVER + """
connectors:
  forward:
exporters:
  otlp/good: &otlp
    endpoint: 127.0.0.1:{good}
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
    tls:
      insecure: true
  otlp/bad:
    <<: *otlp
    endpoint: 127.0.0.1:{bad}
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    # In one pipeline, in another one, and behind a connector.
    traces:
      receivers: [otlp]
      exporters: [otlp/good, otlp/bad]
    logs/good:
      receivers: [otlp]
      exporters: [otlp/good]
    logs/bad:
      receivers: [otlp]
      exporters: [otlp/bad]
    metrics:
      receivers: [otlp]
      exporters: [forward, otlp/good]
    metrics/bad:
      receivers: [forward]
      exporters: [otlp/bad]
"""


class FanOut(TestCase):
    def start(self, verbosity="basic"):
        self.one, self.two = self.managed(rpc.Sink()), self.managed(rpc.Sink())
        self.grpc, self.http, self.metrics = free_port(), free_port(), free_port()
        self.process = self.weir(
            FAN_OUT.format(grpc=self.grpc, http=self.http, one=self.one.port, two=self.two.port,
                           metrics=self.metrics, verbosity=verbosity), args=["--workers", "4"])

    def file_lines(self):
        """What the file exporter wrote, as pairs of bytes and canonical form."""
        text = (self.process.folder / "telemetry.json").read_bytes()
        return [(line, canonical.from_json(line)) for line in text.splitlines()]

    def test_each_branch_gets_everything(self):
        self.start()
        sent = load.requests(messages.SIGNALS, [1 + n % 40 for n in range(900)])
        answered = self.managed(load.Load(sent, self.http, 4, self.grpc, 2)).wait(30)
        self.assertEqual({a.outcome for a in answered}, {"OK", 200})
        ledger = self.stop_cleanly(self.process)
        for signal in messages.SIGNALS:
            with self.subTest(signal):
                every = load.items(signal, answered)
                for sink, times in ((self.one, 2), (self.two, 1)):
                    found = collections.Counter(n for r in sink.received if r.signal == signal
                                                for n in load.numbers(r.body))
                    self.assertTrue(found == dict.fromkeys(every, times))
                found = sorted(n for line, groups in self.file_lines() if KEYS[signal] in groups
                               for n in load.numbers(line))
                self.assertTrue(found == every)
                self.assert_ledger(ledger, signal, len(every))

    def assert_ledger(self, ledger, signal, count):
        for kind, name, pipeline, times in (
                ("receiver", "otlp", None, 1), ("processor", "batch", f"{signal}/batched", 1),
                ("processor", "batch", f"{signal}/forwarded", 1), ("connector", "forward", None, 1),
                ("exporter", "otlp/one", None, 2), ("exporter", "otlp/two", None, 1),
                ("exporter", "file", None, 1), ("exporter", "debug", None, 1)):
            row = ledger.row(signal, kind, name, pipeline)
            self.assertEqual((row["accepted"], row["out"]), (times * count, times * count), row)

    def test_every_field_reaches_file_and_sinks(self):
        for verbosity in ("normal", "detailed"):
            with self.subTest(verbosity):
                self.start(verbosity)
                sender = self.managed(rpc.Sender(self.grpc))
                for signal in messages.SIGNALS:
                    self.assertEqual(sender.export(signal, rich.make(signal)).code, "OK")
                self.stop_cleanly(self.process)
                for signal in messages.SIGNALS:
                    sent = canonical.from_message(rich.make(signal))
                    for sink, times in ((self.one, 2), (self.two, 1)):
                        got = [canonical.from_message(m) for m in sink.parsed(signal)]
                        self.assert_same(canonical.resource_groups([sent] * times),
                                         canonical.resource_groups(got), signal)
                    lines = [groups for _, groups in self.file_lines() if KEYS[signal] in groups]
                    self.assert_same(canonical.resource_groups([sent]),
                                     canonical.resource_groups(lines), f"{signal} in the file")

    def test_metrics_are_the_ledger(self):
        self.start()
        sent = load.requests(messages.SIGNALS, [7] * 60)
        self.managed(load.Load(sent[::2], self.http, 2)).wait(30)
        self.managed(load.Load(sent[1::2], grpc_port=self.grpc, grpc=2)).wait(30)
        for signal in messages.SIGNALS:
            self.one.wait_count(signal, 2 * 140)
            self.two.wait_count(signal, 140)
        self.assertEqual(rawhttp.post(self.http, "/v1/logs", b"nonsense").status, 400)
        units = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}

        def settled():
            metrics = prom.scrape(self.metrics)
            done = all(metrics.value(f"otelcol_exporter_sent_{unit}", exporter="otlp/one") == 280
                       and metrics.value(f"otelcol_exporter_sent_{unit}", exporter="otlp/two") == 140
                       and metrics.value(f"otelcol_exporter_sent_{unit}", exporter="file") == 140
                       for unit in units.values())
            return metrics if done else None

        metrics = wait_for(settled, 10, "the exporters have sent everything")
        for signal, unit in units.items():
            by_transport = [metrics.value(f"otelcol_receiver_accepted_{unit}", receiver="otlp",
                                          transport=t) for t in ("http", "grpc")]
            self.assertEqual(sum(by_transport), 140)
            self.assertGreater(min(by_transport), 0)
        ledger = self.stop_cleanly(self.process)
        self.assertEqual(len(ledger.rows), 3 * 8)
        for row in ledger.rows:
            where = {"signal": row["signal"], "kind": row["kind"], "id": row["id"]}
            if row["pipeline"]:
                where["pipeline"] = row["pipeline"]
            out = "delivered" if row["kind"] == "exporter" else "sent"
            for state, count in (("accepted", row["accepted"]), (out, row["out"]),
                                 ("dropped", row["dropped"]), ("made", row["made"])):
                self.assertEqual(metrics.value("weir_ledger_items", state=state, **where), count, row)
            self.assertEqual(metrics.value("weir_ledger_held_items", **where), 0)
            for reason, count in row["refusals"].items():
                self.assertEqual(metrics.value("weir_receiver_refused_requests", reason=reason,
                                               **where), count)
        self.assertEqual(ledger.row("logs", "receiver", "otlp")["refusals"], {"malformed": 1})


class Branches(TestCase):
    """Without batch the client hears the worst answer of all branches."""

    def test_failure_of_one_branch_reaches_the_client(self):
        answers = {"good": None, "bad": None}
        good = self.managed(rpc.Sink(lambda *_: answers["good"]))
        bad = self.managed(rpc.Sink(lambda *_: answers["bad"]))
        grpc, http = free_port(), free_port()
        process = self.weir(BRANCHES.format(grpc=grpc, http=http, good=good.port, bad=bad.port),
                            args=["--workers", "4"])
        sender = self.managed(rpc.Sender(grpc))
        later, never = ("UNAVAILABLE", "come back"), ("INVALID_ARGUMENT", "stay away")
        for signal in messages.SIGNALS:
            delivered = 0
            for left, right, code, status in (
                    (None, None, "OK", 200), (None, later, "UNAVAILABLE", 503),
                    (later, None, "UNAVAILABLE", 503), (None, never, "INVALID_ARGUMENT", 400),
                    (later, never, "INVALID_ARGUMENT", 400), (never, later, "INVALID_ARGUMENT", 400)):
                with self.subTest(signal, good=left, bad=right):
                    answers.update(good=left, bad=right)
                    body = messages.simple(signal, 3).SerializeToString()
                    answer = sender.export(signal, body)
                    self.assertEqual(answer.code, code)
                    if code != "OK":
                        self.assertIn(never[1] if never in (left, right) else later[1],
                                      answer.details)
                    answer = rawhttp.post(http, messages.http_path(signal), body)
                    self.assertEqual(answer.status, status)
                    delivered += 0 if left else 6
            # A branch that took it has taken it, whatever the others said.
            self.assertEqual(good.count(signal), delivered)
            self.assertEqual(bad.count(signal), 12)
        ledger = self.stop_cleanly(process)
        for signal in messages.SIGNALS:
            self.assertEqual(ledger.row(signal, "receiver", "otlp")["accepted"], 6)
            self.assertEqual(ledger.row(signal, "exporter", "otlp/good")["out"], 18)
            self.assertEqual(ledger.row(signal, "exporter", "otlp/bad")["out"], 12)

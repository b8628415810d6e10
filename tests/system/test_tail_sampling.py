# SPDX-License-Identifier: Apache-2.0
"""tail_sampling on several workers: every trace is decided whole, through reloads too, in bounded memory."""

import collections
import pathlib
import random
import tempfile
import threading
import time

from weirtest import TestCase, free_port, messages, prom, rpc, wait_for
from weirtest.weir import run

ERROR = 2
ON_MEMORY = "otelcol_processor_tail_sampling_sampling_traces_on_memory"
CONFIG = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)s"}}}
processors:
  tail_sampling:
    decision_wait: %(wait)s
    %(more)s
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
exporters:
  otlp_grpc: {endpoint: "127.0.0.1:%(sink)s", tls: {insecure: true}, sending_queue: {queue_size: 100000}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [otlp_grpc]}
"""


def config(port, sink, **changes):
    values = {"wait": "2s", "more": ""}
    return CONFIG % {"port": port, "sink": sink, **values, **changes}


def make_spans(traces, per_trace):
    """(trace, span, failed) for each span, mixed: every fifth trace has one span that failed."""
    chance = random.Random(3)
    spans = [(t, s, t % 5 == 0 and s == t % per_trace) for t in range(traces) for s in range(per_trace)]
    chance.shuffle(spans)
    return spans


def make_request(spans, size=0):
    message = messages.request("traces")()
    for number, group in enumerate((spans[0::2], spans[1::2])):
        resource = message.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = f"service-{number}"
        scope = resource.scope_spans.add()
        for trace, span, failed in group:
            made = scope.spans.add(name=f"{trace}/{span}", trace_id=(trace + 1).to_bytes(16, "big"),
                                   span_id=(span + 1).to_bytes(8, "big"), parent_span_id=b"12345678",
                                   start_time_unix_nano=1, end_time_unix_nano=2)
            made.status.code = ERROR if failed else 0
            if size:
                made.attributes.add(key="text").value.string_value = "x" * size
    return message


class TailSampling(TestCase):
    def send_all(self, port, spans, between=None, size=0, at_once=50):
        """From four clients at once, each request with spans of many traces."""
        requests = [make_request(spans[i:i + at_once], size) for i in range(0, len(spans), at_once)]
        bad = []

        def send(own):
            with_port = self.managed(rpc.Sender(port))
            for message in own:
                answer = with_port.export("traces", message)
                if answer.code != "OK":
                    bad.append(answer)
        threads = [threading.Thread(target=send, args=(requests[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        if between:
            between()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])

    def in_time(self, attempt):
        """Calls attempt(wait), which is true unless what belongs together took longer than decision_wait to come, as it
        may on a busy machine; then again, with more time."""
        for wait in (2, 8, 32, 128):
            if attempt(wait):
                return
        self.fail("the spans took too long to send")

    def assert_sampled(self, sink, spans, per_trace):
        """All spans of the traces with a failed one, and no other, each once."""
        wanted = {trace for trace, _, failed in spans if failed}
        found = collections.Counter(s.name for m in sink.parsed("traces") for r in m.resource_spans
                                    for c in r.scope_spans for s in c.spans)
        expected = {f"{t}/{s}" for t in wanted for s in range(per_trace)}
        self.assertEqual(set(found) - expected, set())
        self.assertEqual(expected - set(found), set())
        self.assertEqual(set(found.values()), {1})
        return len(expected)

    def assert_ledger(self, weir, sampled, not_sampled):
        row = self.stop_cleanly(weir).row("traces", "processor", "tail_sampling", "traces")
        self.assertEqual((row["out"], row["drops"].get("not_sampled"), row["held"]), (sampled, not_sampled, 0))
        return row


class TestWorkers(TailSampling):
    def test_traces_stay_whole(self):
        spans = make_spans(2000, 5)

        def attempt(wait):
            port, sink = free_port(), self.managed(rpc.Sink())
            weir = self.weir(config(port, sink.port, wait=f"{wait}s"), args=["--workers", "4"])
            began = time.monotonic()
            self.send_all(port, spans)
            if time.monotonic() - began > wait:
                return False
            sink.wait_count("traces", 2000, wait + 20)
            self.assertEqual(self.assert_sampled(sink, spans, 5), 2000)
            self.assert_ledger(weir, 2000, 8000)
            return True
        self.in_time(attempt)

    def test_shutdown_decides(self):
        port, sink = free_port(), self.managed(rpc.Sink())
        weir = self.weir(config(port, sink.port, wait="1h"), args=["--workers", "4"])
        spans = make_spans(500, 3)
        self.send_all(port, spans)
        self.assert_ledger(weir, 300, 1200)
        self.assert_sampled(sink, spans, 3)

    def test_sink_answers(self):
        """With ack: sink an answer means that the traces were decided and delivered."""
        port, sink = free_port(), self.managed(rpc.Sink())
        text = config(port, sink.port, wait="1s").replace("traces: {", "traces: {ack: sink, ")
        weir = self.weir(text, args=["--workers", "4"])
        spans = sorted(make_spans(200, 3))  # each trace in one request
        self.send_all(port, spans, at_once=150)  # one from each client: they wait
        self.assert_sampled(sink, spans, 3)
        self.assert_ledger(weir, 120, 480)


class TestReload(TailSampling):
    def test_pending_traces_survive(self):
        """Half of each trace comes before the reload, half after, and some while it runs."""
        spans = make_spans(2000, 6)

        def attempt(wait):
            port, sink = free_port(), self.managed(rpc.Sink())
            weir = self.weir(config(port, sink.port, wait=f"{wait}s"), args=["--workers", "4"])

            def reload():
                (weir.folder / "config.yaml").write_text(config(port, sink.port, wait=f"{wait + 1}s"))
                done = run("reload", weir.pid)
                self.assertEqual(done.code, 0, done.stderr)
            began = time.monotonic()
            self.send_all(port, spans, between=reload)
            if time.monotonic() - began > wait:
                return False
            sink.wait_count("traces", 2400, wait + 20)
            self.assertEqual(self.assert_sampled(sink, spans, 6), 2400)
            self.assert_ledger(weir, 2400, 9600)
            return True
        self.in_time(attempt)


class TestMemory(TailSampling):
    """Ten times as many traces come as are expected: the process stays inside what its options allow."""

    expected, per_trace = 8000, 2
    size = 2000  # bytes of a span's attribute

    def overload(self, budget, more):
        """The peak that the traces added, and the row of the processor."""
        port, sink = free_port(), self.managed(rpc.Sink())
        weir = self.weir(config(port, sink.port, wait="1h", more=more), args=["--workers", "2"])
        # What servers and their connections need is there before.
        self.send_all(port, make_spans(500, 1), size=self.size, at_once=250)
        before = weir.peak_kib() << 10
        spans = [(t, s, False) for t in range(500, 10 * self.expected) for s in range(self.per_trace)]
        self.send_all(port, spans, size=self.size, at_once=250)
        grown = (weir.peak_kib() << 10) - before
        print(f"{10 * self.expected} traces, {budget / 2**20:.0f} MiB allowed: {grown / 2**20:.1f} MiB more")
        if not weir.sanitized():
            self.assertLess(grown, 1.25 * budget + (8 << 20))
        row = self.stop_cleanly(weir).row("traces", "processor", "tail_sampling", "traces")
        self.assertEqual(row["accepted"], 500 + len(spans))
        self.assertEqual(row["drops"]["evicted"] + row["drops"]["not_sampled"], row["accepted"])
        return grown, row

    def budget(self):
        return self.expected * self.per_trace * (self.size + 200)

    def test_bytes(self):
        budget = self.budget()
        grown, row = self.overload(budget, f"num_traces: 1000000\n    maximum_pending_bytes: {budget}")
        # The budget is used: what is held at the end is decided by it, not by something smaller.
        held = row["drops"]["not_sampled"] * self.size
        self.assertGreater(held, budget * 3 // 4)
        self.assertLess(held, budget)

    def test_traces(self):
        """Without the budget in bytes the number of traces is the bound."""
        _, row = self.overload(self.budget(), f"num_traces: {self.expected}")
        self.assertLessEqual(row["drops"]["not_sampled"], self.expected * self.per_trace)
        self.assertGreater(row["drops"]["not_sampled"], self.expected * self.per_trace * 9 // 10)


class TestRestart(TailSampling):
    """`storage`: half of each trace comes before the restart, half after."""

    def config(self, port, sink, folder, **changes):
        text = config(port, sink, more="storage: file_storage", **changes)
        return text.replace("service:\n", "extensions:\n  file_storage: {directory: %s}\nservice:\n"
                                          "  extensions: [file_storage]\n" % folder)

    def restart(self, first_workers, second_workers):
        self.in_time(lambda wait: self.restart_in_time(first_workers, second_workers, wait))

    def restart_in_time(self, first_workers, second_workers, wait):
        port, sink = free_port(), self.managed(rpc.Sink())
        folder = self.enterContext(tempfile.TemporaryDirectory())
        weir = self.weir(self.config(port, sink.port, folder, wait="1h"), args=["--workers", first_workers])
        spans = make_spans(1000, 4)
        self.send_all(port, spans[:2000])
        row = self.stop_cleanly(weir).row("traces", "processor", "tail_sampling", "traces")
        self.assertEqual((row["accepted"], row["out"], row["held"], row["dropped"]), (2000, 0, 2000, 0))
        self.assertEqual(sink.count("traces"), 0)
        began = time.monotonic()
        weir = self.weir(self.config(port, sink.port, folder, wait=f"{wait}s"), args=["--workers", second_workers])
        self.send_all(port, spans[2000:])
        if time.monotonic() - began > wait:
            return False
        sink.wait_count("traces", 800, wait + 20)
        self.assertEqual(self.assert_sampled(sink, spans, 4), 800)
        row = self.assert_ledger(weir, 800, 3200)
        self.assertEqual((row["accepted"], row["made"]), (2000, 2000))
        weir = self.weir(self.config(port, sink.port, folder), args=["--workers", "1"])
        row = self.stop_cleanly(weir).row("traces", "processor", "tail_sampling", "traces")
        self.assertEqual((row["made"], row["held"]), (0, 0))
        return True

    def test_pending_traces_survive(self):
        self.restart("2", "2")

    def test_other_number_of_workers(self):
        self.restart("1", "4")

    def test_kill_9(self):
        """With ack: disk nothing was acknowledged that only memory had."""
        port, backend, metrics = free_port(), free_port(), free_port()
        folder = self.enterContext(tempfile.TemporaryDirectory())

        def start(wait):
            text = self.config(port, backend, folder, wait=wait).replace("traces: {", "traces: {ack: disk, ")
            text = text.replace("metrics: {level: none}", "metrics: {address: '127.0.0.1:%s'}" % metrics)
            return self.weir(text.replace("sending_queue: {", "sending_queue: {storage: file_storage, "),
                             args=["--workers", "2"])
        spans = sorted(make_spans(200, 3))  # each trace in one request
        answered, pending = spans[:300], spans[300:]
        weir = start("1s")
        self.send_all(port, answered, at_once=75)  # one from each client: they wait
        weir.kill()
        weir = start("1h")
        sender, answers = self.managed(rpc.Sender(port)), []
        client = threading.Thread(target=lambda: answers.append(sender.export("traces", make_request(pending))))
        client.start()
        wait_for(lambda: sum(s[2] for s in prom.scrape(metrics).find(ON_MEMORY)) > 0, 10, "traces are pending")
        weir.kill()
        client.join()
        self.assertNotEqual(answers[0].code, "OK")
        sink = self.managed(rpc.Sink(port=backend))
        weir = start("1s")
        self.send_all(port, pending, at_once=75)
        sink.wait_count("traces", 120, 20)
        self.assert_sampled(sink, spans, 3)
        self.stop_cleanly(weir)

    def test_storage_that_cannot_be_used(self):
        """The collector runs without it, and says so."""
        port, sink = free_port(), self.managed(rpc.Sink())
        folder = self.enterContext(tempfile.TemporaryDirectory())
        (pathlib.Path(folder) / "processor_tail_sampling__pending_traces").write_text("in the way")
        weir = self.weir(self.config(port, sink.port, folder))
        self.assertIn("Pending traces will not be kept over a restart", weir.stderr)
        spans = make_spans(10, 2)
        self.send_all(port, spans)
        self.assert_ledger(weir, 4, 16)

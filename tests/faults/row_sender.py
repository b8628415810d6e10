# SPDX-License-Identifier: Apache-2.0
"""B1, B2, B5, B6: backends that are down, slow, dead beside a healthy one, or say no in many ways."""

import time

from weirtest import messages, rawhttp, rpc, wait_for
from weirtest.requests import PROTO
from faultlib import Row

# ms that p99 may be off where the machine does other things, too; the faults are delays of seconds.
NOISE = 500
RETRY = {"initial_interval": "200ms", "max_interval": "2s", "max_elapsed_time": 0}


class BackendDown(Row):
    id = "B1"
    title = "backend down 10 min"
    tier = "n"
    budget = 700.0
    seconds = 600
    share = 0.6  # of the seconds that may see a connect
    rate = 500
    broken_by = "as B1q"

    def test_down(self):
        oracle = self.oracle()
        gate = self.gate(oracle.grpc_port)
        grpc = self.free_port()
        weir = self.weir(self.otlp_config(gate.address, grpc=grpc, exporter={
            "retry_on_failure": RETRY, "sending_queue": {"queue_size": 100_000}}), args=["--workers", "2"])
        generator = self.generator(f"127.0.0.1:{grpc}", "-r", self.rate, "-i", 10)
        oracle.wait_items(200)
        gate.set(refuse=True)
        gate.reset()
        down = time.monotonic()
        much = self.rate * self.seconds / 2

        def gaps_in(times):
            # Each of the two workers finds its own connection gone; from then on they take turns.
            return [b - a for a, b in zip(times[1:], times[2:])]

        def is_over():
            gaps = gaps_in([t for t in gate.accepted if t > down])
            return (time.monotonic() - down > self.seconds and generator.count() - oracle.items() > much and
                    len(gaps) >= 3 and max(gaps) - min(gaps) > 0.05)
        wait_for(is_over, self.seconds + 30, lambda: f"{self.seconds} s, {much:.0f} items that wait, several connects "
                 f"with jitter between them: {[t - down for t in gate.accepted if t > down]}", 0.1)
        self.seconds = time.monotonic() - down
        connects = [t for t in gate.accepted if t > down]
        self.assertEqual(generator.count("refused"), 0)
        gate.set(refuse=False)
        begun, behind = time.monotonic(), generator.count() - oracle.items()
        wait_for(lambda: generator.count() - oracle.items() < self.rate / 2, 30,
                 "the queue is caught up", 0.05)
        caught_up = time.monotonic() - begun
        # On a busy machine a connect may be seen late, and the next one sooner after it.
        turns = connects[1:]
        self.assertLess(max(j - i - (turns[j] - turns[i]) for j in range(len(turns)) for i in range(j)), 1,
                        f"more than one connect a second: {gaps_in(connects)}")
        self.assertLessEqual(len(connects), 2 + self.seconds * self.share, "no back-off")
        self.figure(f"{len(connects)} connects in {self.seconds:.0f} s, {behind} items behind caught up in "
                    f"{caught_up:.1f} s")
        self.judge(weir, [generator], [oracle], endpoint=f"127.0.0.1:{grpc}", window=500, seconds=120)


class BackendDownShort(BackendDown):
    id = "B1q"
    title = "backend down 8 s"
    tier = "q"
    budget = 20.0
    seconds = 8
    share = 0.9
    rate = 2000
    broken_by = ("attempts that take no turn (client_channel.c: try_again() without pace): two connects "
                 "within 0.16 s; a sender that takes retryable for permanent (transfer.c): what was queued "
                 "never came")


class SlowBackend(Row):
    id = "B2"
    title = "slow backend"
    budget = 20.0
    alone = True
    broken_by = "a queue without a limit (memory_queue.c: reserve() always succeeds): nothing was refused"

    def slow(self, options, slower, faster, target):
        """Healthy, then `slower`, with room in the queue and without; then `faster`. How many requests that is does not
        depend on how fast the machine is: 200, which the queue takes, then 300 more."""
        grpc, metrics = self.free_port(), self.free_port()
        endpoint, generators = f"127.0.0.1:{grpc}", []

        def run(requests=200):
            generator = self.generator(endpoint, *options, "-n", requests * options[-1])
            generators.append(generator)
            return generator.wait()

        def queue_size():
            return self.metrics(metrics).value("otelcol_exporter_queue_size", data_type="traces")
        weir = self.weir(self.otlp_config(target, grpc=grpc, metrics_port=metrics, exporter={
            "retry_on_failure": RETRY, "timeout": "30s", "sending_queue": {"queue_size": 270}}))
        # The machine may have other things to do in one of the two times: the best of a few counts.
        for _ in range(4):
            before = run()
            slower()
            during = run()
            queued = queue_size()
            self.assertEqual(during["items_refused"], 0)
            self.assertGreater(queued, 100)
            healthy, slow = before["latency_ms"], during["latency_ms"]
            self.figure(f"{self._testMethodName[5:]}: p99 {healthy['p99']:.1f} ms before, {slow['p99']:.1f} ms with "
                        f"{queued:.0f} requests in the queue")
            if slow["p99"] < 2 * healthy["p99"] + NOISE and slow["p50"] < 2 * healthy["p50"] + NOISE / 10:
                break
            faster()
            wait_for(lambda: queue_size() == 0, 30, "the queue is empty again", 0.05)
        else:
            self.fail("clients are kept waiting each time")
        full = run(300)
        # Who waits for the backend waits for 5 s at least.
        self.assertLess(full["latency_ms"]["max"], 4500, "clients are kept waiting")
        faster()
        self.figure(f"then {full['items_refused']} items refused")
        self.assertGreater(full["items_refused"], 0)
        self.assertEqual(set(full["errors"]), {"Unavailable: sending queue is full"})
        self.judge(weir, generators, [self.sink], endpoint=endpoint, window=0)

    def test_latency(self):
        self.sink = self.oracle()
        self.slow(["-r", 1000, "-i", 10], lambda: self.sink.change(delay="5s"),
                  lambda: self.sink.change(delay="0s"), self.sink.grpc)

    def test_1_mbit(self):
        self.sink = self.oracle()
        gate = self.gate(self.sink.grpc_port)
        self.slow(["-r", 20_000, "-i", 200], lambda: gate.set(rate=125_000), lambda: gate.set(rate=0),
                  gate.address)


class OneOfTwoDead(Row):
    id = "B5"
    title = "one of two destinations dead"
    budget = 20.0
    alone = True
    broken_by = ("clients that wait for the result (memory_queue.c: admit() keeps each ack): nothing more "
                 "got through to the healthy one")

    def run_for(self, seconds):
        before = self.healthy.items()
        generator = self.generator(self.endpoint, "-r", 10_000, "-i", 50, "-c", 2, "-d", f"{seconds}s",
                                   "--timeout=5s")
        summary = generator.wait()
        self.generators.append(generator)
        self.healthy.wait_items(before + summary["items_acknowledged"])
        return summary["items_acknowledged"] / seconds, summary["latency_ms"]["p99"]

    def test_dead(self):
        self.healthy, dying = self.oracle(), self.oracle()
        grpc = self.free_port()
        self.endpoint, self.generators = f"127.0.0.1:{grpc}", []
        more = {"retry_on_failure": RETRY, "timeout": "1s", "sending_queue": {"queue_size": 100_000}}
        config = self.otlp_config(self.healthy.grpc, grpc=grpc, exporter=more)
        config["exporters"]["otlp_grpc/dead"] = dict(config["exporters"]["otlp_grpc"], endpoint=dying.grpc)
        for pipeline in config["service"]["pipelines"].values():
            pipeline["exporters"].append("otlp_grpc/dead")
        weir = self.weir(config)
        self.run_for(1)
        # The machine may have other things to do in one of the two times: the best of a few counts.
        for _ in range(4):
            rate, p99 = self.run_for(2)
            dying.pause()
            hung, hung_p99 = self.run_for(4)  # longer than a request may take there
            dying.resume()
            self.figure(f"{rate:.0f} items/s, p99 {p99:.1f} ms; with the other one dead {hung:.0f} items/s, "
                        f"p99 {hung_p99:.1f} ms")
            if hung >= 0.95 * rate and hung_p99 < 2 * p99 + NOISE:
                break
        else:
            self.fail("the healthy one gets less, or later, each time")
        # Timed out there, and delivered all the same: it may come once for each try.
        self.judge(weir, self.generators, [self.healthy, dying], endpoint=self.endpoint, window=None,
                   each=True)


RETRIED, DROPPED = "tried again", "dropped"

# What a refusal in gRPC means (OTLP specification, "Failures"): code, RetryInfo.
GRPC = [(code, None, RETRIED) for code in ("Canceled", "DeadlineExceeded", "Aborted", "OutOfRange",
                                           "Unavailable", "DataLoss")]
GRPC += [(code, None, DROPPED) for code in ("Unknown", "InvalidArgument", "NotFound", "AlreadyExists",
                                            "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
                                            "Unimplemented", "Internal", "Unauthenticated")]
GRPC += [("ResourceExhausted", "1s", RETRIED), ("Unavailable", "1s", RETRIED),
         ("InvalidArgument", "1s", DROPPED)]

# The same in HTTP: status, Retry-After.
HTTP = [(status, None, RETRIED) for status in (429, 502, 503, 504)]
HTTP += [(status, None, DROPPED) for status in (400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412,
                                                414, 415, 422, 431, 500, 501, 505)]
HTTP += [(429, "1s", RETRIED), (503, "1s", RETRIED), (400, "1s", DROPPED), (502, "1s", RETRIED)]


class StatusSemantics(Row):
    id = "B6"
    title = "status semantics"
    budget = 20.0
    broken_by = "an exporter that takes 429 for permanent (otlp_http: is_retryable()): it was dropped"

    def start(self):
        self.sinks = {"traces": self.oracle(), "logs": self.oracle()}
        self.grpc, self.http, self.port = self.free_port(), self.free_port(), self.free_port()
        retry = {"initial_interval": "50ms", "randomization_factor": 0}
        config = self.otlp_config(self.sinks["traces"].grpc, grpc=self.grpc, http=self.http,
                                  metrics_port=self.port, exporter={"retry_on_failure": retry})
        config["exporters"]["otlp_http"] = {"endpoint": f"http://{self.sinks['logs'].http}",
                                            "retry_on_failure": retry}
        config["service"]["pipelines"]["logs"]["exporters"] = ["otlp_http"]
        self.process = self.weir(config)
        self.sender = self.managed(rpc.Sender(self.grpc))

    def lost(self, signal):
        name = {"traces": "otelcol_exporter_send_failed_spans",
                "logs": "otelcol_exporter_send_failed_log_records"}[signal]
        return self.metrics(self.port).value(name)

    def outcome(self, signal, items=3):
        """What becomes of a request that is refused once, and after how long."""
        before, lost, begun = self.sink.items(), self.lost(signal), time.monotonic()
        self.assertEqual(self.sender.export(signal, messages.simple(signal, items)).code, "OK")
        found = []

        def ended():
            if self.sink.items() == before + items:
                found.append(RETRIED)
            elif self.lost(signal) == lost + items:
                found.append(DROPPED)
            return found
        wait_for(ended, 10, "it is delivered or dropped", 0.01)
        return found[0], time.monotonic() - begun

    def refuse_once(self, signal, key, code, wait, expected):
        """What becomes of a request that gets this answer, and that it comes back when it should."""
        # Retry-After counts with 429 and 503 only.
        waits = wait and expected == RETRIED and code != 502
        for _ in range(5):
            # Once the sink says how long to wait it goes on to: the others are first in the table.
            self.sink.change(**{key: code, **({"retry_after": wait} if wait else {})}, fail_first=1)
            became, seconds = self.outcome(signal)
            self.assertEqual(became, expected)
            self.dropped[signal] += 3 * (became == DROPPED)
            self.assertGreaterEqual(seconds, 0.95 if waits else 0.0)
            if seconds < (3 if waits else 0.95):
                return
        self.fail(f"{seconds} s until it came back, each time")  # once the machine may have been busy

    def test_table(self):
        self.start()
        self.dropped = {"traces": 0, "logs": 0}
        for signal, key, table in (("traces", "fail_code", GRPC), ("logs", "fail_status", HTTP)):
            self.sink = self.sinks[signal]
            for code, wait, expected in table:
                with self.subTest(f"{code} {wait}"):
                    self.refuse_once(signal, key, code, wait, expected)
        ledger = self.assert_ledger_closes(self.process)
        for signal, exporter in (("traces", "otlp_grpc"), ("logs", "otlp_http")):
            self.assertEqual(ledger.row(signal, "exporter", exporter)["drops"], {"permanent": self.dropped[signal]})
        self.figure(f"{len(GRPC) + len(HTTP)} refusals handled as the protocol says")

    def test_too_large_is_halved(self):
        largest = 4
        arrived = []

        def answer(_):
            message = messages.request("logs").FromString(self.own.received[-1].body)
            count = messages.count_items("logs", message)
            if count > largest:
                return 413, {}, b""
            arrived.append(count)
            return None
        self.own = self.managed(rawhttp.Sink(answer))
        port = self.free_port()
        config = self.otlp_config("127.0.0.1:9", grpc=port, signals=("logs",))
        config["exporters"] = {"otlp_http": {
            "endpoint": f"http://127.0.0.1:{self.own.port}", "compression": "none",
            "sending_queue": {"num_consumers": 1}}}
        config["service"]["pipelines"]["logs"]["exporters"] = ["otlp_http"]
        weir = self.weir(config)
        self.managed(rpc.Sender(port)).export("logs", messages.simple("logs", 19))
        wait_for(lambda: sum(arrived) == 19, 10, "all of it arrives")
        self.assertLessEqual(max(arrived), largest)
        self.assertEqual(self.assert_ledger_closes(weir).row("logs", "exporter", "otlp_http")["out"], 19)
        self.figure(f"413: 19 items in {len(arrived)} pieces")

    def test_partial_success(self):
        response = messages.response("logs")()
        response.partial_success.rejected_log_records = 4
        body = response.SerializeToString()
        sink = self.managed(rawhttp.Sink(lambda _: (200, {"Content-Type": PROTO}, body)))
        port = self.free_port()
        config = self.otlp_config("127.0.0.1:9", grpc=port, signals=("logs",))
        config["exporters"] = {"otlp_http": {"endpoint": f"http://127.0.0.1:{sink.port}"}}
        config["service"]["pipelines"]["logs"]["exporters"] = ["otlp_http"]
        weir = self.weir(config)
        self.managed(rpc.Sender(port)).export("logs", messages.simple("logs", 10))
        wait_for(lambda: len(sink.received) == 1, 10, "it arrives")
        row = self.assert_ledger_closes(weir).row("logs", "exporter", "otlp_http")
        self.assertEqual((row["out"], row["drops"]), (6, {"partial_success": 4}))
        self.assertEqual(len(sink.received), 1)

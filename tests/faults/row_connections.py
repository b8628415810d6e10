# SPDX-License-Identifier: Apache-2.0
"""B3, B4, B7: connections that die without a word, names that lie, backends that answer with anything."""

import struct
import time

from weirtest import messages, rpc, wait_for
from faultlib import Row, ranges, sample

RETRY = {"initial_interval": "200ms", "max_interval": "1s", "max_elapsed_time": 0}


class HalfOpen(Row):
    id = "B3"
    title = "half-open TCP"
    budget = 30.0
    bound = 15.0  # seconds
    broken_by = "sockets without TCP_USER_TIMEOUT and keepalive (connect.c): not noticed within 20 s"

    def start(self, network):
        """Three connections to the far end: under load over gRPC and HTTP, and one that is idle."""
        self.sink = self.oracle()
        self.grpc = self.free_port()
        gates = {name: self.gate(port, sock=network.far_socket())
                 for name, port in (("otlp_grpc", self.sink.grpc_port), ("otlp_http", self.sink.http_port),
                                    ("otlp_grpc/idle", self.sink.grpc_port))}
        more = {"retry_on_failure": RETRY, "timeout": "2s", "sending_queue": {"queue_size": 100_000}}
        config = self.otlp_config(gates["otlp_grpc"].address, grpc=self.grpc, exporter=more)
        exporters = config["exporters"]
        exporters["otlp_grpc/idle"] = dict(exporters["otlp_grpc"], endpoint=gates["otlp_grpc/idle"].address)
        exporters["otlp_http"] = {"endpoint": f"http://{gates['otlp_http'].address}", **more}
        for signal, name in (("metrics", "otlp_grpc/idle"), ("logs", "otlp_http")):
            config["service"]["pipelines"][signal]["exporters"] = [name]
        return self.weir(config, args=["--workers", "1"])

    def test_half_open(self):
        network = self.network()
        weir = self.start(network)
        endpoint = f"127.0.0.1:{self.grpc}"
        idle = self.generator(endpoint, "-n", 1, "-i", 1, "-s", "metrics")
        idle.wait()
        load = self.generator(endpoint, "-r", 1000, "-i", 10, "-s", "traces,logs")
        self.sink.wait_items(500)
        before, _ = network.connections()
        self.assertGreaterEqual(len(before), 3)
        network.pull()
        pulled = time.monotonic()
        gone, again = {}, []

        def all_gone():
            now = time.monotonic() - pulled
            stand, beginning = network.connections()
            gone.update({port: now for port in before - stand - set(gone)})
            if beginning - before and not again:
                again.append(now)
            return set(gone) == before and again
        wait_for(all_gone, self.bound + 5, lambda: f"it is noticed: {gone} of {before}, {again}", 0.05)
        self.assertLess(max(gone.values()), self.bound + 1)
        network.plug()
        self.figure(f"{len(before)} connections, noticed after {min(gone.values()):.1f} to "
                    f"{max(gone.values()):.1f} s")
        summary = load.stop()
        self.assertEqual(summary["items_refused"], 0)
        self.assertLess(summary["latency_ms"]["max"], 8000, "a worker is stuck")  # for the bound, 15 s
        self.judge(weir, [idle, load], [self.sink], endpoint=endpoint, window=2000, args=("-s", "metrics"))


class NamesThatLie(Row):
    id = "B4"
    title = "DNS: NXDOMAIN, timeout, address flip, empty set"
    budget = 20.0
    alone = True
    broken_by = ("a resolver that forgets its addresses when a lookup fails (resolve.c): logs stayed away for "
                 "10 s")

    def start(self):
        """One name for two backends, each at an address of its own and the same port."""
        self.names = self.network().names
        self.sinks = [self.oracle(), self.oracle()]
        self.gates = {}
        for protocol in ("grpc", "http"):
            first = self.gate(getattr(self.sinks[0], f"{protocol}_port"), host="127.0.1.1")
            second = self.gate(getattr(self.sinks[1], f"{protocol}_port"), host="127.0.1.2", port=first.port)
            self.gates[protocol] = (first, second)
        self.grpc = self.free_port()
        more = {"retry_on_failure": RETRY, "timeout": "2s", "sending_queue": {"queue_size": 100_000}}
        where = {protocol: f"backend.test:{gates[0].port}" for protocol, gates in self.gates.items()}
        config = self.otlp_config(where["grpc"], grpc=self.grpc, exporter=more)
        config["exporters"]["otlp_http"] = {"endpoint": f"http://{where['http']}", **more}
        config["service"]["pipelines"]["logs"]["exporters"] = ["otlp_http"]
        self.process = self.weir(config)
        self.endpoint = f"127.0.0.1:{self.grpc}"
        self.loads = [self.generator(self.endpoint, "-r", 500, "-i", 10, "-s", signal)
                      for signal in ("traces", "logs")]

    def items(self, sink):
        """Different ones that came, by gRPC and by HTTP."""
        arrived = self.sinks[sink].arrived()
        return [sum(ranges.count(found) for (run, _), found in arrived.items() if run == load.run)
                for load in self.loads]

    def wait_flow(self, sink, what, seconds=10.0):
        """Both signals go on arriving there; seconds until they do."""
        begun, before = time.monotonic(), self.items(sink)
        wait_for(lambda: all(now >= then + 100 for now, then in zip(self.items(sink), before)), seconds,
                 lambda: f"{what}: traces and logs arrive at {sink}: {before}, {self.items(sink)}", 0.05)
        return time.monotonic() - begun

    def lose(self, sink):
        for gates in self.gates.values():
            gates[sink].reset()

    def asked_again(self):
        asked = len(self.names.asked)
        wait_for(lambda: len(self.names.asked) > asked, 10, "the name is looked up again", 0.02)

    def test_lies(self):
        self.network().names.set(None)
        self.start()
        wait_for(lambda: self.names.asked, 10, "the name is looked up")
        for load in self.loads:
            load.wait_acknowledged(200)
        self.assertEqual(self.items(0), [0, 0])
        self.names.set(["127.0.1.1"])
        waited = self.wait_flow(0, "the name appears")
        # The last good address is kept, whatever is said now; each time the connections are lost.
        for says, what in ((None, "no such name"), (self.names.HANG, "no answer"), ([], "no addresses")):
            self.names.set(says)
            self.lose(0)
            self.asked_again()
            waited = max(waited, self.wait_flow(0, what))
        self.names.set(["127.0.1.2"])
        for gates in self.gates.values():
            gates[0].down()
        flipped = self.wait_flow(1, "the address changes")
        self.figure(f"delivery goes on within {waited:.1f} s, at another address within {flipped:.1f} s")
        for load in self.loads:
            summary = load.stop()
            self.assertEqual(summary["items_refused"], 0)
            self.assertLess(summary["latency_ms"]["max"], 3000, "lookups hold up the workers")
        # Nobody is at the first address any more.
        self.send_fresh(self.endpoint, self.sinks[1:])
        self.judge(self.process, self.loads, self.sinks, window=2000)


class NameFlips(NamesThatLie):
    id = "B4n"
    title = "DNS: the address changes while the old one goes on"
    tier = "n"
    budget = 60.0
    broken_by = ("names looked up again after 300 s (resolve.c: REFRESH): nothing came to the new address "
                 "within 40 s")

    def test_lies(self):
        self.network().names.set(["127.0.1.1"])
        self.start()
        self.wait_flow(0, "before")
        self.names.set(["127.0.1.2"])
        begun = time.monotonic()
        self.wait_flow(1, "the address changes", 40)
        self.figure(f"followed after {time.monotonic() - begun:.1f} s")
        self.judge(self.process, self.loads, self.sinks, window=0)


# --- what no honest backend says ---

MIB = 1 << 20
HEAD = b"HTTP/1.1 503 Unavailable\r\nContent-Type: application/x-protobuf\r\n"
OK = HEAD.replace(b"503 Unavailable", b"200 OK")
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LONG_LINES = b"".join(b"x-%06d: %s\r\n" % (i, b"y" * 1000) for i in range(1040))
ZEROS = bytes(65536)


def http_answers(noise):
    """(name, answer, what follows without end, what becomes of the batch); None: either."""
    return [
        ("nothing", b"", None, "retried"),
        ("noise", noise, None, "retried"),
        ("endless noise", noise, noise, "retried"),
        ("an endless status line", b"HTTP/1.1 503 ", b"x" * 65536, "retried"),
        ("an endless header", HEAD + b"a: ", b"x" * 65536, "retried"),
        ("1 MiB of headers", HEAD + LONG_LINES + b"\r\n", None, "retried"),
        ("endless 100 Continue", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "retried"),
        ("an endless body", HEAD + b"\r\n", ZEROS, "retried"),
        ("an endless body in pieces", HEAD + CHUNKED, b"8000\r\n" + bytes(0x8000) + b"\r\n", "retried"),
        ("an endless chunk size", HEAD + CHUNKED, b"0" * 65536, "retried"),
        ("1 MiB of trailers", HEAD + CHUNKED + b"0\r\n" + LONG_LINES + b"\r\n", None, "retried"),
        ("half an answer", HEAD + b"Content-Length: 10\r\n\r\nhalf", None, "retried"),
        ("OK with no gzip", OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", None, "dropped"),
        ("OK with an endless body", OK + b"\r\n", ZEROS, "dropped"),
    ]


def frame(kind, flags, stream, payload):
    """RFC 9113 section 4.1."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header field, never indexed (RFC 7541 section 6.2.3)."""
    out = b"\x10"
    for text in (name, value):
        size = len(text)
        out += bytes([size]) if size < 127 else b"\x7f"
        size -= 127
        while size >= 0:
            out += bytes([size & 127 | (128 if size > 127 else 0)])
            size = (size >> 7) if size > 127 else -1
        out += text
    return out


def block(fields, stream=1, end_stream=False, end_headers=True):
    """HEADERS and as many CONTINUATIONs as that takes."""
    pieces = [fields[i:i + 16384] for i in range(0, len(fields), 16384)]
    frames = [frame(9 if i else 1, 1 if end_stream and not i else 0, stream, piece)
              for i, piece in enumerate(pieces)]
    if end_headers:
        frames[-1] = frames[-1][:4] + bytes([frames[-1][4] | 4]) + frames[-1][5:]
    return b"".join(frames)


def grpc_answers(noise):
    """The same over gRPC, on the first stream of each connection."""
    settings = frame(4, 0, 0, b"")
    fields = b"\x88" + literal(b"content-type", b"application/grpc")
    head = settings + block(fields)
    many = b"".join(literal(b"x-%06d" % i, b"y" * 1000) for i in range(1040))
    status = literal(b"grpc-status", b"0")
    message = frame(0, 0, 1, b"\0" + struct.pack(">I", 1 << 30) + bytes(1000))
    packed = frame(0, 0, 1, b"\1" + struct.pack(">I", 4) + b"none")
    return [
        ("nothing", b"", None, "retried"),
        ("noise", noise, None, "retried"),
        ("endless noise", noise, noise, "retried"),
        ("HTTP/1.1", OK + b"\r\n", ZEROS, "retried"),
        ("endless CONTINUATION", settings + block(fields, end_headers=False), frame(9, 0, 1, b""), "retried"),
        ("endless SETTINGS", head, settings * 1000, "retried"),
        ("endless PING", head, frame(6, 0, 0, bytes(8)) * 1000, "retried"),
        ("GOAWAY", settings + frame(7, 0, 0, struct.pack(">II", 0, 11) + b"calm"), None, "retried"),
        # What follows on one that may be dropped is dropped, too: it may still be counted when the next one begins.
        ("1 MiB of headers", settings + block(fields + many), None, None),
        ("1 MiB of trailers", head + block(status + many, end_stream=True), None, None),
        ("endless 100 Continue", settings, block(literal(b":status", b"100")) * 100, None),
        ("a message of 1 GiB", head + message, frame(0, 0, 1, bytes(16384)), "dropped"),
        ("many small messages", head, frame(0, 0, 1, bytes(5) * 3000), "dropped"),
        ("OK with no gzip", head + packed + block(status, end_stream=True), None, "dropped"),
    ]


class HostileBackend(Row):
    id = "B7"
    title = "hostile backend"
    budget = 30.0
    broken_by = ("a cap of 4 MiB for answers over gRPC: RSS grew by 7.4 MiB; bodies that nobody wants without "
                 "a budget (h2_session.c): 417 MiB read from one connection in 0.4 s")
    window = 0.4  # seconds that an answer has its effect for

    def start(self):
        self.sink, self.grpc, self.port = self.oracle(), self.free_port(), self.free_port()
        self.gates = {"traces": self.gate(self.sink.grpc_port), "logs": self.gate(self.sink.http_port)}
        # Time enough for an answer to reach its cap, also on a busy machine.
        more = {"retry_on_failure": dict(RETRY, initial_interval="100ms"), "timeout": "15s"}
        config = self.otlp_config(self.gates["traces"].address, grpc=self.grpc, exporter=more,
                                  metrics_port=self.port)
        config["exporters"]["otlp_http"] = {"endpoint": f"http://{self.gates['logs'].address}", **more}
        config["service"]["pipelines"]["logs"]["exporters"] = ["otlp_http"]
        self.process = self.weir(config)
        self.sender = self.managed(rpc.Sender(self.grpc))
        self.sent = 0
        self.send(20)
        wait_for(lambda: self.sink.items() == self.sent, 10, "honest at first")

    def send(self, requests):
        for signal in self.gates:
            for _ in range(requests):
                self.assertEqual(self.sender.export(signal, messages.simple(signal, 1)).code, "OK")
                self.sent += 1

    def dropped(self):
        metrics = self.metrics(self.port)
        return {signal: metrics.value(f"otelcol_exporter_send_failed_{name}")
                for signal, name in (("traces", "spans"), ("logs", "log_records"))}

    def round(self, answers):
        """Each gate answers so, until its exporter has had some of that and for a while more."""
        pid, before, dropped = self.process.pid, sample.rss_mib(self.process.pid), self.dropped()
        sample.reset_peak(pid)
        for signal, gate in self.gates.items():
            gate.set(answer=answers[signal][1], endless=answers[signal][2])
            gate.most_endless = 0
        # It connects anew when it loses its connection, perhaps before anything else happens.
        known = {signal: len(gate.accepted) for signal, gate in self.gates.items()}
        for gate in self.gates.values():
            gate.reset()
        self.send(5)
        for signal, gate in self.gates.items():
            wait_for(lambda g=gate, s=signal: len(g.accepted) > known[s], 10,
                     f"{signal} {answers[signal][0]}: it connects", 0.02)
        over = time.monotonic() + self.window
        wait_for(lambda: time.monotonic() > over, 2, interval=0.02)
        lost = {signal for signal in self.gates if answers[signal][3] == "dropped"}

        def judged():
            now = self.dropped()
            return now if all(now[signal] > dropped[signal] for signal in lost) else None
        now = wait_for(judged, 30, f"{lost} dropped: {[answers[signal][0] for signal in lost]}", 0.02)
        grown = sample.peak_mib(pid) - before
        for signal, gate in self.gates.items():
            name, _, _, expected = answers[signal]
            with self.subTest(f"{signal}: {name}"):
                self.worst, self.most = max(self.worst, grown), max(self.most, gate.most_endless / MIB)
                if not self.process.sanitized():
                    self.assertLess(grown, 1.0, f"{answers['traces'][0]}, {answers['logs'][0]}")
                self.assertLess(gate.most_endless, 48 * MIB, "read from one connection without end")
                if expected:
                    self.assertEqual("dropped" if now[signal] > dropped[signal] else "retried", expected)

    def test_answers(self):
        self.worst = self.most = 0.0
        self.start()
        noise = self.random.randbytes(65536)
        rounds = zip(grpc_answers(noise), http_answers(noise), strict=True)
        begun, count = time.monotonic(), 0
        for over_grpc, over_http in rounds:
            self.round({"traces": over_grpc, "logs": over_http})
            count += 2
        seconds = time.monotonic() - begun
        connects = len(self.gates["traces"].accepted)
        for gate in self.gates.values():
            gate.set(answer=None, endless=None)
            gate.reset()
        fresh = self.send_fresh(f"127.0.0.1:{self.grpc}", [self.sink])
        dropped = sum(self.dropped().values())
        wait_for(lambda: self.sink.items() == self.sent - dropped + 1, 20,
                 lambda: f"{self.sent} sent, {dropped} dropped, {self.sink.items()} arrived")
        self.figure(f"{count} answers, RSS +{self.worst:.2f} MiB, {self.most:.0f} MiB read at most, "
                    f"{connects} connects over gRPC in {seconds:.0f} s, all well {fresh:.1f} s after")
        # One a second; and two workers, each of which begins anew at once when a connection that worked is lost, as
        # each round does to them, and as an answer may.
        self.assertLess(connects, seconds + 2 * count, "no back-off")
        ledger = self.assert_ledger_closes(self.process)
        drops = [ledger.row(signal, "exporter", name)["drops"].get("permanent", 0)
                 for signal, name in (("traces", "otlp_grpc"), ("logs", "otlp_http"))]
        self.assertEqual(sum(drops), dropped)

    def test_tls(self):
        """Where TLS was expected."""
        gate = self.gate(0, answer=b"\x16\x03\x03\xff\xff", endless=ZEROS)
        grpc = self.free_port()
        tls = {"tls": {"insecure_skip_verify": True}, "retry_on_failure": RETRY}
        config = self.otlp_config(gate.address, grpc=grpc, exporter=tls)
        config["exporters"]["otlp_http"] = {"endpoint": f"https://{gate.address}", **tls}
        config["service"]["pipelines"]["logs"]["exporters"] = ["otlp_http"]
        weir = self.weir(config)
        sender = self.managed(rpc.Sender(grpc))
        for signal in ("traces", "logs"):
            sender.export(signal, messages.simple(signal, 1))
        wait_for(lambda: len(gate.accepted) >= 3, 10, "it connects")
        before = sample.rss_mib(weir.pid)
        sample.reset_peak(weir.pid)
        wait_for(lambda: len(gate.accepted) >= 8, 15, "it tries again")
        # Two exporters, each of which takes its turn once a second, whatever the worker.
        took = gate.accepted[-1] - gate.accepted[0]
        self.assertLess(len(gate.accepted), 2 * took + 4, "no back-off")
        self.assertLess(gate.most_endless, 48 * MIB)
        if not weir.sanitized():
            self.assertLess(sample.peak_mib(weir.pid) - before, 1.0)
        self.assertEqual([row["drops"] for row in self.held_rows(weir)], [{"shutdown": 1}] * 2)

    def held_rows(self, weir):
        ledger = self.assert_ledger_closes(weir)
        return [ledger.row("traces", "exporter", "otlp_grpc"), ledger.row("logs", "exporter", "otlp_http")]

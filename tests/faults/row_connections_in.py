# SPDX-License-Identifier: Apache-2.0
"""Clients that cost connections: thousands that are idle, slow ones, and no descriptors left."""

import json
import os
import pathlib
import resource
import socket
import ssl
import subprocess
import sys
import time
import unittest.mock

from faultlib import Row, sample
from faultlib import frames as f
from weirtest.pki import Authority
from weirtest import paths, rawhttp, wait_for
from weirtest.requests import PROTO

CROWD = pathlib.Path(__file__).resolve().parent / "faultlib" / "crowd.py"
# The processes of clients; each has descriptors of its own.
CROWDS = 2
IDLE = 10_000


class ConnectionsIn(Row):
    alone = True

    def tls(self):
        """`tls` for a server, made once."""
        if not hasattr(self, "_tls"):
            self.authority = Authority(self.folder)
            pem, key = self.authority.issue()
            self._tls = {"cert_file": str(pem), "key_file": str(key)}
        return self._tls

    def start(self, tls=False, http=None, grpc=None, **options):
        self.sink = self.oracle()
        self.grpc, self.http, self.metrics_port = (self.free_port() for _ in range(3))
        more = {"tls": self.tls()} if tls else {}
        config = self.otlp_config(self.sink.grpc, grpc=self.grpc, http=self.http, metrics_port=self.metrics_port,
                                  receiver={"http": {**more, **(http or {})}, "grpc": {**more, **(grpc or {})}})
        self.collector = self.weir(config, **options)

    def listener(self, name, port, **labels):
        return int(self.metrics(self.metrics_port).value(f"weir_server_{name}", listener=f"127.0.0.1:{port}",
                                                         **labels))

    def closed(self, reason, port):
        return self.listener("closed_connections", port, reason=reason)

    def crowd(self, kind, port, count):
        """Clients that are connected: their processes."""
        parts = [count // CROWDS + (i < count % CROWDS) for i in range(CROWDS)]
        crowd = [subprocess.Popen([sys.executable, CROWD, kind, str(port), str(part)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) for part in parts if part]
        for process in crowd:
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
        for process in crowd:
            self.assertTrue(process.stdout.readline(), f"{kind}: a client was not served")
        return crowd

    def disperse(self, crowd):
        """Ends them; how many had been closed before."""
        outs = [process.communicate(timeout=30)[0] for process in crowd]
        return sum(json.loads(out)["closed"] for out in outs)

    def served_in(self, tls=None):
        """Milliseconds that a new client takes to connect and to be answered, at best of a few."""
        context = tls and ssl.create_default_context(cafile=str(self.authority.pem))
        best = 1e9
        for _ in range(10):
            begun = time.monotonic()
            with socket.create_connection(("127.0.0.1", self.http), 10) as client:
                if context:
                    client = context.wrap_socket(client, server_hostname="localhost")
                client.sendall(rawhttp.encode("POST", "/v1/traces", {"Content-Type": PROTO}, b""))
                self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 200 "))
                client.close()
            best = min(best, (time.monotonic() - begun) * 1000)
        return best

    def finish(self, seconds=10.0, args=()):
        self.send_fresh(f"127.0.0.1:{self.grpc}", [self.sink], seconds, args=args)
        self.assert_ledger_closes(self.collector)


class IdleConnections(ConnectionsIn):
    id = "I7"
    title = "10 000 idle connections: plain, HTTP/2, TLS"
    budget = 20.0
    broken_by = "no idle deadline in HTTP/1.1: none of 500 idle connections was closed"

    def setUp(self):
        super().setUp()
        # weir raises its soft limit itself.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < 14_000:
            self.skipTest(f"at most {hard} descriptors allowed here (ulimit -Hn), and 14 000 are needed")
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def hold(self, kind, count, growth):
        """So many clients that have made a request and stay: the memory they take, how a new one is served."""
        self.start(tls=kind.startswith("tls"))
        port = self.grpc if kind.endswith("grpc") else self.http
        self.disperse(self.crowd(kind, port, 10))  # what the first take stays
        sampler = self.sampler(self.collector, interval=0.2)
        crowd = self.crowd(kind, port, count)
        self.assertGreaterEqual(self.listener("connections", port), count)
        served = self.served_in(self.tls() if kind.startswith("tls") else None)
        grown = sampler.rss_growth
        sampler.close()
        self.figure(f"{count} {kind}: +{grown:.0f} MiB, a new client served in {served:.1f} ms")
        self.assertLessEqual(grown, growth)
        self.assertLessEqual(served, 50)
        self.assertEqual(self.disperse(crowd), 0)
        wait_for(lambda: self.listener("connections", port) == 0, 10, "all are gone")
        self.assert_ledger_closes(self.collector)

    def test_plain(self):
        self.hold("http", IDLE, 100)

    def test_http2(self):
        # nghttp2 alone takes 10 KiB and more for a session that has served a call.
        self.hold("grpc", IDLE // 2, 100)

    def test_tls(self):
        self.hold("tls", IDLE // 10, 40)

    def test_idle_ones_are_closed(self):
        """And those that never say anything."""
        self.start(http={"idle_timeout": "1s", "read_header_timeout": "2s"},
                   grpc={"keepalive": {"server_parameters": {"max_connection_idle": "1s"}}})
        others = self.generator(f"127.0.0.1:{self.grpc}", "-r", 500, "-i", 10)
        crowds = [self.crowd(kind, port, 500) for kind, port in
                  (("http", self.http), ("grpc", self.grpc), ("bare", self.http))]
        for reason, port, count in (("idle", self.http, 500), ("idle", self.grpc, 500),
                                    ("header_timeout", self.http, 500)):
            wait_for(lambda: self.closed(reason, port) >= count, 10,
                     lambda: f"{self.closed(reason, port)} of {count} closed for {reason}")
            # The one that is busy may have to wait for a CPU for a second, and is idle then.
            self.assertLessEqual(self.closed(reason, port), count + 3 * (port == self.grpc))
        self.assertEqual(sum(map(self.disperse, crowds)), 1500)
        wait_for(lambda: self.listener("connections", self.http) == 0, 5, "none is left")
        self.judge(self.collector, [others], [self.sink], endpoint=f"127.0.0.1:{self.grpc}")


class IdleTls(IdleConnections):
    """The handshakes alone take half a minute of CPU in the client."""
    id = "I7n"
    title = "10 000 idle connections in TLS"
    tier = "n"
    budget = 120.0
    broken_by = "OpenSSL's buffers not released: 527 MiB for 10 000 connections of HTTP/2"

    def test_tls(self):
        self.hold("tls", IDLE, 400)

    def test_http2(self):
        self.hold("tls_grpc", IDLE, 500)

    test_plain = test_idle_ones_are_closed = None


def _trickle(clients, seconds):
    """Sends the next piece of each every 0.2 s until all are closed: [(socket, pieces)]. Those left.
    Where a piece is empty, what comes is read instead."""
    end = time.monotonic() + seconds
    open_ones = list(clients)
    for client, _ in open_ones:
        client.settimeout(0)
    while open_ones and time.monotonic() < end:
        still = []
        for client, pieces in open_ones:
            try:
                piece = next(pieces)
                if not piece and not client.recv(4096):
                    continue
                client.send(piece)
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            except OSError:
                continue
            still.append((client, pieces))
        open_ones = still
        time.sleep(0.2)
    return open_ones


def _bytes_of(text, rest=b"x"):
    """One by one."""
    for i in range(len(text)):
        yield text[i:i + 1]
    while True:
        yield rest


HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"


class Slow(ConnectionsIn):
    id = "I8"
    title = "slow headers, slow bodies, slow readers"
    budget = 20.0
    broken_by = "a header deadline that each byte moved: 40 slow clients stayed"
    limits = {"read_header_timeout": "1s", "read_timeout": "2s", "write_timeout": "2s", "idle_timeout": "1m"}
    each = 40

    def connect(self, start=b"", port=None, context=None, buffer=None):
        client = socket.socket()
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(10)
        client.connect(("127.0.0.1", port or self.http))
        if context:
            client = context.wrap_socket(client, server_hostname="localhost")
        self.addCleanup(client.close)
        client.sendall(start)
        return client

    def http2(self, port, start=b"", context=None):
        return self.connect(f.PREFACE + f.settings() + start, port, context)

    def begin(self, tls=None):
        """Others, who are there before the slow ones: these have only seconds until they must say something."""
        self.others = self.generator(f"127.0.0.1:{self.grpc}", "-r", 500, "-i", 10,
                                     *(["--tls", "--insecure"] if tls else []))
        self.others.wait_acknowledged(100)

    def judged(self, clients, seconds, expected, tls=None):
        """Trickles: all are closed in time, for these reasons, and others are served meanwhile and behind."""
        served = self.served_in(tls)
        self.assertLessEqual(served, 50)
        left = _trickle(clients, seconds)
        self.assertEqual(len(left), 0, f"of {len(clients)} are still open after {seconds} s")
        for (reason, port), count in expected.items():
            wait_for(lambda: self.closed(reason, port) >= count, 5, lambda: f"{reason}: {self.closed(reason, port)}")
            self.assertEqual(self.closed(reason, port), count, reason)
            self.figure(f"{count} {reason}")
        self.figure(f"a new client served in {served:.1f} ms")
        self.others.stop()
        self.assert_nothing_lost([self.others], [self.sink])
        self.assert_ledger_closes(self.collector)

    def slow_http1(self):
        heads = [(self.connect(), _bytes_of(HEAD, b"a")) for _ in range(self.each)]
        bodies = [(self.connect(HEAD + b"Content-Length: 1000\r\n\r\n"), _bytes_of(b"")) for _ in range(self.each)]
        return heads + bodies

    def slow_reader(self):
        """Asks for more than its buffers and weir's hold, and does not read."""
        request = b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
        client = self.connect(request, buffer=4096)
        return client, iter(lambda: request, None)

    def test_http1(self):
        self.start(http=self.limits)
        self.begin()
        self.judged(self.slow_http1() + [self.slow_reader() for _ in range(5)], 15,
                    {("header_timeout", self.http): self.each, ("body_timeout", self.http): self.each,
                     ("write_timeout", self.http): 5})

    def slow_http2(self, port, block, context=None):
        head = f.frame(f.HEADERS, f.END_HEADERS, 1, block + f.literal("x", "y" * 2000))
        heads = [(self.http2(port, context=context), _bytes_of(head)) for _ in range(self.each)]
        long_message = f.frame(f.HEADERS, f.END_HEADERS, 1, block) + f.frame(f.DATA, 0, 1, b"\0\0\1\0\0")
        bodies = [(self.http2(port, long_message, context), iter(lambda: f.frame(f.DATA, 0, 1, b"x"), None))
                  for _ in range(self.each)]
        return heads + bodies

    def test_http2(self):
        self.start(tls=True, http=self.limits)
        tls = self.tls()
        self.begin(tls)
        context = ssl.create_default_context(cafile=str(self.authority.pem))
        context.set_alpn_protocols(["h2"])
        block = f.request("/v1/traces", content_type="application/x-protobuf")
        # They never begin the handshake, for which the limit is 10 s.
        silent = [(self.connect(), iter(lambda: b"", None)) for _ in range(self.each)]
        self.judged(self.slow_http2(self.http, block, context) + silent, 20,
                    {("header_timeout", self.http): self.each, ("body_timeout", self.http): self.each,
                     ("handshake_timeout", self.http): self.each}, tls)


class SlowByDefault(Slow):
    """What holds where the configuration says nothing: a minute."""
    id = "I8n"
    title = "slow headers, slow bodies, no windows, slow readers: without a configuration"
    tier = "n"
    budget = 150.0
    broken_by = "deadlines of ten minutes: 120 slow clients were still there after two"

    def test_http1(self):
        self.start()
        self.begin()
        self.judged(self.slow_http1() + [self.slow_reader() for _ in range(5)], 200,
                    {("header_timeout", self.http): self.each, ("body_timeout", self.http): self.each,
                     ("slow_reader", self.http): 5})

    def test_http2(self):
        self.start()
        self.begin()
        call = f.frame(f.HEADERS, f.END_HEADERS, 1, f.grpc_request()) + f.frame(f.DATA, f.END_STREAM, 1,
                                                                               f.grpc_message())
        starved = [(self.connect(f.PREFACE + f.settings(window=0) + call, self.grpc), iter(lambda: b"", None))
                   for _ in range(self.each)]
        self.judged(self.slow_http2(self.grpc, f.grpc_request()) + starved, 120,
                    {("header_timeout", self.grpc): self.each, ("body_timeout", self.grpc): self.each,
                     ("window_starvation", self.grpc): self.each})


class NoDescriptors(ConnectionsIn):
    id = "R1"
    title = "no file descriptors left: 64, and clients that leak connections"
    budget = 20.0
    broken_by = "no reserve: the journal could not open its next segment, what came was refused"

    def start(self, limit=64):
        self.limit = limit
        self.sink = self.oracle()
        self.grpc, self.http, self.metrics_port = (self.free_port() for _ in range(3))
        config = self.otlp_config(
            self.sink.grpc, grpc=self.grpc, http=self.http, metrics_port=self.metrics_port, signals=("traces",),
            exporter={"sending_queue": {"storage": "file_storage", "queue_size": 100_000},
                      "retry_on_failure": {"initial_interval": "100ms", "max_interval": "500ms"}},
            # An eighth of this is a segment's size, so that segments are opened and removed all the time.
            extensions={"file_storage": {"directory": str(self.folder / "queue"), "create_directory": True,
                                         "max_size": 16 << 20}},
            pipeline={"ack": "disk"})
        script = self.folder / "weir-with-few-descriptors"
        script.write_text(f'#!/bin/sh\nexec prlimit --nofile={self.limit}:{self.limit} -- '
                          f'"{paths.weir_bin()}" "$@"\n')
        script.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, WEIR=str(script)):
            self.collector = self.weir(config, args=["--workers", "2"])

    def leak(self, count, *ports):
        """Connections that nobody uses, and that weir may leave in its backlog."""
        clients = []
        for i in range(count):
            client = socket.socket()
            client.setblocking(False)
            self.addCleanup(client.close)
            client.connect_ex(("127.0.0.1", ports[i % len(ports)]))
            clients.append(client)
        return clients

    def pauses(self, reason, *ports):
        return sum(self.listener("accept_pauses", port, reason=reason) for port in ports)

    def test_leak(self):
        self.start()
        sampler = self.sampler(self.collector)
        generator = self.generator(f"127.0.0.1:{self.grpc}", "-r", 4000, "-i", 50)
        generator.wait_acknowledged(1000)
        leaked = self.leak(200, self.grpc, self.http)
        # Connections have 48 of them: from there on the others are for files and outputs.
        wait_for(lambda: sample.descriptors(self.collector.pid) >= 48, 10, "connections take what they may")
        # An output that has to be connected again, and segments that are opened meanwhile.
        port = self.sink.grpc_port
        first = self.sink
        first.stop()
        generator.wait_acknowledged(generator.count() + 20_000, 30)
        second = self.oracle(grpc=f"127.0.0.1:{port}")
        second.wait_items(10_000)
        self.figure(f"{sampler.fds_peak} of {self.limit} descriptors in use")
        self.assertLessEqual(sampler.fds_peak, self.limit)
        generator.stop()
        self.assertEqual(generator.count("refused"), 0)
        for client in leaked:
            client.close()
        self.sink = second
        begun = time.monotonic()
        self.send_fresh(f"127.0.0.1:{self.grpc}", [second])
        self.figure(f"a new client served {time.monotonic() - begun:.1f} s after the leak")
        self.assertGreaterEqual(self.pauses("descriptors", self.grpc, self.http), 1)
        self.judge(self.collector, [generator], [first, second], window=None)

    def test_one_address(self):
        """One that is flooded gets three quarters of what connections may have: the others are served."""
        self.start(limit=256)
        leaked = self.leak(400, self.grpc)
        wait_for(lambda: self.pauses("max_connections", self.grpc) >= 1, 10, "it accepts no more")
        self.assertEqual(self.listener("connections", self.grpc), (256 - 32) * 3 // 4)
        self.assertEqual(rawhttp.post(self.http, "/v1/traces", b"").status, 200)
        for client in leaked:
            client.close()
        self.finish()

# SPDX-License-Identifier: Apache-2.0
"""Clients that cost connections: thousands that are idle, slow ones, and no descriptors left."""

import json
import pathlib
import resource
import socket
import ssl
import subprocess
import sys
import time

from faultlib import Row
from faultlib import frames as f
from faultlib.pki import Authority
from weirtest import rawhttp, wait_for
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
    broken_by = "x"

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
        # nghttp2 alone takes 10 KiB for a session that has served a call.
        self.hold("grpc", IDLE, 200)

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
            self.assertEqual(self.closed(reason, port), count)
        self.assertEqual(sum(map(self.disperse, crowds)), 1500)
        wait_for(lambda: self.listener("connections", self.http) == 0, 5, "none is left")
        self.judge(self.collector, [others], [self.sink], endpoint=f"127.0.0.1:{self.grpc}")


class IdleTls(IdleConnections):
    """The handshakes alone take half a minute of CPU in the client."""
    id = "I7n"
    title = "10 000 idle connections in TLS"
    tier = "n"
    budget = 120.0
    broken_by = "x"

    def test_tls(self):
        self.hold("tls", IDLE, 400)

    def test_http2(self):
        self.hold("tls_grpc", IDLE, 500)

    test_plain = test_idle_ones_are_closed = None

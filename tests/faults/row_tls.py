# SPDX-License-Identifier: Apache-2.0
"""Certificates that must not be trusted, on both sides; and our own when it has ended."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading

from faultlib import Row
from weirtest.pki import Authority
from weirtest import wait_for

# What servers show, and why the exporter refuses it: (options of the certificate, options of the
# server, name that is asked for, reason).
_FAILED = "certificate verify failed: "
_SERVERS = {
    "good": ({}, {}, "localhost", None),
    "wildcard": ({"san": "DNS:*.weir.example"}, {}, "a.weir.example", None),
    "expired": ({"first": -3, "last": -1}, {}, "localhost", _FAILED + "certificate has expired"),
    "early": ({"first": 1, "last": 3}, {}, "localhost", _FAILED + "certificate is not yet valid"),
    "wrong_host": ({}, {}, "other.example", _FAILED + "hostname mismatch"),
    "wildcard_deep": ({"san": "DNS:*.weir.example"}, {}, "a.b.weir.example", _FAILED + "hostname mismatch"),
    "wildcard_double": ({"san": "DNS:*.*.weir.example"}, {}, "a.b.weir.example", _FAILED + "hostname mismatch"),
    "wildcard_part": ({"san": "DNS:a*.weir.example"}, {}, "ab.weir.example", _FAILED + "hostname mismatch"),
    "wildcard_all": ({"san": "DNS:*"}, {}, "localhost", _FAILED + "hostname mismatch"),
    "wildcard_top": ({"san": "DNS:*.example"}, {}, "weir.example.", _FAILED + "hostname mismatch"),
    "wildcard_inner": ({"san": "DNS:www.*.example"}, {}, "www.weir.example", _FAILED + "hostname mismatch"),
    "weak_key": ({"key": "rsa1024"}, {}, "localhost", _FAILED + "EE certificate key too weak"),
    "foreign": ({"ca": "other"}, {}, "localhost", _FAILED + "unable to get local issuer certificate"),
    "tls1_0": ({}, {"version": ssl.TLSVersion.TLSv1}, "localhost", "alert protocol version"),
    "tls1_1": ({}, {"version": ssl.TLSVersion.TLSv1_1}, "localhost", "alert protocol version"),
}
# The same for clients of the receiver.
_CLIENTS = {
    "good": ({}, {}, None),
    "none": (None, {}, "peer did not return a certificate"),
    "expired": ({"first": -3, "last": -1}, {}, _FAILED + "certificate has expired"),
    "early": ({"first": 1, "last": 3}, {}, _FAILED + "certificate is not yet valid"),
    "foreign": ({"ca": "other"}, {}, _FAILED + "unable to get local issuer certificate"),
    "weak_key": ({"key": "rsa1024"}, {}, _FAILED + "EE certificate key too weak"),
    "tls1_0": ({}, {"version": ssl.TLSVersion.TLSv1}, "unsupported protocol"),
}


def _context(side, certificate=None, version=None):
    """A peer that lets everything pass, so that weir alone decides."""
    context = ssl.SSLContext(side)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = version or ssl.TLSVersion.TLSv1
    if version:
        context.maximum_version = version
    if certificate:
        context.load_cert_chain(*certificate)
    return context


class _Server:
    """An HTTP server with a certificate, that says 200 to everything."""

    def __init__(self, certificate, version=None):
        self._context = _context(ssl.PROTOCOL_TLS_SERVER, certificate, version)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(10)
        try:
            with self._context.wrap_socket(connection, server_side=True) as tls:
                if tls.recv(65536):
                    self.requests += 1
                    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            connection.close()

    def close(self):
        self._listener.close()


class BadCertificates(Row):
    id = "T2"
    title = "certificates: expired, early, wrong host, bad wildcards, foreign, weak key; TLS 1.0"
    broken_by = ("SSL_set1_host left out: the client took seven wrong names; an SSL_CTX that is changed in place "
                 "instead of a new one (the same ticket keys): a ticket let a client in after its CA was gone")

    def setUp(self):
        super().setUp()
        self.cas = {"ca": Authority(self.folder, "ca"), "other": Authority(self.folder, "other")}

    def issue(self, ca="ca", **options):
        return self.cas[ca].issue(**options)

    def receiver(self, certificate, **tls):
        port = self.free_port()
        cert, key = certificate
        return port, {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}", "tls": {
            "cert_file": str(cert), "key_file": str(key), **tls}}}}}

    def config(self, receivers, exporters, metrics_port=None):
        metrics = {"level": "none"} if not metrics_port else {"readers": [{"pull": {"exporter": {"prometheus": {
            "host": "127.0.0.1", "port": metrics_port}}}}]}
        return {"receivers": receivers, "exporters": exporters, "service": {
            # Each exporter's line counts, though all say the same.
            "telemetry": {"metrics": metrics, "logs": {"sampling": {"enabled": False}}},
            "pipelines": {"logs": {"receivers": list(receivers), "exporters": list(exporters)}}}}

    def post(self, port, context, path="/v1/logs"):
        """One log record over TLS; the status."""
        body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}'
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            return connection.getresponse().status
        finally:
            connection.close()

    def test_servers(self):
        servers, exporters = {}, {}
        for name, (certificate, options, host, _) in _SERVERS.items():
            servers[name] = self.managed(_Server(self.issue(**certificate), **options))
            exporters[f"otlp_http/{name}"] = {
                "endpoint": f"https://127.0.0.1:{servers[name].port}", "compression": "none",
                "tls": {"ca_file": str(self.cas["ca"].pem), "server_name_override": host},
                "sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}
        port, receivers = self.receiver(self.issue())
        weir = self.weir(self.config(receivers, exporters))
        status = self.post(port, _context(ssl.PROTOCOL_TLS_CLIENT))
        self.assertEqual(status, 503, "the worst of the answers")
        good = sorted(name for name, (_, _, _, reason) in _SERVERS.items() if reason is None)
        self.assertEqual(sorted(name for name, server in servers.items() if server.requests), good)
        for name, (_, _, _, reason) in _SERVERS.items():
            wait_for(lambda n=name, r=reason: r is None or any(
                r in line for line in weir.stderr.splitlines() if f'"otlp_http/{n}"' in line), 5,
                f"{name}: {reason!r} in its line of the log", 0.02)
        self.figure(f"{len(_SERVERS) - len(good)} kinds of servers refused")

    def test_clients(self):
        port, receivers = self.receiver(self.issue(), client_ca_file=str(self.cas["ca"].pem))
        weir = self.weir(self.config(receivers, {"nop": None}))
        refused = 0
        for name, (certificate, options, reason) in _CLIENTS.items():
            before = len(weir.stderr)
            own = self.issue(**certificate) if certificate is not None else None
            context = _context(ssl.PROTOCOL_TLS_CLIENT, own, **options)
            if reason is None:
                self.assertEqual(self.post(port, context), 200, name)
                continue
            refused += 1
            with self.assertRaises(OSError, msg=name):
                self.post(port, context)
            wait_for(lambda: reason in weir.stderr[before:], 5,
                     lambda n=name: f"{n}: {reason!r} is not in {weir.stderr[before:]}", 0.02)
        self.figure(f"{refused} kinds of clients refused")

    def test_own_certificate_has_ended(self):
        port, receivers = self.receiver(self.issue(first=-3, last=-0.5))
        server, metrics = self.managed(_Server(self.issue())), self.free_port()
        exporter = {"endpoint": f"https://127.0.0.1:{server.port}", "tls": {"ca_file": str(self.cas["ca"].pem)}}
        weir = self.weir(self.config(receivers, {"otlp_http": exporter}, metrics))
        self.assertEqual(self.post(port, _context(ssl.PROTOCOL_TLS_CLIENT)), 200)
        self.assertRegex(weir.stderr, r"\terror\tTLS certificate is not valid[^\n]*has expired on 20")
        days = {(labels["side"], labels["use"]): value
                for name, labels, value in self.metrics(metrics).samples if name == "weir_tls_certificate_expiry_days"}
        self.assertAlmostEqual(days["server", "own"], -0.5, delta=0.1)
        self.assertAlmostEqual(days["client", "ca"], 30, delta=0.1)

    def resume(self, port, version, certificate, save=None, use=None):
        """Shakes hands with the openssl command; True when a session was resumed."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-ign_eof"]
        command += ["-cert", certificate[0], "-key", certificate[1]] if certificate else []
        command += ["-sess_out", save] if save else []
        command += ["-sess_in", use] if use else []
        done = subprocess.run(list(map(str, command)), input=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                              capture_output=True, timeout=10)
        answered = b"HTTP/1.1 404" in done.stdout
        return answered, b"\nReused, " in done.stdout

    def test_tickets_end_with_the_client_ca(self):
        client_ca = self.folder / "client-ca.pem"
        shutil.copy(self.cas["ca"].pem, client_ca)
        port, receivers = self.receiver(self.issue(), client_ca_file=str(client_ca))
        weir = self.weir(self.config(receivers, {"nop": None}))
        own = self.issue()
        tickets = {v: self.folder / f"session{v}" for v in ("-tls1_2", "-tls1_3")}
        for version, ticket in tickets.items():
            self.assertEqual(self.resume(port, version, own, save=ticket), (True, False))
            self.assertEqual(self.resume(port, version, None, use=ticket), (True, True), version)
            self.resume(port, version, own, save=ticket)
        shutil.copy(self.cas["other"].pem, client_ca)
        wait_for(lambda: re.search(r"TLS files have changed: [^\n]*client-ca.pem", weir.stderr), 10,
                 "the new CA is taken", 0.05)
        for version, ticket in tickets.items():
            self.assertEqual(self.resume(port, version, None, use=ticket), (False, False), version)
            self.assertFalse(self.resume(port, version, own)[0])

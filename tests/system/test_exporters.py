# SPDX-License-Identifier: Apache-2.0
"""The otlp_grpc and otlp_http exporters: their keys, and what they make of a server's answers."""

import pathlib
import socket
import tempfile
import threading

from weirtest import TestCase, free_port, messages, rawhttp, rpc
from weirtest.answers import DIRECT, make_config, otlp_exporter
from weirtest.bench import Sink, certificate
from weirtest.requests import PROTO, request
from weirtest.wait import wait_for
from weirtest.weir import validate


class Proxy:
    """An HTTP proxy that knows CONNECT only, and forwards to `target` whatever is asked for."""

    def __init__(self, target, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
        self.target, self.answer = target, answer
        self.heads = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        self.heads.append(head.decode())
        client.sendall(self.answer)
        if b" 200 " not in self.answer:
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
        self._pump(client, server)

    @staticmethod
    def _pump(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self._server.close()


class Exporters(TestCase):
    def start(self, exporters, **options):
        self.http = free_port()
        return self.weir(make_config(f"127.0.0.1:{free_port()}", f"127.0.0.1:{self.http}",
                                     exporters), **options)

    def send(self):
        return rawhttp.post(self.http, "/v1/traces", request())

    def test_redirect_is_followed(self):
        last = self.managed(rawhttp.Sink())
        first = self.managed(rawhttp.Sink(
            lambda _: (308, {"Location": f"http://127.0.0.1:{last.port}/v1/traces"}, b"")))
        weir = self.start({"otlp_http": {"endpoint": f"http://127.0.0.1:{first.port}", **DIRECT}})
        self.assertEqual(self.send().status, 200)
        self.assertEqual(len(last.received), 1)
        self.stop_cleanly(weir)

    def test_found_elsewhere_is_no_success(self):
        last = self.managed(rawhttp.Sink())
        first = self.managed(rawhttp.Sink(
            lambda _: (302, {"Location": f"http://127.0.0.1:{last.port}/v1/traces"}, b"")))
        weir = self.start({"otlp_http": {"endpoint": f"http://127.0.0.1:{first.port}", **DIRECT}})
        self.assertEqual(self.send().status, 500)
        self.assertEqual(len(last.received), 0)
        self.stop_cleanly(weir)

    def test_retry_after_is_passed_on(self):
        sink = self.managed(rawhttp.Sink(lambda _: (503, {"Retry-After": "7"}, b"")))
        weir = self.start({"otlp_http": {"endpoint": f"http://127.0.0.1:{sink.port}", **DIRECT}})
        answer = self.send()
        self.assertEqual((answer.status, answer.headers.get("retry-after")), (503, "7"))
        self.stop_cleanly(weir)

    def test_partial_success_counts_what_was_rejected(self):
        response = messages.response("traces")()
        response.partial_success.rejected_spans = 1
        response.partial_success.error_message = "one too old"
        body = response.SerializeToString()
        sink = self.managed(rawhttp.Sink(lambda _: (200, {"Content-Type": PROTO}, body)))
        weir = self.start({"otlp_http": {"endpoint": f"http://127.0.0.1:{sink.port}", **DIRECT}})
        sent = messages.simple("traces", 3).SerializeToString()
        self.assertEqual(rawhttp.post(self.http, "/v1/traces", sent).status, 200)
        ledger = self.stop_cleanly(weir)
        row = ledger.row("traces", "exporter", "otlp_http")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (3, 2, 1))
        self.assertIn("Partial success response", weir.stderr)
        self.assertIn("one too old", weir.stderr)

    def test_grpc_through_a_proxy(self):
        sink = self.managed(rpc.Sink())
        proxy = self.managed(Proxy(sink.port))
        weir = self.start({"otlp": {"endpoint": "collector.example:4317",
                                    "tls": {"insecure": True}, **DIRECT}},
                          env={"HTTPS_PROXY": f"http://me:secret@127.0.0.1:{proxy.port}",
                               "NO_PROXY": "other.example"})
        self.assertEqual(self.send().status, 200)
        self.assertEqual(sink.count("traces"), 1)
        self.assertTrue(proxy.heads[0].startswith(
            "CONNECT collector.example:4317 HTTP/1.1\r\nhost: collector.example:4317\r\n"))
        self.assertIn("\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n", proxy.heads[0])
        self.stop_cleanly(weir)

    def test_https_through_a_proxy(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            cert, key = certificate(pathlib.Path(folder))
            sink = self.managed(Sink(f"--cert={cert}", f"--key={key}"))
            port = int(sink.http.rpartition(":")[2])
            proxy = self.managed(Proxy(port))
            for http_2 in (True, False):
                with self.subTest(f"HTTP/2: {http_2}"):
                    weir = self.start({"otlp_http": {
                        "endpoint": "https://localhost:4318", "tls": {"ca_file": str(cert)},
                        "force_attempt_http2": http_2, **DIRECT,
                        "proxy_url": f"http://127.0.0.1:{proxy.port}"}})
                    self.assertEqual(self.send().status, 200)
                    self.stop_cleanly(weir)
            self.assertTrue(proxy.heads[0].startswith("CONNECT localhost:4318 HTTP/1.1\r\n"))
            self.assertEqual(sink.stop()[1]["items"], 2)

    def test_a_connection_for_every_request(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            cert, key = certificate(pathlib.Path(folder))
            sink = self.managed(Sink(f"--cert={cert}", f"--key={key}"))
            for disable, connections in ((False, 1), (True, 3)):
                with self.subTest(f"disable_keep_alives: {disable}"):
                    proxy = self.managed(Proxy(int(sink.http.rpartition(":")[2])))
                    weir = self.start({"otlp_http": {
                        "endpoint": "https://localhost:4318", "tls": {"ca_file": str(cert)},
                        "disable_keep_alives": disable, **DIRECT,
                        "proxy_url": f"http://127.0.0.1:{proxy.port}"}}, args=["--workers", "1"])
                    for _ in range(3):
                        self.assertEqual(self.send().status, 200)
                    self.assertEqual(len(proxy.heads), connections)
                    self.stop_cleanly(weir)

    def test_a_name_with_two_addresses_of_which_one_answers(self):
        sink = self.managed(rpc.Sink())
        weir = self.start({"otlp": {"endpoint": f"localhost:{sink.port}",
                                    "tls": {"insecure": True}, **DIRECT}})
        for _ in range(5):
            self.assertEqual(self.send().status, 200)
        self.assertEqual(sink.count("traces"), 5)
        self.stop_cleanly(weir)

    def test_proxy_that_refuses(self):
        proxy = self.managed(Proxy(0, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
        weir = self.start({"otlp": {"endpoint": "collector.example:4317",
                                    "tls": {"insecure": True}, **DIRECT}},
                          env={"HTTPS_PROXY": f"127.0.0.1:{proxy.port}"})
        self.assertEqual(self.send().status, 503)
        wait_for(lambda: "refused the tunnel with status 407" in weir.stderr)
        self.stop_cleanly(weir)

    def test_server_that_comes_back(self):
        port = free_port()
        weir = self.start(otlp_exporter(port))
        self.assertEqual(self.send().status, 503)
        sink = self.managed(rpc.Sink(port=port))
        wait_for(lambda: self.send().status == 200, 30)
        self.assertGreaterEqual(sink.count("traces"), 1)
        self.stop_cleanly(weir)


class Keys(TestCase):
    """What a config may say; nothing is opened."""

    def validate(self, exporters):
        return validate(make_config("127.0.0.1:0", "127.0.0.1:0", exporters))

    def test_accepted(self):
        off = {"enabled": False}
        for name, options in (
                ("otlp", {"endpoint": "h:4317", "sending_queue": off, "retry_on_failure": off}),
                ("otlp_grpc", {"endpoint": "https://h:4317", "balancer_name": "pick_first",
                               "keepalive": {"time": "30s"}, "headers": {"a": "b"}}),
                ("otlp_grpc", {"endpoint": "unix:///run/x.sock", "tls": {"insecure": True}}),
                ("otlp_grpc", {"endpoint": "dns:///h:4317", "compression": "zstd"}),
                ("otlphttp", {"endpoint": "http://h:4318", "sending_queue": off,
                              "retry_on_failure": off}),
                ("otlp_http", {"traces_endpoint": "https://h/x", "compression": "zstd",
                               "compression_params": {"level": 11}, "encoding": "json"}),
                ("otlp_http", {"endpoint": "http://h:4318", "cookies": off})):
            with self.subTest(f"{name} {options}"):
                ended = self.validate({name: options})
                self.assertEqual(ended.code, 0, ended.stderr)

    def test_refused(self):
        for name, options, text in (
                ("otlp_grpc", {}, 'requires a non-empty "endpoint"'),
                ("otlp_grpc", {"endpoint": "h"}, "address h: missing port in address"),
                ("otlp_grpc", {"endpoint": "h:abc"}, 'invalid port "abc"'),
                ("otlp_grpc", {"endpoint": "h:1", "compression": "lz4"}, "lz4"),
                ("otlp_grpc", {"endpoint": "h:1", "balancer_name": "best"}, "best"),
                ("otlp_grpc", {"endpoint": "h:1", "timeout": "-1s"},
                 "'timeout' must be non-negative"),
                ("otlp_grpc", {"endpoint": "h:1", "auth": {"authenticator": "x"}}, "auth"),
                ("otlp_grpc", {"endpoint": "h:1", "sending_queue": {"queue_size": 0}},
                 "`queue_size` must be positive"),
                ("otlp_grpc", {"endpoint": "h:1", "retry_on_failure": {"max_elapsed_time": "1s"}},
                 "'max_elapsed_time' must not be less than 'initial_interval'"),
                ("otlp_http", {}, "at least one endpoint must be specified"),
                ("otlp_http", {"logs_endpoint": "http://h"},
                 "either endpoint or traces_endpoint must be specified"),
                ("otlp_http", {"traces_endpoint": "h:1"}, "traces_endpoint must be a valid URL"),
                ("otlp_http", {"endpoint": "http://h", "encoding": "xml"}, "xml"),
                ("otlp_http", {"endpoint": "http://h", "compression": "gzip",
                               "compression_params": {"level": 10}}, "unsupported parameters"),
                ("otlp_http", {"endpoint": "http://h", "proxy_url": "socks5://p:1"},
                 "only proxies with http:// are supported"),
                ("otlp_http", {"endpoint": "http://h", "cookies": {"enabled": True}},
                 "cookies are not kept by this client"),
                ("otlp_http", {"endpoint": "http://h", "headers": {"a b": "c"}},
                 'invalid header field name "a b"')):
            with self.subTest(f"{name} {options}"):
                ended = self.validate({name: options})
                self.assertEqual(ended.code, 1, ended.stderr)
                self.assertIn(text, ended.stderr)

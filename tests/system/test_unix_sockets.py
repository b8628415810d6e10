# SPDX-License-Identifier: Apache-2.0
"""The otlp receiver on unix sockets."""

import pathlib
import tempfile

from weirtest import TestCase, free_port, rawhttp, rpc
from weirtest.answers import make_config, otlp_exporter
from weirtest.requests import OK_PROTO, PROTO, request


class UnixSockets(TestCase):
    """The receiver on paths, in both ways to write it."""

    def check(self, grpc, http, options):
        sink = self.managed(rpc.Sink())
        weir = self.weir(make_config(grpc, http, otlp_exporter(sink.port), options, options))
        sender = self.managed(rpc.Sender(f"unix://{self.folder / 'grpc'}"))
        self.assertEqual(sender.export("traces", request(2)).code, "OK")
        answer = rawhttp.curl("--unix-socket", self.folder / "http", "-H", f"Content-Type: {PROTO}",
                              "http://localhost/v1/traces", data=request(3))
        self.assertEqual((answer.status, answer.body), (200, OK_PROTO))
        self.assertEqual(sink.count("traces"), 5)
        self.stop_cleanly(weir)
        self.assertEqual(sorted(self.folder.iterdir()), [], "sockets are removed on close")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_transport_unix(self):
        self.check(self.folder / "grpc", self.folder / "http", {"transport": "unix"})

    def test_unix_url(self):
        self.check(f"unix://{self.folder / 'grpc'}", f"unix://{self.folder / 'http'}", {})

    def test_existing_path_is_an_address_in_use(self):
        (self.folder / "grpc").touch()
        config = make_config(self.folder / "grpc", f"127.0.0.1:{free_port()}", {"nop": None},
                             {"transport": "unix"})
        weir = self.weir(config, ready=False)
        ended = weir.wait()
        self.assertEqual(ended.code, 1, ended.stderr)
        self.assertIn("address already in use", ended.stderr)

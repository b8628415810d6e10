# SPDX-License-Identifier: Apache-2.0
"""The base of the tests of the otlp receiver's answers."""

import json

from . import messages, rawhttp, rpc
from .case import TestCase
from .ledger import Ledger
from .ports import free_port
from .requests import JSON, OK_PROTO, PROTO, request, status
from .weir import Weir

EXPORT = messages.method("traces")


# An exporter whose answers are the client's: nothing is queued, nothing tried again.
DIRECT = {"sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}


def otlp_exporter(port):
    return {"otlp": {"endpoint": f"127.0.0.1:{port}", "tls": {"insecure": True}, **DIRECT}}


def make_config(grpc, http, exporters, grpc_options=None, http_options=None):
    """A pipeline for traces alone, from the otlp receiver to the exporters, nothing between."""
    protocols = {"grpc": {"endpoint": str(grpc), **(grpc_options or {})},
                 "http": {"endpoint": str(http), **(http_options or {})}}
    return {
        "receivers": {"otlp": {"protocols": protocols}},
        "exporters": exporters,
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": list(exporters)}},
        },
    }


class Answers(TestCase):
    """One weir and one sink for the tests of a class. The otlp receiver serves traces only.

    Each test ends with a normal request that has to be delivered, so whatever was sent before it
    has done no harm. `self.delivered` is what must have arrived at the sink by then."""

    grpc_options = {}
    http_options = {}
    path = "/v1/traces"

    @classmethod
    def setUpClass(cls):
        cls.sink = rpc.Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.grpc, cls.http = free_port(), free_port()
        cls.weir_process = Weir(make_config(
            f"127.0.0.1:{cls.grpc}", f"127.0.0.1:{cls.http}", otlp_exporter(cls.sink.port),
            cls.grpc_options, cls.http_options))
        cls.addClassCleanup(cls.weir_process.kill)
        cls.sender = rpc.Sender(cls.grpc)
        cls.addClassCleanup(cls.sender.close)

    @classmethod
    def tearDownClass(cls):
        ended = cls.weir_process.stop()
        assert ended.code == 0 and Ledger(ended.stderr).closes, ended.stderr

    def setUp(self):
        self.delivered = self.sink.count("traces")

    def tearDown(self):
        """A normal request over both protocols is accepted and delivered."""
        answer = rawhttp.post(self.http, self.path, request(3))
        self.assertEqual((answer.status, answer.body), (200, OK_PROTO))
        self.assertEqual(self.sender.export("traces", request(2)).code, "OK")
        self.delivered += 5
        self.assertEqual(self.sink.count("traces"), self.delivered)

    def post(self, body, content_type=PROTO, **headers):
        return rawhttp.post(self.http, self.path, body, content_type, **headers)

    def curl(self, *args, data=None, path=None, content_type=PROTO):
        return rawhttp.curl("-H", f"Content-Type: {content_type}", *args,
                            f"http://127.0.0.1:{self.http}{path or self.path}", data=data)

    def nghttp(self, data, *headers, path=EXPORT, content_type="application/grpc"):
        fields = [("content-type", content_type), ("te", "trailers"), *headers]
        return rawhttp.nghttp(f"http://127.0.0.1:{self.grpc}{path}", fields, data)

    def assert_answer(self, answer, code, content_type, body):
        self.assertEqual((answer.status, answer.headers.get("content-type"), answer.body),
                         (code, content_type, body))

    def assert_status(self, answer, http_status, code, text, content_type=PROTO):
        """A google.rpc.Status in the encoding of `content_type` whose message has `text` in it."""
        self.assertEqual((answer.status, answer.headers.get("content-type")),
                         (http_status, content_type), answer)
        if content_type == JSON:
            fields = json.loads(answer.body)
            found = fields["code"], fields["message"]
        else:
            found = status(answer.body)
        self.assertEqual(found[0], code, answer)
        self.assertIn(text, found[1])

    def assert_grpc_status(self, answer, code, text):
        """Trailers of nghttp's answer."""
        self.assertEqual((answer.status, answer.headers.get("grpc-status")), (200, str(code)),
                         answer)
        self.assertIn(text, answer.headers.get("grpc-message", ""))

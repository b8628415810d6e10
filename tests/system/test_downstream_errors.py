# SPDX-License-Identifier: Apache-2.0
"""Without a queue and a batch processor, what the destination answers is what the client hears."""

import json

from weirtest import TestCase, free_port, rawhttp, rpc
from weirtest.answers import DIRECT, make_config, otlp_exporter
from weirtest.requests import JSON, json_request, request, status

# gRPC code of a destination's refusal -> status that an HTTP client of weir's is answered with.
HTTP_OF_CODE = {
    "CANCELLED": 503, "DEADLINE_EXCEEDED": 503, "ABORTED": 503, "OUT_OF_RANGE": 503,
    "UNAVAILABLE": 503, "DATA_LOSS": 503, "RESOURCE_EXHAUSTED": 429, "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "UNIMPLEMENTED": 404, "UNKNOWN": 500,
    "NOT_FOUND": 500, "ALREADY_EXISTS": 500, "FAILED_PRECONDITION": 500, "INTERNAL": 500,
}

# HTTP status of a destination's refusal -> what weir answers over HTTP, and over gRPC.
CODE_OF_HTTP = {
    400: (400, "INVALID_ARGUMENT"), 401: (401, "UNAUTHENTICATED"), 403: (403, "PERMISSION_DENIED"),
    404: (404, "UNIMPLEMENTED"), 429: (429, "RESOURCE_EXHAUSTED"), 502: (503, "UNAVAILABLE"),
    503: (503, "UNAVAILABLE"), 504: (503, "UNAVAILABLE"), 409: (500, "UNKNOWN"),
    418: (500, "UNKNOWN"), 500: (500, "UNKNOWN"),
}


class DownstreamErrors(TestCase):
    """Without a queue, what the destination answers is what the client hears."""

    def start(self, exporters):
        grpc, self.http = free_port(), free_port()
        self.process = self.weir(make_config(f"127.0.0.1:{grpc}", f"127.0.0.1:{self.http}",
                                             exporters))
        self.sender = self.managed(rpc.Sender(grpc))

    def test_grpc_destination(self):
        code = [None]
        sink = self.managed(rpc.Sink(lambda *_: (code[0], "said the sink")))
        self.start(otlp_exporter(sink.port))
        for name, http_status in HTTP_OF_CODE.items():
            with self.subTest(name):
                code[0] = name
                answer = self.sender.export("traces", request())
                self.assertEqual(answer.code, name)
                self.assertIn("said the sink", answer.details)
                answer = rawhttp.post(self.http, "/v1/traces", json_request(), JSON)
                self.assertEqual((answer.status, answer.headers["content-type"]),
                                 (http_status, JSON))
                self.assertIn("said the sink", json.loads(answer.body)["message"])
        self.stop_cleanly(self.process)

    def test_http_destination(self):
        code = [None]
        sink = self.managed(rawhttp.Sink(lambda _: (code[0], {}, b"")))
        self.start({"otlphttp": {"endpoint": f"http://127.0.0.1:{sink.port}", **DIRECT}})
        for status_in, (status_out, name) in CODE_OF_HTTP.items():
            with self.subTest(status_in):
                code[0] = status_in
                answer = rawhttp.post(self.http, "/v1/traces", request())
                self.assertEqual(answer.status, status_out)
                self.assertEqual(self.sender.export("traces", request()).code, name)
        self.stop_cleanly(self.process)

    def test_no_destination(self):
        self.start(otlp_exporter(free_port()))
        answer = self.sender.export("traces", request())
        self.assertEqual(answer.code, "UNAVAILABLE")
        answer = rawhttp.post(self.http, "/v1/traces", request())
        self.assertEqual((answer.status, status(answer.body)[0]), (503, 14))
        self.stop_cleanly(self.process)

# SPDX-License-Identifier: Apache-2.0
"""The otlp receiver's answers over HTTP, as curl and raw sockets see them."""

import json
import os

from weirtest import codecs, rawhttp
from weirtest.answers import Answers
from weirtest.requests import (JSON, OK_JSON, OK_PROTO, PROTO, field, json_request, nested_value,
                               noise, request)

INVALID_ARGUMENT = 3


class HttpAnswers(Answers):
    """collector-core: handler order, methods, types, encodings, bodies."""

    http_options = {"max_request_body_size": 65536}

    def test_success_protobuf(self):
        self.delivered += 4
        self.assert_answer(self.curl(data=request(4)), 200, PROTO, OK_PROTO)

    def test_success_json(self):
        self.delivered += 2
        answer = self.curl(data=json_request(2), content_type=JSON)
        self.assert_answer(answer, 200, JSON, OK_JSON)

    def test_media_type_parameters_and_case_are_ignored(self):
        self.delivered += 2
        answer = self.post(json_request(), "Application/JSON; charset=utf-8")
        self.assertEqual((answer.status, answer.body), (200, OK_JSON))
        answer = self.post(request(), "APPLICATION/X-PROTOBUF")
        self.assertEqual((answer.status, answer.body), (200, OK_PROTO))

    def test_query_is_not_part_of_the_path(self):
        self.delivered += 1
        answer = self.curl(data=request(), path="/v1/traces?key=value")
        self.assert_answer(answer, 200, PROTO, OK_PROTO)

    def test_wrong_path(self):
        for path in ("/", "/v1", "/v1/traces/", "/v1/Traces", "/v1/nothing", "/v1/traces/x"):
            answer = self.curl(data=request(), path=path)
            self.assertEqual(answer.status, 404, path)
            self.assertTrue(answer.headers["content-type"].startswith("text/plain"), path)

    def test_path_of_a_signal_without_pipeline(self):
        for path in ("/v1/metrics", "/v1/logs", "/v1development/profiles"):
            answer = self.curl(data=request(), path=path)
            self.assertEqual(answer.status, 404, path)

    def test_wrong_method(self):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = self.curl("-X", method)
            self.assert_answer(answer, 405, "text/plain",
                               b"405 method not allowed, supported: [POST]")
        head = self.curl("--head")
        self.assertEqual((head.status, head.headers["content-type"], head.body),
                         (405, "text/plain", b""))

    def test_wrong_method_is_seen_before_wrong_type(self):
        answer = rawhttp.request(self.http, "GET", "/v1/traces", {"Content-Type": "text/html"})
        self.assertEqual(answer.status, 405)

    def test_wrong_content_type(self):
        text = b"415 unsupported media type, supported: [application/json, application/x-protobuf]"
        for content_type in ("text/plain", "application/grpc", "application/jsonx", "json"):
            answer = self.curl(data=request(), content_type=content_type)
            self.assert_answer(answer, 415, "text/plain", text)
        self.assert_answer(self.post(request(), None), 415, "text/plain", text)

    def test_bad_protobuf(self):
        bodies = (b"\xff", b"\x0a", b"\x0a\x05ab", request()[:-1], b"not protobuf at all",
                  # field number 0; an end group; a trace id of three bytes; invalid UTF-8
                  b"\x02\x00", b"\x0c", field(1, field(2, field(2, field(1, b"abc")))))
        for body in bodies:
            self.assert_status(self.curl(data=body), 400, INVALID_ARGUMENT, "")

    def test_bad_json(self):
        bodies = (b"{", b"[]", b'"text"', b"{]", b'{"resourceSpans":', b'{"resourceSpans":1}',
                  json_request() + b"x", b"\xff\xfe{}", json_request()[:-1],
                  b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}',
                  b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"abcd"}]}]}]}')
        for body in bodies:
            answer = self.curl(data=body, content_type=JSON)
            self.assert_status(answer, 400, INVALID_ARGUMENT, "", JSON)

    def test_empty_protobuf_request(self):
        self.assert_answer(self.curl(data=b""), 200, PROTO, OK_PROTO)

    def test_requests_without_items(self):
        for body in (b"\x0a\x00", field(1, field(2, b""))):
            self.assert_answer(self.curl(data=body), 200, PROTO, OK_PROTO)
        for body in (b"{}", b'{"resourceSpans":[]}', b'{"resourceSpans":[{"scopeSpans":[{}]}]}'):
            answer = self.curl(data=body, content_type=JSON)
            self.assert_answer(answer, 200, JSON, OK_JSON)

    def test_empty_json_body(self):
        answer = self.curl(data=b"", content_type=JSON)
        self.assert_status(answer, 400, INVALID_ARGUMENT, "", JSON)

    def test_body_of_the_limit_is_taken(self):
        self.delivered += 1
        self.assert_answer(self.curl(data=noise(65536)), 200, PROTO, OK_PROTO)

    def test_body_over_the_limit(self):
        for size in (65537, 1 << 20):
            answer = self.curl("-H", "Expect:", data=noise(size))
            self.assert_status(answer, 400, INVALID_ARGUMENT, "http: request body too large")

    def test_body_over_the_limit_json(self):
        answer = self.curl("-H", "Expect:", data=b'{"x":"' + b"y" * 65536 + b'"}',
                           content_type=JSON)
        self.assert_status(answer, 400, INVALID_ARGUMENT, "http: request body too large", JSON)

    def test_chunked_body_over_the_limit(self):
        answer = self.curl("-H", "Transfer-Encoding: chunked", "-H", "Expect:", data=noise(65537))
        self.assert_status(answer, 400, INVALID_ARGUMENT, "http: request body too large")

    def test_connection_closes_after_a_body_over_the_limit(self):
        with rawhttp.Connection(self.http) as connection:
            head = rawhttp.encode("POST", "/v1/traces",
                                  {"Content-Type": PROTO, "Content-Length": "1000000000"}, None)
            connection.send(head + b"x" * 70000)
            self.assertEqual(connection.receive().status, 400)
            self.assertTrue(connection.closed())

    def test_body_that_inflates_over_the_limit(self):
        for name, encode in codecs.HTTP.items():
            if name in ("gzip", "zlib", "deflate"):
                body = encode(b"\0" * 65537)
                self.assertLess(len(body), 1000)
                answer = self.post(body, Content_Encoding=name)
                self.assert_status(answer, 400, INVALID_ARGUMENT, "")
        answer = self.post(codecs.snappy_block_of_zeros(65537), Content_Encoding="snappy")
        self.assert_status(answer, 400, INVALID_ARGUMENT, "")
        answer = self.post(codecs.zstd_bomb(65537), Content_Encoding="zstd")
        self.assert_status(answer, 400, INVALID_ARGUMENT, "")

    def test_unknown_encodings(self):
        for name in ("identity", "br", "GZIP", "gzip, gzip", "compress"):
            text = f"unsupported Content-Encoding: {name}"
            answer = self.curl("-H", f"Content-Encoding: {name}", data=request())
            self.assert_status(answer, 400, INVALID_ARGUMENT, text)
            answer = self.curl("-H", f"Content-Encoding: {name}", data=json_request(),
                               content_type=JSON)
            self.assert_answer(answer, 400, JSON,
                               json.dumps({"code": 3, "message": text},
                                          separators=(",", ":")).encode())

    def test_unknown_encoding_without_type_is_answered_as_json(self):
        answer = self.post(request(), None, Content_Encoding="br")
        self.assert_status(answer, 400, INVALID_ARGUMENT, "unsupported Content-Encoding: br", JSON)

    def test_unknown_encoding_with_a_strange_type(self):
        answer = self.post(request(), "text/plain", Content_Encoding="br")
        self.assertEqual((answer.status, answer.body),
                         (500, b'{"code": 13, "message": "failed to marshal error message"}'))

    def test_broken_compressed_bodies(self):
        for name, encode in codecs.HTTP.items():
            whole = encode(request(50))
            for body in (whole[:len(whole) // 2], b"not " + name.encode(), b""):
                answer = self.post(body, Content_Encoding=name)
                if body or answer.status != 200:
                    self.assert_status(answer, 400, INVALID_ARGUMENT, "")

    def test_gzip_with_a_wrong_checksum(self):
        body = bytearray(codecs.gzip(request(50)))
        body[-5] ^= 0xFF
        answer = self.post(bytes(body), Content_Encoding="gzip")
        self.assert_status(answer, 400, INVALID_ARGUMENT, "")

    def test_requests_in_a_row_on_one_connection(self):
        with rawhttp.Connection(self.http) as connection:
            for _ in range(3):
                connection.send(rawhttp.encode("POST", "/v1/traces", {"Content-Type": PROTO},
                                               request()))
                self.assertEqual(connection.receive().status, 200)
            connection.send(rawhttp.encode("GET", "/v1/traces", {}, None))
            self.assertEqual(connection.receive().status, 405)
            connection.send(rawhttp.encode("POST", "/v1/traces", {"Content-Type": JSON},
                                           json_request()))
            self.assertEqual(connection.receive().body, OK_JSON)
        self.delivered += 4

    def test_pipelined_requests_are_answered_in_order(self):
        one = rawhttp.encode("POST", "/v1/traces", {"Content-Type": PROTO}, request())
        bad = rawhttp.encode("POST", "/v1/traces", {"Content-Type": PROTO}, b"\xff")
        with rawhttp.Connection(self.http) as connection:
            connection.send(one + bad + one + one)
            codes = [connection.receive().status for _ in range(4)]
        self.assertEqual(codes, [200, 400, 200, 200])
        self.delivered += 3

    def test_body_byte_by_byte(self):
        data = rawhttp.encode("POST", "/v1/traces", {"Content-Type": PROTO}, request())
        with rawhttp.Connection(self.http) as connection:
            for byte in data:
                connection.send(bytes([byte]))
            self.assertEqual(connection.receive().status, 200)
        self.delivered += 1

    def test_expect_continue(self):
        with rawhttp.Connection(self.http) as connection:
            body = request()
            connection.send(rawhttp.encode("POST", "/v1/traces", {
                "Content-Type": PROTO, "Content-Length": str(len(body)),
                "Expect": "100-continue"}, None))
            self.assertEqual(connection.receive().status, 100)
            connection.send(body)
            self.assertEqual(connection.receive().status, 200)
        self.delivered += 1

    def test_http_1_0(self):
        self.delivered += 1
        self.assert_answer(self.curl("--http1.0", data=request()), 200, PROTO, OK_PROTO)

    def test_not_http(self):
        for data in (b"\0" * 100, b"GET\r\n\r\n", b"\r" * 9000,
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            with rawhttp.Connection(self.http) as connection:
                connection.send(data)
                connection.socket.shutdown(1)
                try:
                    self.assertGreaterEqual(connection.receive().status, 400)
                except (ConnectionError, IndexError):
                    pass

    def test_client_that_leaves_in_the_middle(self):
        with rawhttp.Connection(self.http) as connection:
            connection.send(rawhttp.encode("POST", "/v1/traces", {
                "Content-Type": PROTO, "Content-Length": "1000"}, None) + b"half")


class HttpEncodings(Answers):
    """Everything that upstream inflates, at the default limit of 20 MiB."""

    def test_every_content_encoding(self):
        for name, encode in codecs.HTTP.items():
            self.assert_answer(self.post(encode(request(100)), Content_Encoding=name),
                               200, PROTO, OK_PROTO)
            self.assert_answer(self.post(encode(json_request(10)), JSON, Content_Encoding=name),
                               200, JSON, OK_JSON)
            self.delivered += 110

    def test_large_bodies_in_every_encoding(self):
        data = noise(3 << 20)
        for name, encode in codecs.HTTP.items():
            if name != "x-snappy-framed":
                self.assert_answer(self.post(encode(data), Content_Encoding=name),
                                   200, PROTO, OK_PROTO)
                self.delivered += 1

    def test_snappy_knows_the_framed_format(self):
        self.delivered += 5
        answer = self.post(codecs.snappy_framed(request(5)), Content_Encoding="snappy")
        self.assert_answer(answer, 200, PROTO, OK_PROTO)

    def test_deflate_is_the_zlib_format(self):
        answer = self.post(codecs.raw_deflate(request(50)), Content_Encoding="deflate")
        self.assert_status(answer, 400, INVALID_ARGUMENT, "")

    def test_body_over_the_default_limit(self):
        answer = self.curl("-H", "Expect:", data=noise((20 << 20) + 1))
        self.assert_status(answer, 400, INVALID_ARGUMENT, "http: request body too large")

    def test_bombs(self):
        """200 MiB of zeros in 200 KB: refused, and never held in memory."""
        zeros = bytes(200 << 20)
        bombs = {"gzip": codecs.gzip(zeros), "deflate": codecs.zlib_format(zeros),
                 "zstd": codecs.zstd_bomb(200 << 20),
                 "snappy": codecs.snappy_block_of_zeros(200 << 20)[:1 << 20]}
        for name, body in bombs.items():
            answer = self.post(body, Content_Encoding=name)
            self.assert_status(answer, 400, INVALID_ARGUMENT, "")
        # Sanitizers keep freed memory for a while.
        if not os.environ.get("SANITIZER"):
            self.assertLess(self.weir_process.peak_kib(), 120 << 10)

    def test_deep_protobuf(self):
        """protobuf-c crashes on the first; upstream takes it, weir has a cap."""
        for depth in (5000, 200000):
            body = nested_value(depth)
            self.assert_status(self.curl(data=body), 400, INVALID_ARGUMENT, "")

    def test_moderately_deep_protobuf(self):
        self.delivered += 1
        self.assert_answer(self.curl(data=nested_value(20)), 200, PROTO, OK_PROTO)

    def test_deep_json(self):
        deep = 1000000
        nested = b'{"arrayValue":{"values":[' * (deep // 10)
        for body in (b"[" * deep, b'{"resourceSpans":' + b"[" * deep,
                     b'{"unknown":' + b"[" * deep + b"]" * deep + b"}",
                     b'{"unknown":' + b'{"a":' * deep,
                     b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":' + nested):
            answer = self.curl("-H", "Expect:", data=body, content_type=JSON)
            self.assert_status(answer, 400, INVALID_ARGUMENT, "", JSON)


class HttpOptions(Answers):
    """CORS, response_headers, paths of one's own."""

    http_options = {
        "cors": {"allowed_origins": ["http://good.example", "https://*.wild.example"],
                 "allowed_headers": ["X-Custom"], "max_age": 7200},
        "response_headers": {"X-Answered-By": "someone"},
        "traces_url_path": "custom/traces",
    }
    path = "/custom/traces"

    def test_configured_path_replaces_the_default(self):
        self.assertEqual(self.curl(data=request(), path="/v1/traces").status, 404)

    def preflight(self, origin, method="POST", headers="x-custom"):
        return self.curl("-X", "OPTIONS", "-H", f"Origin: {origin}",
                         "-H", f"Access-Control-Request-Method: {method}",
                         "-H", f"Access-Control-Request-Headers: {headers}")

    def test_preflight(self):
        for origin in ("http://good.example", "http://GOOD.example", "https://a.wild.example"):
            answer = self.preflight(origin)
            self.assertEqual((answer.status, answer.body), (204, b""))
            expected = {
                "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
                "access-control-allow-origin": origin,
                "access-control-allow-methods": "POST",
                "access-control-allow-headers": "x-custom",
                "access-control-allow-credentials": "true",
                "access-control-max-age": "7200",
                "x-answered-by": "someone",
            }
            self.assertEqual({k: answer.headers.get(k) for k in expected}, expected)

    def test_preflight_refused(self):
        for question in (("http://bad.example",), ("http://good.example", "DELETE"),
                         ("http://good.example", "POST", "x-other")):
            answer = self.preflight(*question)
            self.assertEqual(answer.status, 204)
            self.assertNotIn("access-control-allow-origin", answer.headers)
            self.assertIn("Origin", answer.headers["vary"])

    def test_actual_request(self):
        self.delivered += 2
        answer = self.curl("-H", "Origin: http://good.example", data=request())
        self.assert_answer(answer, 200, PROTO, OK_PROTO)
        self.assertEqual(answer.headers["access-control-allow-origin"], "http://good.example")
        self.assertEqual(answer.headers["access-control-allow-credentials"], "true")
        self.assertIn("Origin", answer.headers["vary"])
        answer = self.curl("-H", "Origin: http://bad.example", data=request())
        self.assertEqual(answer.status, 200)
        self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_response_headers_on_every_answer(self):
        self.delivered += 1
        answers = [self.curl(data=request()), self.curl(data=b"\xff"), self.curl("-X", "GET"),
                   self.curl(data=b"", path="/nothing"),
                   self.curl("-H", "Content-Encoding: br", data=b"")]
        self.assertEqual([a.status for a in answers], [200, 400, 405, 404, 400])
        self.assertEqual({a.headers.get("x-answered-by") for a in answers}, {"someone"})

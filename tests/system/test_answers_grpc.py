# SPDX-License-Identifier: Apache-2.0
"""The otlp receiver's answers over gRPC, as grpcio, nghttp and raw sockets see them."""

from weirtest import codecs, messages, rawhttp, rpc
from weirtest.answers import EXPORT, Answers
from weirtest.requests import OK_PROTO, field, grpc_frame, nested_value, noise, request

UNIMPLEMENTED, INTERNAL = 12, 13


class GrpcAnswers(Answers):
    """Statuses and texts of the gRPC server."""

    grpc_options = {"max_recv_msg_size_mib": 1}
    limit = 1 << 20

    def test_success(self):
        self.delivered += 4
        answer = self.sender.export("traces", request(4))
        self.assertEqual((answer.code, answer.body), ("OK", OK_PROTO))

    def test_empty_request(self):
        answer = self.sender.export("traces", b"")
        self.assertEqual((answer.code, answer.body), ("OK", OK_PROTO))

    def test_nghttp_with_prior_knowledge(self):
        self.delivered += 2
        answer = self.nghttp(grpc_frame(request(2)))
        self.assert_grpc_status(answer, 0, "")
        self.assertEqual(answer.headers["content-type"], "application/grpc")

    def test_content_types(self):
        for content_type in ("application/grpc+proto", "application/grpc;charset=x"):
            self.delivered += 1
            answer = self.nghttp(grpc_frame(request()), content_type=content_type)
            self.assert_grpc_status(answer, 0, "")
        for content_type in ("application/json", "application/grpcx", "text/plain"):
            answer = self.nghttp(grpc_frame(request()), content_type=content_type)
            self.assertEqual((answer.status, answer.headers.get("grpc-status")), (415, "3"),
                             content_type)

    def test_unknown_service(self):
        for path, name in (("/no.such.Service/Export", "no.such.Service"),
                           (messages.method("logs"), messages.method("logs").split("/")[1])):
            answer = self.sender.call(path, request())
            self.assertEqual((answer.code, answer.details), ("UNIMPLEMENTED",
                                                             f"unknown service {name}"))

    def test_unknown_method(self):
        service = EXPORT.split("/")[1]
        answer = self.sender.call(f"/{service}/Nope", request())
        self.assertEqual((answer.code, answer.details),
                         ("UNIMPLEMENTED", f"unknown method Nope for service {service}"))

    def test_bad_protobuf(self):
        for body in (b"\xff", request()[:-1], field(1, field(2, field(2, field(1, b"abc"))))):
            answer = self.sender.export("traces", body)
            self.assertEqual(answer.code, "INTERNAL")
            self.assertTrue(answer.details.startswith(
                "grpc: failed to unmarshal the received message"), answer.details)

    def test_message_of_the_limit_is_taken(self):
        self.delivered += 1
        self.assertEqual(self.sender.export("traces", noise(self.limit)).code, "OK")

    def test_message_over_the_limit(self):
        for size in (self.limit + 1, 8 << 20):
            answer = self.sender.export("traces", noise(size))
            self.assertEqual((answer.code, answer.details), (
                "RESOURCE_EXHAUSTED",
                f"grpc: received message larger than max ({size} vs. {self.limit})"))
            self.assertNotIn("grpc-status-details-bin", answer.trailers)

    def test_message_that_inflates_over_the_limit(self):
        sender = self.managed(rpc.Sender(self.grpc, "gzip"))
        for size in (self.limit + 1, 200 << 20):
            answer = sender.export("traces", bytes(size))
            self.assertEqual(answer.code, "RESOURCE_EXHAUSTED")
            self.assertIn(f"after decompression larger than max {self.limit}", answer.details)

    def test_stated_length_is_not_believed(self):
        """Four gigabytes announced, four bytes sent."""
        answer = self.nghttp(b"\0\xff\xff\xff\xffabcd")
        self.assert_grpc_status(answer, 8, "grpc: received message larger than max "
                                           f"(4294967295 vs. {self.limit})")

    def test_truncated_messages(self):
        for data in (b"\0\0\0", b"\0\0\0\1\0abcd", b""):
            answer = self.nghttp(data)
            self.assertEqual(answer.status, 200, data)
            self.assertNotIn(answer.headers.get("grpc-status"), (None, "0"), data)

    def test_compressed_flag_without_encoding(self):
        data = grpc_frame(codecs.gzip(request()), 1)
        self.assert_grpc_status(self.nghttp(data), INTERNAL, "")
        self.assert_grpc_status(self.nghttp(data, ("grpc-encoding", "identity")), INTERNAL, "")

    def test_unknown_encoding(self):
        for flag in (0, 1):
            answer = self.nghttp(grpc_frame(request(), flag), ("grpc-encoding", "br"))
            self.assert_grpc_status(answer, UNIMPLEMENTED,
                                    'grpc: Decompressor is not installed for grpc-encoding "br"')

    def test_accepted_encodings(self):
        for name, encode in codecs.GRPC.items():
            answer = self.nghttp(grpc_frame(encode(request(20)), 1), ("grpc-encoding", name))
            self.assert_grpc_status(answer, 0, "")
            self.assertEqual(answer.headers.get("grpc-encoding"), name)
            self.delivered += 20

    def test_encoding_named_but_not_used(self):
        for name in ("gzip", "identity"):
            self.delivered += 1
            answer = self.nghttp(grpc_frame(request()), ("grpc-encoding", name))
            self.assert_grpc_status(answer, 0, "")

    def test_broken_compressed_messages(self):
        for name, encode in codecs.GRPC.items():
            whole = encode(request(50))
            for data in (whole[:len(whole) // 2], b"not " + name.encode()):
                answer = self.nghttp(grpc_frame(data, 1), ("grpc-encoding", name))
                self.assert_grpc_status(answer, INTERNAL, "")

    def test_deep_protobuf(self):
        for depth in (5000, 100000):
            answer = self.sender.export("traces", nested_value(depth))
            self.assertEqual(answer.code, "INTERNAL")

    def test_http_1_on_the_grpc_port(self):
        with rawhttp.Connection(self.grpc) as connection:
            connection.send(rawhttp.encode("POST", EXPORT, {"Content-Type": "application/grpc"},
                                           grpc_frame(request())))
            self.drain_to_close(connection)

    def test_noise_on_the_grpc_port(self):
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for data in (b"\0" * 1000, preface + b"\xff" * 1000, preface + b"\0\0\4\7\0\0\0\0\0aaaa"):
            with rawhttp.Connection(self.grpc) as connection:
                connection.send(data)
                self.drain_to_close(connection)

    def drain_to_close(self, connection):
        """Whatever is said, the connection ends."""
        try:
            while connection.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def test_many_calls_on_one_connection(self):
        sender = self.managed(rpc.Sender(self.grpc, "gzip"))
        codes = {sender.export("traces", request(2)).code for _ in range(100)}
        self.assertEqual(codes, {"OK"})
        self.delivered += 200


class GrpcDefaultLimit(Answers):
    """4 MiB when nothing is configured."""

    def test_limit(self):
        limit = 4 << 20
        self.assertEqual(self.sender.export("traces", noise(limit)).code, "OK")
        self.delivered += 1
        answer = self.sender.export("traces", noise(limit + 1))
        self.assertEqual((answer.code, answer.details), (
            "RESOURCE_EXHAUSTED",
            f"grpc: received message larger than max ({limit + 1} vs. {limit})"))

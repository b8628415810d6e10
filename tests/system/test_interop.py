# SPDX-License-Identifier: Apache-2.0
"""Other people's senders through weir into other people's servers: what arrives is what was sent.

The OpenTelemetry JS SDK, and Python's grpcio with hand-made messages, send each signal over gRPC,
HTTP/protobuf and HTTP/JSON, plain and gzipped. weir passes it on through every exporter, encoding
and compression to a sink of node's. The sender also sends straight to that sink, and what came
either way is compared field by field.
"""

import json

from weirtest import TestCase, Weir, canonical, free_port, messages, node, rawhttp, rich, rpc
from weirtest.ledger import Ledger

TRANSPORTS = ("grpc", "http-proto", "http-json")
COMPRESSIONS = ("none", "gzip")

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
      http:
        endpoint: 127.0.0.1:{http}
processors:
  batch:
    timeout: 50ms
exporters:
  otlp_grpc/plain:
    endpoint: 127.0.0.1:{sink_grpc}
    timeout: 60s
    compression: none
    tls:
      insecure: true
    headers:
      x-via: grpc-none
  otlp:
    endpoint: http://127.0.0.1:{sink_grpc}
    timeout: 60s
    compression: gzip
    tls:
      insecure: true
    headers:
      x-via: grpc-gzip
  otlp_http/plain:
    endpoint: http://127.0.0.1:{sink_http}
    timeout: 60s
    compression: none
    headers:
      x-via: http-proto-none
  otlphttp:
    endpoint: http://127.0.0.1:{sink_http}/
    timeout: 60s
    headers:
      x-via: http-proto-gzip
  otlphttp/json-plain:
    endpoint: http://127.0.0.1:{sink_http}
    timeout: 60s
    compression: none
    encoding: json
    headers:
      x-via: http-json-none
  otlphttp/json:
    endpoint: http://127.0.0.1:{sink_http}
    timeout: 60s
    compression: gzip
    encoding: json
    headers:
      x-via: http-json-gzip
service:
  telemetry:
    metrics:
      level: none
  pipelines:
"""

PIPELINE = """
    {signal}:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp_grpc/plain, otlp, otlp_http/plain, otlphttp, otlphttp/json-plain,
                  otlphttp/json]
"""

VIAS = [f"{t}-{c}" for t in TRANSPORTS for c in COMPRESSIONS]


def via_of(request):
    """Which exporter of weir's sent a request; None for the sender itself."""
    via = request.headers.get("x-via")
    return via[0] if isinstance(via, list) else via


class ThroughWeir(TestCase):
    """One weir with every exporter, and one sink, for all the tests of a class. On a busy machine the sink answers late:
    who does not wait for it sends a second time."""

    signal = None

    @classmethod
    def setUpClass(cls):
        if cls.signal is None:
            return
        cls.sink = node.Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.grpc, cls.http = free_port(), free_port()
        config = CONFIG.format(grpc=cls.grpc, http=cls.http, sink_grpc=cls.sink.grpc_port,
                               sink_http=cls.sink.http_port) + PIPELINE.format(signal=cls.signal)
        cls.weir = Weir(config)
        cls.addClassCleanup(cls.weir.kill)

    @classmethod
    def tearDownClass(cls):
        if cls.signal is not None:
            ended = cls.weir.stop()
            assert ended.code == 0 and Ledger(ended.stderr).closes, ended.stderr

    def setUp(self):
        self.seen = len(self.sink.received())

    def check_wire(self, request, via):
        """The request travelled as the exporter was told."""
        transport, compression = via.rsplit("-", 1)
        self.assertEqual(request.unknown, [], via)
        self.assertEqual(request.encoding, "json" if transport == "http-json" else "proto", via)
        if transport == "grpc":
            seen = request.headers["x-grpc-encoding"][0]
            self.assertEqual(seen, "gzip" if compression == "gzip" else "identity", via)
        else:
            seen = request.headers.get("content-encoding", "none")
            self.assertEqual(seen, compression, via)

    def check(self, expected_bodies):
        """What all exporters sent since setUp equals `expected_bodies`."""
        expected = canonical.resource_groups(expected_bodies)
        count = sum(canonical.count_items(body) for body in expected_bodies)
        for via in VIAS:
            requests = self.sink.wait(lambda r: via_of(r) == via, count, since=self.seen)
            for request in requests:
                self.assertEqual(request.signal, self.signal)
                self.check_wire(request, via)
            self.assert_same(expected, canonical.resource_groups([r.body for r in requests]), via)

    def send_js(self, transport, compression, count=3):
        ports = (self.grpc, self.sink.grpc_port) if transport == "grpc" else \
            (self.http, self.sink.http_port)
        report = node.send(self.signal, transport, compression,
                           [f"http://127.0.0.1:{port}" for port in ports], count)
        direct = self.sink.wait(lambda r: via_of(r) is None, report["items"], since=self.seen)
        self.check([r.body for r in direct])
        return report["exports"]

    def send_python(self, send, sink_port, weir_port):
        """Sends the rich message with `send(port, message)` to the sink and to weir."""
        message = rich.make(self.signal)
        for port in (sink_port, weir_port):
            send(port, message)
        made = canonical.from_message(message)
        direct = self.sink.wait(lambda r: via_of(r) is None, canonical.count_items(made),
                                since=self.seen)
        self.assert_same(canonical.resource_groups([made]),
                         canonical.resource_groups([r.body for r in direct]), "direct")
        self.check([made])


class SenderTests:
    """The tests; mixed into one class a signal, so that the signals run side by side."""

    def test_js_grpc_plain(self):
        self.send_js("grpc", "none")

    def test_js_grpc_gzip(self):
        self.send_js("grpc", "gzip")

    def test_js_http_protobuf_plain(self):
        self.send_js("http-proto", "none")

    def test_js_http_protobuf_gzip(self):
        self.send_js("http-proto", "gzip")

    def test_js_http_json_plain(self):
        self.send_js("http-json", "none")

    def test_js_http_json_gzip(self):
        self.send_js("http-json", "gzip")

    def test_js_several_requests_merged(self):
        """More than the 512 items that the SDK puts into one export, metrics apart: the batch processor joins them."""
        exports = self.send_js("grpc", "gzip", count={"traces": 260, "metrics": 20, "logs": 60}[self.signal])
        self.assertEqual(exports, 1 if self.signal == "metrics" else 2)

    def send_with_grpcio(self, compression):
        def send(port, message):
            answer = self.managed(rpc.Sender(port, compression)).export(self.signal, message)
            self.assertEqual(answer.code, "OK", answer)

        self.send_python(send, self.sink.grpc_port, self.grpc)

    def test_grpcio_plain(self):
        self.send_with_grpcio("none")

    def test_grpcio_gzip(self):
        self.send_with_grpcio("gzip")

    def send_with_http(self, encode, content_type):
        def send(port, message):
            answer = rawhttp.post(port, messages.http_path(self.signal), encode(message),
                                  content_type)
            self.assertEqual(answer.status, 200, answer)

        self.send_python(send, self.sink.http_port, self.http)

    def test_python_http_protobuf(self):
        self.send_with_http(lambda message: message.SerializeToString(), "application/x-protobuf")

    def test_python_http_json(self):
        """The canonical form is OTLP/JSON itself, with what the SDK cannot send in it."""
        self.send_with_http(lambda message: json.dumps(canonical.from_message(message)).encode(),
                            "application/json")


class Traces(SenderTests, ThroughWeir):
    signal = "traces"


class Metrics(SenderTests, ThroughWeir):
    signal = "metrics"


class Logs(SenderTests, ThroughWeir):
    signal = "logs"


class GrpcioSink(TestCase):
    """weir into a server of grpcio's: without a batch processor the bytes pass untouched."""

    def test_bytes_pass_untouched(self):
        sink = self.managed(rpc.Sink())
        port = free_port()
        self.weir(f"""
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{port}
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink.port}
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
    tls:
      insecure: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp]}}
    metrics: {{receivers: [otlp], exporters: [otlp]}}
    logs: {{receivers: [otlp], exporters: [otlp]}}
""")
        sender = self.managed(rpc.Sender(port, "gzip"))
        for signal in messages.SIGNALS:
            data = rich.make(signal).SerializeToString()
            self.assertEqual(sender.export(signal, data).code, "OK")
            # No queue and no batch: the answer came after the delivery.
            received = sink.received[-1]
            self.assertEqual((received.signal, received.body), (signal, data))

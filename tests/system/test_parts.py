# SPDX-License-Identifier: Apache-2.0
"""The parts of the interop tests against each other, without weir: what is proven here is that a
difference seen in test_interop.py is weir's."""

import itertools
import pathlib
import tempfile
import unittest

import kubernetes

from weirtest import (TestCase, canonical, kube, ledger, messages, node, prom, rawhttp, requests, rich,
                      rpc)
from weirtest.pki import Authority

TRANSPORTS = ("grpc", "http-proto", "http-json")


class Senders(TestCase):
    """Every sender into the sink of node's."""

    def sink(self):
        return self.managed(node.Sink())

    def test_js_sends_the_same_over_every_transport(self):
        sink = self.sink()
        for signal in ("traces", "logs"):
            bodies = []
            for transport, compression in itertools.product(TRANSPORTS, ("none", "gzip")):
                port = sink.grpc_port if transport == "grpc" else sink.http_port
                seen = len(sink.received())
                report = node.send(signal, transport, compression, [f"http://127.0.0.1:{port}"])
                request = sink.received()[seen]
                self.assertEqual(request.items, report["items"])
                self.assertEqual((request.signal, request.encoding),
                                 (signal, "json" if transport == "http-json" else "proto"))
                bodies.append(canonical.resource_groups([request.body]))
            for body in bodies[1:]:
                self.assert_same(bodies[0], body, signal)

    def test_js_sends_metrics_of_every_kind(self):
        sink = self.sink()
        report = node.send("metrics", "grpc", "gzip", [f"http://127.0.0.1:{sink.grpc_port}"])
        request, = sink.received()
        self.assertEqual(request.items, report["items"])
        self.assertEqual(request.headers["x-grpc-encoding"], ["gzip"])
        kinds = {kind for group in request.body["resourceMetrics"]
                 for scope in group["scopeMetrics"] for metric in scope["metrics"]
                 for kind in metric if isinstance(metric[kind], dict)}
        self.assertEqual(kinds, {"gauge", "sum", "histogram", "exponentialHistogram"})

    def test_python_message_arrives_as_it_was_made(self):
        sink = self.sink()
        for signal, compression in itertools.product(messages.SIGNALS, ("none", "gzip")):
            message = rich.make(signal)
            seen = len(sink.received())
            sender = self.managed(rpc.Sender(sink.grpc_port, compression))
            self.assertEqual(sender.export(signal, message).code, "OK")
            request = sink.received()[seen]
            expected = canonical.resource_groups([canonical.from_message(message)])
            actual = canonical.resource_groups([request.body])
            self.assert_same(expected, actual, signal)
            self.assertEqual(request.unknown, [])

    def test_python_sink_keeps_the_bytes(self):
        sink = self.managed(rpc.Sink(lambda signal, number: ("UNAVAILABLE", "later")
                                     if number == 2 else None))
        sender = self.managed(rpc.Sender(sink.port))
        for signal in messages.SIGNALS:
            answer = sender.export(signal, rich.make(signal))
            expected = ("UNAVAILABLE", "later") if signal == "metrics" else ("OK", "")
            self.assertEqual((answer.code, answer.details), expected)
        self.assertEqual([sink.requests, len(sink.received)], [3, 2])
        for request, signal in zip(sink.received, ("traces", "logs")):
            self.assertEqual(request.signal, signal)
            self.assertEqual(request.body, rich.make(signal).SerializeToString())
        self.assertEqual(sender.export("traces", b"", metadata=[("x-via", "y")]).code, "OK")
        self.assertEqual(sink.received[-1].metadata["x-via"], "y")


class Comparison(TestCase):
    """The comparison sees what differs."""

    def test_every_dropped_field_is_a_difference(self):
        for signal in messages.SIGNALS:
            message = rich.make(signal)
            whole = canonical.from_message(message)
            for field, _ in message.ListFields():
                group = getattr(message, field.name)[0]
                for name in [f.name for f, _ in group.ListFields()]:
                    copy = rich.make(signal)
                    getattr(copy, field.name)[0].ClearField(name)
                    self.assertNotEqual(
                        canonical.differences(whole, canonical.from_message(copy)), [], name)

    def test_order_of_resource_groups_does_not_matter(self):
        group = messages.simple("logs", 2)
        other = messages.simple("logs", 3)
        forms = [canonical.from_message(m) for m in (group, other)]
        self.assertEqual(canonical.resource_groups(forms),
                         canonical.resource_groups(forms[::-1]))
        self.assertNotEqual(canonical.resource_groups(forms),
                            canonical.resource_groups([forms[0]] * 2))


class Clients(TestCase):
    """The programs and raw sockets that look at weir's answers, on servers that are not weir."""

    def test_nghttp_sees_headers_and_trailers(self):
        sink = self.managed(rpc.Sink())
        data = requests.grpc_frame(requests.request(2))
        fields = [("content-type", "application/grpc"), ("te", "trailers")]
        url = f"http://127.0.0.1:{sink.port}"
        answer = rawhttp.nghttp(url + messages.method("traces"), fields, data)
        self.assertEqual((answer.status, answer.headers["grpc-status"]), (200, "0"))
        self.assertEqual(answer.headers["content-type"], "application/grpc")
        self.assertEqual(sink.count("traces"), 2)
        answer = rawhttp.nghttp(url + "/no.such/Method", fields, data)
        self.assertEqual((answer.status, answer.headers["grpc-status"]), (200, "12"))

    def test_http_clients(self):
        sink = self.managed(rawhttp.Sink(
            lambda number: (418, {"X-A": "b: c"}, b"text\0") if number % 2 else None))
        expected = [(418, "b: c", b"text\0"), (200, None, b"")]
        answers = [rawhttp.curl(f"http://127.0.0.1:{sink.port}/p?q", data=b"1"),
                   rawhttp.curl(f"http://127.0.0.1:{sink.port}/p?q", data=b"2"),
                   rawhttp.post(sink.port, "/r", b"3", X_Some="y"),
                   rawhttp.post(sink.port, "/r", b"4", None)]
        self.assertEqual([(a.status, a.headers.get("x-a"), a.body) for a in answers], expected * 2)
        self.assertEqual([(r.path, r.body) for r in sink.received],
                         [("/p?q", b"1"), ("/p?q", b"2"), ("/r", b"3"), ("/r", b"4")])
        self.assertEqual(sink.received[2].headers["x-some"], "y")
        self.assertNotIn("content-type", sink.received[3].headers)

    def test_hand_made_requests_are_what_they_claim(self):
        parse = messages.request("traces").FromString
        for size in (1000, 65536, 65537, 1 << 20):
            data = requests.noise(size)
            self.assertEqual(len(data), size)
            self.assertEqual(messages.count_items("traces", parse(data)), 1)
        value = parse(requests.nested_value(9)).resource_spans[0].scope_spans[0].spans[0] \
            .attributes[0].value
        for _ in range(9):
            value = value.array_value.values[0]
        self.assertEqual(value.WhichOneof("value"), "bool_value")
        self.assertEqual(requests.status(b"\x08\x03\x12\x02hi"), (3, "hi"))


class Ledgers(unittest.TestCase):
    """The reader of the ledger."""

    TEXT = """log line
ledger:
  traces
    receiver otlp: accepted 7 = sent 7 + dropped 0 + held 0; not accepted: 1 retryable, 2 permanent
      refused 1 requests: full
    processor batch in traces/a: accepted 7 + made 1 = sent 5 + dropped 3 + held 0
      dropped 3 items: gone
  logs
    exporter otlp/x: accepted 5 = delivered 4 + dropped 0 + held 0 (unexplained: 1)
"""

    def test_rows(self):
        read = ledger.Ledger(self.TEXT + "  the ledger DOES NOT CLOSE\n")
        self.assertFalse(read.closes)
        self.assertEqual(read.row("traces", "receiver", "otlp")["out"], 7)
        self.assertEqual(read.row("traces", "processor", "batch", "traces/a"), {
            "signal": "traces", "kind": "processor", "id": "batch", "pipeline": "traces/a",
            "accepted": 7, "made": 1, "out": 5, "dropped": 3, "handed_over": 0, "held": 0,
            "drops": {"gone": 3}, "refusals": {}})
        self.assertEqual(read.row("traces", "receiver", "otlp")["refusals"], {"full": 1})
        self.assertEqual(read.row("logs", "exporter", "otlp/x")["accepted"], 5)
        self.assertEqual(read.row("logs", "exporter", "otlp")["accepted"], 0)

    def test_end(self):
        self.assertTrue(ledger.Ledger(self.TEXT + "  the ledger closes\n").closes)
        with self.assertRaises(ValueError):
            ledger.Ledger("nothing\n")


class KubernetesApi(TestCase):
    """Kubernetes' own client against the fake API server."""

    def test_list_and_watch(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="weirtest."))
        authority = Authority(pathlib.Path(folder))
        api = self.managed(kube.ApiServer(authority.issue(san="IP:127.0.0.1"), "secret"))
        settings = kubernetes.client.Configuration(host=f"https://127.0.0.1:{api.port}", api_key={"authorization": "Bearer secret"})
        settings.ssl_ca_cert = str(authority.pem)
        client = self.enterContext(kubernetes.client.ApiClient(settings))
        discovery = kubernetes.client.DiscoveryV1Api(client)
        for name in ("a", "b", "c"):
            api.put_slice(name, "gateway", [("10.0.0.1", name != "b", None)], "shop")
        api.put_slice("d", "other", [], "shop")
        selector = {"label_selector": "kubernetes.io/service-name=gateway"}
        page = discovery.list_namespaced_endpoint_slice("shop", limit=2, **selector)
        self.assertEqual([s.metadata.name for s in page.items], ["a", "b"])
        self.assertEqual([s.endpoints[0].conditions.ready for s in page.items], [True, False])
        rest = discovery.list_namespaced_endpoint_slice("shop", limit=2, _continue=page.metadata._continue, **selector)
        self.assertEqual([s.metadata.name for s in rest.items], ["c"])
        version = rest.metadata.resource_version
        api.put_slice("e", "gateway", [], "shop")
        api.put_slice("a", "gateway", [("10.0.0.2", True, "pod")], "shop")
        api.delete_slice("b", "shop")
        watch = kubernetes.watch.Watch()
        events = [(e["type"], e["object"].metadata.name) for e in watch.stream(
            discovery.list_namespaced_endpoint_slice, "shop", resource_version=version, timeout_seconds=1, **selector)]
        self.assertEqual(events, [("ADDED", "e"), ("MODIFIED", "a"), ("DELETED", "b")])
        api.forget()
        with self.assertRaises(kubernetes.client.ApiException) as caught:
            next(watch.stream(discovery.list_namespaced_endpoint_slice, "shop", resource_version=version))
        self.assertEqual(caught.exception.status, 410)
        settings.api_key["authorization"] = "Bearer wrong"
        with self.assertRaises(kubernetes.client.ApiException) as caught:
            discovery.list_namespaced_endpoint_slice("shop")
        self.assertEqual(caught.exception.status, 401)


class Prometheus(unittest.TestCase):
    """The reader of the text format."""

    def test_samples(self):
        metrics = prom.Metrics(
            '# HELP a text\n# TYPE a counter\n'
            'a{x="1",y="q\\"\\\\\\n"} 3\na{x="2"} 4e1 123\nb +Inf\n')
        self.assertEqual(metrics.types, {"a": "counter"})
        self.assertEqual(metrics.samples[0], ("a", {"x": "1", "y": 'q"\\\n'}, 3.0))
        self.assertEqual(metrics.value("a"), 43)
        self.assertEqual(metrics.value("a", x="2"), 40)
        self.assertEqual(metrics.value("b"), float("inf"))

    def test_nonsense_is_refused(self):
        for text in ("a{x=1} 2", "a", "{} 1"):
            with self.assertRaises(ValueError):
                prom.Metrics(text)

# SPDX-License-Identifier: Apache-2.0
"""The users' configurations in tests/configs: they load and run unchanged and do what their authors meant.

They name ports, hosts and files of their machines. Each runs in a network of its own, where /etc/hosts has the
names of its backends, these listen at the ports it expects, and the system's certificates are those of a CA made
here."""

import os
import pathlib
import random
import re
import tempfile
import time

from weirtest import TestCase, messages, paths, prom, rawhttp, rpc, validate, wait_for
from weirtest.loki import Loki
from weirtest.network import Impossible, network
from weirtest.pki import Authority
from weirtest.prometheus import Prometheus
from weirtest.sampling import by_chance

CONFIGS = paths.TOP / "tests" / "configs"
POD = {"MY_POD_NAME": "web-0", "MY_POD_NAMESPACE": "shop"}
ERROR = 2


def spans(message):
    """(resource attributes as a dict, span) of every span."""
    return [({a.key: a.value.string_value for a in group.resource.attributes}, span)
            for group in message.resource_spans for scope in group.scope_spans for span in scope.spans]


def trace(number, name="work", failed=False, millis=1, trace_id=None):
    """A request with a trace of two spans of a shop."""
    trace_id = trace_id or (number + 1).to_bytes(16, "big")
    message = messages.request("traces")()
    group = message.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_spans.add()
    for span in (1, 2):
        made = scope.spans.add(name=f"{name} {number}/{span}", trace_id=trace_id,
                               span_id=span.to_bytes(8, "big"), start_time_unix_nano=1,
                               end_time_unix_nano=1 + millis * 1_000_000)
        made.status.code = ERROR if failed and span == 2 else 0
    return message


class Seed(TestCase):
    """One configuration in a network of its own."""

    config = ""     # the file
    hosts = ()      # of its backends
    secure = True   # whether there are certificates

    @classmethod
    def setUpClass(cls):
        try:
            cls.network = network()
        except Impossible as error:
            cls.skipTest(cls, f"no network of its own: {error}")
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weirtest.")))
        cls.network.hosts(*cls.hosts)
        if cls.secure:
            cls.authority = Authority(folder)
            certificates = folder / "certs"
            certificates.mkdir()
            for name in ("ca.crt", "ca-certificates.crt"):
                (certificates / name).write_bytes(cls.authority.pem.read_bytes())
            cls.authority.link_by_hash(certificates)
            cls.network.cover("/etc/ssl/certs", certificates)

    @property
    def text(self):
        return (CONFIGS / self.config).read_text()

    def backend(self, host, secure=True, port=4317):
        """An OTLP sink at the far end, with a certificate for that host."""
        tls = self.authority.issue(san=f"DNS:{host}") if secure else None
        return self.managed(self.network.at_far_end(rpc.Sink, port=port, host=self.network.far, tls=tls))

    def begin(self, **options):
        """weir, with this configuration just as it is."""
        checked = validate(self.text, **options)
        self.assertEqual(checked.code, 0, checked.stderr)
        for line in checked.stderr.splitlines():  # old names are all that may be said
            self.assertRegex(line, ": warning: .* is deprecated; use ")
        return self.weir(self.text, **options)

    def sender(self, port=4317):
        return self.managed(rpc.Sender(f"{self.network.near}:{port}"))

    def send(self, sender, signal, message):
        answer = sender.export(signal, message)
        self.assertEqual(answer.code, "OK", answer)


class TestSidecar(Seed):
    """OTLP of an application -> where it runs is added -> a gateway, over TLS with a private CA."""

    config = "sidecar.yaml"
    hosts = ("otel-gateway.observability.svc.cluster.local",)

    def test_it_does_what_was_meant(self):
        gateway = self.backend(self.hosts[0])
        weir = self.begin(env=POD)
        self.send(self.sender(), "traces", trace(1))
        answer = rawhttp.post(4318, "/v1/metrics", messages.simple("metrics", 3).SerializeToString())
        self.assertEqual(answer.status, 200, answer.body)
        gateway.wait_count("traces", 2, 20)
        gateway.wait_count("metrics", 3, 20)
        found = [one for message in gateway.parsed("traces") for one in spans(message)]
        self.assertEqual({span.name for _, span in found}, {"work 1/1", "work 1/2"})
        where = {"k8s.pod.name": "web-0", "k8s.namespace.name": "shop"}
        for attributes, _ in found:
            self.assertEqual(attributes, {"service.name": "shop", **where})
        for message in gateway.parsed("metrics"):
            for group in message.resource_metrics:
                self.assertEqual({a.key: a.value.string_value for a in group.resource.attributes}, where)
        self.assertIn("Traces", weir.stderr)  # the exporter "logging" says what came by
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("traces", "exporter", "otlp/gateway")["out"], 2)
        self.assertEqual(ledger.row("metrics", "exporter", "otlp/gateway")["out"], 3)

    def test_a_gateway_of_another_ca_gets_nothing(self):
        """`insecure: false` with the CA's file means that a stranger is not trusted."""
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            self.authority = Authority(pathlib.Path(folder), "stranger")
            try:
                stranger = self.backend(self.hosts[0])
            finally:
                del self.authority
        weir = self.begin(env=POD)
        self.send(self.sender(), "traces", trace(1))
        weir.child.wait_line("certificate verify failed", 30)
        self.assertEqual(stranger.requests, 0)


class TestSidecarOptimized(Seed):
    """OTLP on a unix socket -> small batches -> a gateway, over TLS with the system's CAs."""

    config = "sidecar-optimized.yaml"
    hosts = ("gateway",)

    def test_it_does_what_was_meant(self):
        gateway = self.backend("gateway")
        run = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weirtest.")))
        (run / "otel").mkdir()
        self.network.cover("/var/run", run)
        weir = self.begin()
        sender = self.managed(rpc.Sender("unix:///var/run/otel/otel.sock"))
        for number in range(125):
            self.send(sender, "traces", trace(number))
        gateway.wait_count("traces", 250, 20)
        found = [span.name for message in gateway.parsed("traces") for _, span in spans(message)]
        self.assertEqual(sorted(found), sorted(f"work {n}/{s}" for n in range(125) for s in (1, 2)))
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("traces", "exporter", "otlp/gateway")["out"], 250)
        self.assertFalse(os.path.exists("/var/run/otel/otel.sock"))


class Gateway(Seed):
    """What the two gateways have in common."""

    slow_millis = 0  # that a slow trace takes

    def send_traces(self, sender):
        """Failed, slow and 300 other traces; returns the names of all spans that must be kept, and those of all."""
        chance, kept, sent = random.Random(11), [], []
        for number in range(340):
            name = "failed" if number < 20 else "slow" if number < 40 else "work"
            trace_id = chance.randbytes(16)
            self.send(sender, "traces", trace(number, name, failed=name == "failed", trace_id=trace_id,
                                              millis=self.slow_millis if name == "slow" else 20))
            names = [f"{name} {number}/{span}" for span in (1, 2)]
            sent += names
            if name != "work" or by_chance(trace_id, 10):
                kept += names
        return sorted(kept), sent

    def assert_sampled(self, sink, kept):
        sink.wait_count("traces", len(kept), 40)
        found = [span.name for message in sink.parsed("traces") for _, span in spans(message)]
        self.assertEqual(sorted(found), kept)

    @staticmethod
    def metrics(values):
        """A gauge and a counter for each value, measured now."""
        message, now = messages.request("metrics")(), time.time_ns()
        group = message.resource_metrics.add()
        group.resource.attributes.add(key="service.name").value.string_value = "shop"
        scope = group.scope_metrics.add()
        gauge = scope.metrics.add(name="queue.fill", unit="1").gauge
        counter = scope.metrics.add(name="http.requests", unit="{request}").sum
        counter.is_monotonic, counter.aggregation_temporality = True, 2
        for number, value in enumerate(values):
            for points, given in ((gauge.data_points, value), (counter.data_points, value * 100)):
                point = points.add(time_unix_nano=now, start_time_unix_nano=now - 10**9, as_double=given)
                point.attributes.add(key="queue").value.string_value = str(number)
        return message

    def assert_metrics(self, prometheus, values, **own):
        """All values are in Prometheus, under their names there and with these labels."""
        expected = {tuple(sorted({"__name__": name, "queue": str(number), "job": "shop", **own}.items())): value
                    for number, given in enumerate(values)
                    for name, value in (("queue_fill_ratio", given), ("http_requests_total", given * 100))}

        def found():
            return {labels: float(points[-1][1])
                    for labels, points in prometheus.samples('{queue=~".+"}').items()}
        wait_for(lambda: len(found()) >= len(expected), 30, lambda: f"{expected}: {found()}")
        self.assertEqual(found(), expected)

    @staticmethod
    def logs(lines):
        """Log records as a Kubernetes application sends them."""
        message, now = messages.request("logs")(), time.time_ns()
        group = message.resource_logs.add()
        group.resource.attributes.add(key="service.name").value.string_value = "shop"
        scope = group.scope_logs.add()
        for number, line in enumerate(lines):
            record = scope.log_records.add(time_unix_nano=now + number, severity_text="INFO", severity_number=9)
            record.body.string_value = line
            for key, value in (("service.name", "shop"), ("k8s.namespace.name", "prod")):
                record.attributes.add(key=key).value.string_value = value
        return message

    def send_http(self, signal, message):
        answer = rawhttp.post(4318, f"/v1/{signal}", message.SerializeToString())
        self.assertEqual(answer.status, 200, answer.body)


class TestOperatorGateway(Gateway):
    """Sampled traces -> Tempo; metrics -> a page that Prometheus scrapes; logs -> Loki's intake of OTLP."""

    config = "operator-gateway.yaml"
    hosts = ("tempo", "loki")
    secure = False
    slow_millis = 501

    def test_it_does_what_was_meant(self):
        far, near = self.network.far, self.network.near
        tempo = self.backend("tempo", secure=False)
        loki = self.managed(self.network.at_far_end(Loki, host=far, port=3100))
        weir = self.begin()
        prometheus = self.managed(self.network.at_far_end(Prometheus, [f"{near}:8889"], port=9090, host=far))
        sender = self.sender()
        kept, sent = self.send_traces(sender)
        values = [0.25, 0.5, 3.75]
        self.send_http("metrics", self.metrics(values))
        lines = [f"line {n}: ß" for n in range(50)]
        self.send(sender, "logs", self.logs(lines))
        self.assert_metrics(prometheus, values, instance=f"{near}:8889")
        wait_for(lambda: loki.otlp, 20, "logs have come")
        ((_, came),) = loki.otlp
        self.assertEqual([r.body.string_value for g in came.resource_logs for s in g.scope_logs
                          for r in s.log_records], lines)
        self.assert_sampled(tempo, kept)
        ledger = self.stop_cleanly(weir)
        row = ledger.row("traces", "processor", "tail_sampling")
        self.assertEqual((row["accepted"], row["drops"]), (len(sent), {"not_sampled": len(sent) - len(kept)}))
        self.assertEqual(ledger.row("logs", "exporter", "loki")["out"], len(lines))
        self.assertEqual(ledger.row("metrics", "exporter", "prometheus")["out"], 6)


class TestGateway(Gateway):
    """Sampled traces -> Jaeger, over TLS; metrics -> Prometheus by remote write; logs -> Loki's push API."""

    config = "gateway.yaml"
    hosts = tuple(f"{name}.observability.svc.cluster.local" for name in
                  ("jaeger-collector", "prometheus", "loki-gateway"))
    slow_millis = 1001

    def test_it_does_what_was_meant(self):
        far = self.network.far
        jaeger = self.backend(self.hosts[0])
        prometheus = self.managed(self.network.at_far_end(Prometheus, port=9090, host=far))
        loki = self.managed(self.network.at_far_end(Loki, host=far, port=3100))
        weir = self.begin()
        sender = self.sender()
        kept, sent = self.send_traces(sender)
        values = [0.25, 0.5, 3.75]
        self.send_http("metrics", self.metrics(values))
        lines = [f"line {n}: ß" for n in range(50)]
        logs = self.logs(lines)
        for record in logs.resource_logs[0].scope_logs[0].log_records[:5]:
            del record.attributes[:]  # nothing of them is a label: upstream does not send them either
        self.send(sender, "logs", logs)
        self.assert_metrics(prometheus, values, cluster="prod", collector="gateway")
        wait_for(loki.streams, 20, "logs have come")
        began = logs.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano
        self.assertEqual(loki.streams(), {(("namespace", "prod"), ("service_name", "shop")): [
            (began + n, f"severity=INFO severityN=9 service.name=shop {lines[n]}") for n in range(5, 50)]})
        self.assert_sampled(jaeger, kept)
        wait_for(lambda: prom.scrape(8888).value("otelcol_exporter_sent_spans", exporter="otlp/jaeger") == len(kept),
                 what=f"{len(kept)} spans are counted as sent")
        ledger = self.stop_cleanly(weir)
        row = ledger.row("traces", "processor", "tail_sampling")
        self.assertEqual((row["accepted"], row["drops"]), (len(sent), {"not_sampled": len(sent) - len(kept)}))
        row = ledger.row("logs", "exporter", "loki")
        self.assertEqual((row["out"], row["dropped"]), (45, 5))
        self.assertEqual(ledger.row("traces", "exporter", "logging")["out"], len(kept))
        self.assertEqual(ledger.row("logs", "exporter", "logging")["out"], len(lines))
        self.assertEqual(ledger.row("metrics", "exporter", "prometheusremotewrite")["out"], 6)


class TestOthers(TestCase):
    """What is right of configurations with components for which there is no plugin yet."""

    missing = {
        "daemonset.yaml": {"receivers::hostmetrics", "receivers::k8s_events", "receivers::filelog",
                           "processors::k8sattributes"},
        "helm-values-agent.yaml": {"processors::k8sattributes"},
        "operator-agent.yaml": {"processors::k8sattributes"},
    }

    def test_nothing_else_is_wrong(self):
        for name, missing in self.missing.items():
            with self.subTest(name):
                checked = validate((CONFIGS / name).read_text(), env={"MY_POD_IP": "127.0.0.1", "MY_NODE_NAME": "n1"})
                errors = [line for line in checked.stderr.splitlines() if re.match(r"\S+:[0-9]+:[0-9]+: ", line)
                          and ": warning: " not in line]
                unknown = [re.match(r'\S+: ([a-z]+::[a-z0-9_]+): unknown type: ', line) for line in errors]
                self.assertNotIn(None, unknown, checked.stderr)
                self.assertEqual({match.group(1) for match in unknown} - missing, set())
                self.assertEqual(checked.code == 0, not errors, checked.stderr)

    def test_each_configuration_has_a_test(self):
        own = {cls.config for cls in (TestSidecar, TestSidecarOptimized, TestOperatorGateway, TestGateway)}
        self.assertEqual({path.name for path in CONFIGS.iterdir()}, own | set(self.missing))

# SPDX-License-Identifier: Apache-2.0
"""The users' configurations in tests/configs: they load and run unchanged and do what their authors meant.

They name ports, hosts and files of their machines. Each runs in a network of its own, where /etc/hosts has the
names of its backends, these listen at the ports it expects, and the system's certificates are those of a CA made
here."""

import os
import pathlib
import tempfile

from weirtest import TestCase, messages, paths, rawhttp, rpc, validate
from weirtest.network import Impossible, network
from weirtest.pki import Authority

CONFIGS = paths.TOP / "tests" / "configs"
POD = {"MY_POD_NAME": "web-0", "MY_POD_NAMESPACE": "shop"}
ERROR = 2


def spans(message):
    """(resource attributes as a dict, span) of every span."""
    return [({a.key: a.value.string_value for a in group.resource.attributes}, span)
            for group in message.resource_spans for scope in group.scope_spans for span in scope.spans]


def trace(number, name="work", failed=False, millis=1):
    """A request with a trace of two spans of a shop."""
    message = messages.request("traces")()
    group = message.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_spans.add()
    for span in (1, 2):
        made = scope.spans.add(name=f"{name} {number}/{span}", trace_id=(number + 1).to_bytes(16, "big"),
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

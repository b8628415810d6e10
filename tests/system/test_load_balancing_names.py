# SPDX-License-Identifier: Apache-2.0
"""load_balancing, whose backends come from a name server or from the Kubernetes API and change while weir runs.

The backends are at addresses of their own in a network of the test's own, all at port 4317."""

import collections
import pathlib
import socket
import tempfile
import time

from test_load_balancing import owner, received, ring, spans
from weirtest import TestCase, free_port, prom, rpc, wait_for
from weirtest.kube import ApiServer, Http2Front, endpoint_slice
from weirtest.network import Impossible, network
from weirtest.pki import Authority

TRACES = 100


def address(number):
    return f"127.0.1.{number}"


class Names(TestCase):
    """`sinks` are the backends that live, by their address."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.network = network()
        except Impossible as error:
            cls.skipTest(cls, f"no network of its own: {error}")

    def setUp(self):
        self.sinks, self.sent = {}, 0
        self.grpc, self.metrics = free_port(), free_port()

    def backend(self, number):
        self.sinks[number] = self.managed(rpc.Sink(host=address(number), port=4317))

    def start(self, resolver, timeout="2s", **options):
        config = {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.grpc}"}}}},
            "exporters": {"loadbalancing": {
                "protocol": {"otlp": {"tls": {"insecure": True}, "timeout": timeout,
                                      "retry_on_failure": {"initial_interval": "50ms", "max_interval": "200ms"}}},
                "resolver": resolver}},
            "service": {"telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": {
                            "host": "127.0.0.1", "port": self.metrics, "without_type_suffix": True,
                            "without_units": True}}}}]}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["loadbalancing"]}}},
        }
        return self.weir(config, args=["--workers", "3"], **options)

    def metric(self, name, **labels):
        return prom.scrape(self.metrics).value(f"otelcol_loadbalancer_{name}", exporter="loadbalancing", **labels)

    def wait_backends(self, count):
        wait_for(lambda: self.metric("num_backends") == count, 20,
                 lambda: f"{count} backends, there are {self.metric('num_backends')}")

    def send(self, count=500):
        """Sends spans of TRACES traces in turn; returns their names by trace id."""
        sender = self.managed(rpc.Sender(self.grpc))
        first, names = self.sent, collections.defaultdict(set)
        for at in range(first, first + count, 50):
            self.assertEqual(sender.export("traces", spans(50, TRACES, first=at)).code, "OK")
        self.sent += count
        for n in range(first, first + count):
            names[(1 + n % TRACES).to_bytes(16, "big")].add(f"span-{n}")
        return names

    def wait_at_owners(self, names, numbers, endpoint=lambda number: f"{address(number)}:4317"):
        """These spans are, each once and nowhere else, where the ring of these backends says."""
        numbers = {endpoint(n): n for n in numbers}
        points = ring(numbers)
        wanted = collections.Counter((numbers[owner(points, trace)], name) for trace in names for name in names[trace])
        interesting = {name for _, name in wanted}

        def arrived():
            return collections.Counter((number, name) for number, sink in self.sinks.items()
                                       for _, name in received(sink) if name in interesting)
        wait_for(lambda: not wanted - arrived(), 20, lambda: f"{len(wanted)} spans, there are {len(arrived())}")
        self.assertEqual(arrived(), wanted)

    def end(self, weir):
        """Everything has arrived, once."""
        row = self.stop_cleanly(weir).row("traces", "exporter", "loadbalancing")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (self.sent, self.sent, 0))
        names = collections.Counter(name for sink in self.sinks.values() for _, name in received(sink))
        self.assertEqual(names, collections.Counter({f"span-{n}": 1 for n in range(self.sent)}))


class Dns(Names):
    def test_a_name_that_changes(self):
        """What waits for a backend that is gone from the name goes to those that are there; nothing is lost or doubled."""
        names = self.network.names
        names.set([address(1), address(2)])
        self.backend(1)
        weir = self.start({"dns": {"hostname": "gateways.example", "interval": "1s"}})
        self.wait_backends(2)
        first = self.send()
        points = ring([f"{address(1)}", f"{address(2)}"])
        alive = {name for trace in first for name in first[trace] if owner(points, trace) == address(1)}
        wait_for(lambda: {name for _, name in received(self.sinks[1])} >= alive, 20, "what belongs to the live one")
        self.assertEqual({name for _, name in received(self.sinks[1])}, alive)
        self.backend(3)
        names.set([address(3), address(1)])
        wait_for(lambda: self.metric("num_backend_updates") == 2, 20, "the other addresses")
        waited = {trace: first[trace] - alive for trace in first if first[trace] - alive}
        self.wait_at_owners(waited, [1, 3], endpoint=address)
        self.wait_at_owners(self.send(), [1, 3], endpoint=address)
        names.set(None)  # no such host: they stay
        wait_for(lambda: self.metric("num_resolutions", success="false") >= 1, 20, "a lookup that fails")
        self.wait_at_owners(self.send(), [1, 3], endpoint=address)
        self.assertEqual(self.metric("num_backends", resolver="dns"), 2)
        self.assertGreaterEqual(self.metric("num_resolutions", resolver="dns", success="true"), 2)
        wait_for(lambda: not prom.scrape(self.metrics).find("otelcol_loadbalancer_backend_outcome",
                 endpoint=f"{address(2)}:4317"), 20, "the metrics of a backend that is gone to be so")
        endpoints = {labels["endpoint"] for _, labels, _ in
                     prom.scrape(self.metrics).find("otelcol_loadbalancer_backend_outcome")}
        self.assertEqual(endpoints, {f"{address(1)}:4317", f"{address(3)}:4317"})  # of those that there are
        self.assertGreater(self.metric("backend_outcome", endpoint=f"{address(3)}:4317", success="true"), 0)
        self.assertEqual(self.metric("backend_outcome", endpoint=f"{address(3)}:4317", success="false"), 0)
        self.assertEqual(self.metric("backend_latency_count", endpoint=f"{address(3)}:4317"),
                         self.metric("backend_outcome", endpoint=f"{address(3)}:4317"))
        self.end(weir)


    def test_a_backend_that_hangs(self):
        """What waits for its turn there goes elsewhere at once, what is under way when its time is over."""
        for timeout in (4, 20, 60):  # as long as its time is over too early, on a busy machine
            if self.hang(timeout):
                return
        self.fail("what waited took too long to go elsewhere")

    def hang(self, timeout):
        self.network.names.set([address(1), address(2)])
        hanging = self.managed(socket.create_server((address(2), 4317)))
        self.backend(1)
        weir = self.start({"dns": {"hostname": "others.example", "interval": "1s"}}, timeout=f"{timeout}s")
        self.wait_backends(2)
        began = time.monotonic()
        names = self.send()  # ten requests, of which four (num_consumers by workers) are under way to each
        points = ring([address(1), address(2)])
        stuck = {trace: names[trace] for trace in names if owner(points, trace) == address(2)}
        count = sum(map(len, stuck.values()))
        self.network.names.set([address(1)])
        here = set().union(*stuck.values())
        wait_for(lambda: len(here & {name for _, name in received(self.sinks[1])}) >= count * 6 // 10, 20, "what waited")
        failed = self.metric("backend_outcome", endpoint=f"{address(2)}:4317", success="false")
        if failed and time.monotonic() - began > timeout:
            weir.kill()
            hanging.close()
            self.sinks.pop(1).close()
            self.sent = 0
            return False
        self.assertEqual(failed, 0)
        self.wait_at_owners(names, [1], endpoint=address)
        hanging.close()
        self.end(weir)
        return True


class Kubernetes(Names):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weirtest.")))
        cls.authority = Authority(folder)
        cls.account = folder / "run" / "secrets" / "kubernetes.io" / "serviceaccount"
        cls.account.mkdir(parents=True)
        (cls.account / "ca.crt").write_bytes(cls.authority.pem.read_bytes())
        (cls.account / "namespace").write_text("observability")
        cls.network.cover("/run", folder / "run")

    def setUp(self):
        super().setUp()
        self.set_token("first")
        self.api = self.managed(ApiServer(self.authority.issue(san="IP:127.0.0.1"), "first"))

    def set_token(self, token):
        (self.account / "token").write_text(token)

    def begin(self, port=None, **options):
        return self.start({"k8s": {"service": "gateway", **options}}, env={
            "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port or self.api.port)})

    def put_slice(self, numbers, name="gateway-a", unready=()):
        self.api.put_slice(name, "gateway", [(address(n), True, f"gateway-{n}") for n in numbers] +
                           [(address(n), False, f"gateway-{n}") for n in unready], "observability")

    def test_endpoints_that_change(self):
        self.put_slice([1, 2], unready=[9])
        self.api.put_slice("other", "another", [(address(8), True, None)], "observability")
        self.api.put_slice("gateway-elsewhere", "gateway", [(address(7), True, None)], "elsewhere")
        self.backend(1)
        self.backend(2)
        weir = self.begin()
        self.wait_backends(2)
        self.wait_at_owners(self.send(), [1, 2])
        self.backend(3)
        self.put_slice([3], name="gateway-b")
        self.wait_backends(3)
        self.wait_at_owners(self.send(), [1, 2, 3])
        self.put_slice([2], unready=[1])
        self.wait_backends(2)
        self.wait_at_owners(self.send(), [2, 3])
        self.api.delete_slice("gateway-a", "observability")
        self.wait_backends(1)
        self.wait_at_owners(self.send(), [3])
        self.assertEqual(self.metric("num_backend_updates", resolver="k8s"), 4)
        self.assertEqual(self.metric("num_resolutions", resolver="k8s", success="true"), 4)
        self.assertEqual(self.metric("num_resolutions", resolver="k8s", success="false"), 0)
        self.end(weir)

    def test_an_api_server_that_goes_away(self):
        """Meanwhile the last backends count; when it is back, so does what has changed, and a new token."""
        for n in (1, 2, 3):
            self.backend(n)
        self.put_slice([1, 2])
        weir = self.begin()
        self.wait_backends(2)
        wait_for(lambda: self.api.watches == 1, 10, "a watch")
        self.api.close()
        wait_for(lambda: "Cannot follow the Kubernetes API" in weir.stderr, 20, "the loss is noticed")
        self.put_slice([2, 3])
        self.wait_at_owners(self.send(), [1, 2])
        self.set_token("second")
        self.api.token = "second"
        wait_for(lambda: "File has changed and is used" in weir.stderr, 20, "the new token")
        self.api.open()
        wait_for(lambda: self.metric("num_backend_updates") == 2, 40, "what has changed")
        self.wait_at_owners(self.send(), [2, 3])
        self.assertIn("The Kubernetes API answers again", weir.stderr)
        self.end(weir)

    def test_http2(self):
        """Lists larger than what is gathered of other answers, a watch, and its end, over HTTP/2."""
        certificate = self.authority.issue(san="IP:127.0.0.1")
        self.api = self.managed(ApiServer(None, "first"))
        for n in range(1, 101):  # far more than a window, in slices of one unready endpoint
            self.api.put("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", endpoint_slice(
                f"gateway-{n}", "gateway", [(address(n), False, None)], "observability", filler="x" * 20000))
        self.put_slice([1])
        front = self.managed(Http2Front(self.api, certificate))
        self.backend(1)
        self.backend(2)
        weir = self.begin(port=front.port, timeout="2s")
        self.wait_backends(1)
        self.wait_at_owners(self.send(), [1])
        self.put_slice([1, 2])
        self.wait_backends(2)
        self.wait_at_owners(self.send(), [1, 2])
        wait_for(lambda: sum(1 for _, p in self.api.asked if p.get("watch")) > 2, 20, "watches that begin again")
        self.put_slice([2])
        self.wait_backends(1)
        self.assertNotIn("Cannot follow", weir.stderr)
        self.end(weir)
        self.assertGreater(len(front.log), 2)
        for line in front.log:
            self.assertIn(" HTTP/2\"", line)

    def test_a_service_without_endpoints(self):
        """What comes meanwhile waits for one."""
        weir = self.begin()
        wait_for(lambda: self.metric("num_resolutions", success="true") == 1, 20, "a list of nothing")
        self.assertEqual(self.metric("num_backends"), 0)
        names = self.send(100)
        self.backend(1)
        self.put_slice([1])
        self.wait_at_owners(names, [1])
        self.put_slice([], unready=[1])
        self.wait_backends(0)
        names = self.send(100)
        self.put_slice([1])
        self.wait_at_owners(names, [1])
        self.end(weir)

    def test_a_past_that_is_forgotten(self):
        for n in (1, 2):
            self.backend(n)
        self.put_slice([1])
        self.put_slice([2], name="gateway-b")
        weir = self.begin()
        self.wait_backends(2)
        wait_for(lambda: self.api.watches == 1, 10, "a watch")
        self.api.close()
        self.api.delete_slice("gateway-a", "observability")
        self.api.forget()
        self.api.open()
        self.wait_backends(1)
        self.wait_at_owners(self.send(), [2])
        self.assertIn("it is listed anew", weir.stderr)
        self.end(weir)

    def test_hostnames_and_ports(self):
        """A pod without a hostname is no good: what was known stays."""
        self.network.cover("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
            f"{address(n)} gateway-{n}.gateway.shop\n" for n in (1, 2)))
        for n in (1, 2):
            self.backend(n)
        self.api.put_slice("a", "gateway", [(address(n), True, f"gateway-{n}") for n in (1, 2)], "shop")
        weir = self.begin(service="gateway.shop.svc.cluster.local", return_hostnames=True, ports=[4317], timeout="1s")
        self.wait_backends(2)
        self.wait_at_owners(self.send(), [1, 2], endpoint=lambda n: f"gateway-{n}.gateway.shop:4317")
        self.api.put_slice("a", "gateway", [(address(3), True, None)], "shop")
        wait_for(lambda: self.metric("num_resolutions", success="false") == 1, 20, "a slice that is no good")
        self.wait_at_owners(self.send(), [1, 2], endpoint=lambda n: f"gateway-{n}.gateway.shop:4317")
        watches = [p for _, p in self.api.asked if p.get("watch")]
        self.assertEqual(watches[0]["timeoutSeconds"], "1")
        self.assertEqual(watches[0]["labelSelector"], "kubernetes.io/service-name=gateway")
        wait_for(lambda: sum(1 for _, p in self.api.asked if p.get("watch")) > 2, 20, "watches that begin again")
        self.end(weir)

    def test_no_cluster(self):
        weir = self.start({"k8s": {"service": "gateway"}}, ready=False)
        ended = weir.wait()
        self.assertNotEqual(ended.code, 0)
        self.assertIn("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined", ended.stderr)

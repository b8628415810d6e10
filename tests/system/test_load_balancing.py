# SPDX-License-Identifier: Apache-2.0
"""load_balancing: what belongs together arrives at one backend; backends that die, come and go."""

import binascii
import collections

import yaml

from weirtest import TestCase, free_port, messages, rpc, run, wait_for

POSITIONS, POINTS = 36000, 100


def ring(endpoints):
    """Upstream's ring, told once more: [(position, endpoint)], sorted."""
    taken = {}
    for endpoint in sorted(endpoints):
        for index in range(POINTS):
            position = binascii.crc32(endpoint.encode() + index.to_bytes(4, "little")) % POSITIONS
            for _ in range(11):
                if position not in taken:
                    taken[position] = endpoint
                    break
                position = (position + 1) % POSITIONS
    return sorted(taken.items())


def owner(points, identifier):
    position = binascii.crc32(identifier) % POSITIONS
    return next((endpoint for at, endpoint in points if at >= position), points[0][1])


def spans(count, traces, first=0):
    """One request with `count` spans that belong to `traces` traces in turn."""
    request = messages.request("traces")()
    scope = request.resource_spans.add().scope_spans.add()
    for n in range(first, first + count):
        scope.spans.add(trace_id=(1 + n % traces).to_bytes(16, "big"), span_id=(1 + n).to_bytes(8, "big"), name=f"span-{n}")
    return request.SerializeToString()


def received(sink):
    """[(trace id, name)] of all that came."""
    found = []
    for request in sink.received:
        message = messages.request("traces")()
        message.ParseFromString(request.body)
        found += [(s.trace_id, s.name) for r in message.resource_spans for c in r.scope_spans for s in c.spans]
    return found


class LoadBalancing(TestCase):
    def setUp(self):
        self.grpc = free_port()

    def start(self, *args, **options):
        return self.weir(self.config(*args, **options), args=["--workers", "3"])

    def config(self, resolver, queue=True, retry=True, **options):
        return {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.grpc}"}}}},
            "exporters": {"loadbalancing": {
                "protocol": {"otlp": {"tls": {"insecure": True}, "timeout": "2s",
                                      "sending_queue": {"enabled": queue},
                                      "retry_on_failure": {"enabled": retry, "initial_interval": "50ms",
                                                           "max_interval": "200ms"}}},
                "resolver": resolver, **options}},
            "service": {"telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["loadbalancing"]}}},
        }

    def send(self, body):
        sender = self.managed(rpc.Sender(self.grpc))
        return sender.export("traces", body)

    def wait_spans(self, sinks, names):
        wait_for(lambda: {name for sink in sinks for _, name in received(sink)} >= names, 20,
                 lambda: f"{len(names)} spans, there are {sum(len(received(s)) for s in sinks)}")

    def test_spans_of_a_trace_go_where_upstreams_ring_says(self):
        sinks = {f"127.0.0.1:{s.port}": s for s in (self.managed(rpc.Sink()) for _ in range(3))}
        weir = self.start({"static": {"hostnames": list(sinks)}})
        for n in range(20):
            self.assertEqual(self.send(spans(50, 100, first=50 * n)).code, "OK")
        self.wait_spans(sinks.values(), {f"span-{n}" for n in range(1000)})
        points = ring(sinks)
        for endpoint, sink in sinks.items():
            self.assertGreater(len(received(sink)), 0)
            self.assertEqual({owner(points, trace) for trace, _ in received(sink)}, {endpoint})
        names = [name for sink in sinks.values() for _, name in received(sink)]
        self.assertEqual(collections.Counter(names), collections.Counter({f"span-{n}": 1 for n in range(1000)}))
        row = self.stop_cleanly(weir).row("traces", "exporter", "loadbalancing")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (1000, 1000, 0))

    def test_a_dead_backend_holds_up_nobody(self):
        """What belongs to the dead one waits and arrives when it is back; the other gets its part at once."""
        alive, port = self.managed(rpc.Sink()), free_port()
        endpoints = [f"127.0.0.1:{alive.port}", f"127.0.0.1:{port}"]
        weir = self.start({"static": {"hostnames": endpoints}})
        points = ring(endpoints)
        for n in range(100):
            self.assertEqual(self.send(spans(20, 100, first=20 * n)).code, "OK")
        of_alive = {f"span-{n}" for n in range(2000)
                    if owner(points, (1 + n % 100).to_bytes(16, "big")) == endpoints[0]}
        self.assertTrue(200 < len(of_alive) < 1800)
        self.wait_spans([alive], of_alive)
        self.assertEqual({name for _, name in received(alive)}, of_alive)
        back = self.managed(rpc.Sink(port=port))
        self.wait_spans([alive, back], {f"span-{n}" for n in range(2000)})
        row = self.stop_cleanly(weir).row("traces", "exporter", "loadbalancing")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (2000, 2000, 0))

    def test_without_a_queue_the_worst_answer_counts(self):
        good = self.managed(rpc.Sink())
        bad = self.managed(rpc.Sink(lambda *_: ("INVALID_ARGUMENT", "no")))
        endpoints = [f"127.0.0.1:{good.port}", f"127.0.0.1:{bad.port}"]
        weir = self.start({"static": {"hostnames": endpoints}}, queue=False, retry=False)
        answer = self.send(spans(100, 100))
        self.assertEqual(answer.code, "INVALID_ARGUMENT")
        points = ring(endpoints)
        expected = {f"span-{n}" for n in range(100) if owner(points, (1 + n).to_bytes(16, "big")) == endpoints[0]}
        self.assertEqual({name for _, name in received(good)}, expected)
        row = self.stop_cleanly(weir).row("traces", "exporter", "loadbalancing")
        self.assertEqual((row["accepted"], row["made"], row["out"]), (0, len(expected), len(expected)))

    def test_addresses_of_a_name(self):
        """A number is its own address, and has the port that is said."""
        sink = self.managed(rpc.Sink())
        weir = self.start({"dns": {"hostname": "127.0.0.1", "port": str(sink.port), "interval": "1s"}})
        self.assertEqual(self.send(spans(10, 10)).code, "OK")
        self.wait_spans([sink], {f"span-{n}" for n in range(10)})
        self.assertIn("The backends are others", weir.stderr)
        self.stop_cleanly(weir)

    def test_a_reload_takes_what_waits_to_the_new_backends(self):
        port = free_port()
        weir = self.start({"static": {"hostnames": [f"127.0.0.1:{port}"]}})
        self.assertEqual(self.send(spans(100, 100)).code, "OK")
        sinks = [self.managed(rpc.Sink()) for _ in range(2)]
        (weir.folder / "config.yaml").write_text(yaml.safe_dump(self.config(
            {"static": {"hostnames": [f"127.0.0.1:{s.port}" for s in sinks]}})))
        self.assertEqual(run("reload", weir.pid).code, 0)
        self.wait_spans(sinks, {f"span-{n}" for n in range(100)})
        for sink in sinks:
            self.assertGreater(len(received(sink)), 0)
        self.stop_cleanly(weir)

# SPDX-License-Identifier: Apache-2.0
"""The loki exporter into a Loki written from its push API: labels, lines, tenants, order, faults."""

import json
import tempfile

from weirtest import TestCase, free_port, messages, rawhttp, wait_for
from weirtest.loki import Loki, Refused, parse_labels

T = 1_700_000_000_000_000_000


def string(key, value):
    return {"key": key, "value": {"stringValue": value}}


def record(n, body, *attributes, **fields):
    return {"timeUnixNano": str(T + n), "body": {"stringValue": body}, "attributes": list(attributes), **fields}


def logs(records, resource=()):
    return {"resourceLogs": [{"resource": {"attributes": list(resource)}, "scopeLogs": [{"logRecords": records}]}]}


def labels(**pairs):
    return tuple(sorted(pairs.items()))


class TestFake(TestCase):
    """The fake itself refuses what Loki refuses."""

    def test_labels(self):
        self.assertEqual(parse_labels(r'{a="b\"\\\n\x01é", c=""}'), (("a", 'b"\\\n\x01é'), ("c", "")))
        for bad in ("", "{}", "{a=b}", '{a="b"', '{a="b",c="d"}', '{b="1", a="2"}', '{a="1", a="2"}', '{1="a"}',
                    '{a="\n"}', '{a="\\q"}', '{a="b" }'):
            with self.subTest(bad=bad), self.assertRaises(Refused):
                parse_labels(bad)


class Exporting(TestCase):
    def start(self, url, ack=None, **options):
        self.http = free_port()
        protocol = {"endpoint": f"127.0.0.1:{self.http}", "include_metadata": True}
        pipeline = {"receivers": ["otlp"], "exporters": ["loki"], **({"ack": ack} if ack else {})}
        extensions = options.pop("extensions", {})
        return self.weir(args=["--workers", "3"], config={
            "receivers": {"otlp": {"protocols": {"http": protocol}}},
            "exporters": {"loki": {"endpoint": url, **options}},
            "extensions": extensions,
            "service": {"telemetry": {"metrics": {"level": "none"}}, "extensions": list(extensions),
                        "pipelines": {"logs": pipeline}},
        })

    def send(self, body, **headers):
        answer = rawhttp.post(self.http, "/v1/logs", json.dumps(body).encode(), "application/json", **headers)
        self.assertEqual(answer.status, 200, answer.body)

    def assert_counted(self, weir, accepted, out, dropped):
        row = self.stop_cleanly(weir).row("logs", "exporter", "loki")
        self.assertEqual((row["accepted"], row["out"], row["dropped"]), (accepted, out, dropped))


class TestValues(Exporting):
    def test_hints_become_labels_and_tenants(self):
        loki = self.managed(Loki())
        weir = self.start(loki.url)
        shop = [string("service.name", "shop"), string("loki.tenant", "team"), string("host.name", "h1"),
                string("loki.resource.labels", "host.name")]
        self.send(logs([
            record(1, "login <b>", string("team", "red"), string("loki.attribute.labels", "user.id"),
                   {"key": "user.id", "value": {"intValue": "7"}}, severityNumber=9),
            record(2, "a=1 b", string("team", "blue"), string("loki.format", "logfmt"), severityText="Warn"),
            record(3, "plain", string("loki.format", "raw")),
        ], shop))
        wait_for(lambda: len(loki.requests) == 3, 10, lambda: f"three requests: {loki.requests}")
        wait_for(lambda: loki.tenants() == ["", "blue", "red"], 10, loki.tenants)
        base = {"exporter": "OTLP", "job": "shop", "host_name": "h1"}
        self.assertEqual(loki.streams("red"), {labels(level="INFO", user_id="7", **base): [
            (T + 1, '{"body":"login \\u003cb\\u003e","attributes":{"team":"red"},"resources":{"service.name":"shop"}}')]})
        self.assertEqual(loki.streams("blue"), {labels(**base): [
            (T + 2, "a=1 b= severity=Warn attribute_team=blue resource_service.name=shop")]})
        self.assertEqual(loki.streams(), {labels(**base): [(T + 3, "plain")]})
        self.assert_counted(weir, 3, 3, 0)

    def test_json(self):
        """The same streams, in the push API's other encoding."""
        line = 'a "line" \\ \t é'
        for compression in ("gzip", "none"):
            loki = self.managed(Loki())
            weir = self.start(loki.url, encoding="json", compression=compression)
            self.send(logs([record(2, line, string("loki.format", "raw")), record(1, "b", string("loki.format", "raw"))],
                           [string("service.name", 'sh"op\n')]))
            wait_for(lambda: len(loki.lines()) == 2, 10, lambda: loki.requests)
            self.assertEqual(loki.streams(), {labels(exporter="OTLP", job='sh"op\n'): [(T + 1, "b"), (T + 2, line)]})
            _, headers, _ = loki.requests[0]
            self.assertEqual((headers["content-type"], headers.get("content-encoding", "none")),
                             ("application/json", compression))
            self.assert_counted(weir, 2, 2, 0)

    def test_the_old_form(self):
        loki = self.managed(Loki())
        weir = self.start(loki.url, labels={"attributes": {"service.name": "service_name", "k8s.namespace.name": ""}},
                          tenant={"source": "context", "value": "X-Tenant"})
        self.send(logs([record(1, "one", string("service.name", "shop"), string("k", "v")), record(2, "unlabelled"),
                        record(3, "two", string("k8s.namespace.name", "prod"))]), X_Tenant="green")
        wait_for(lambda: len(loki.lines("green")) == 2, 10, loki.tenants)
        self.assertEqual(loki.streams("green"), {labels(service_name="shop"): [(T + 1, "k=v one")],
                                                 labels(k8s_namespace_name="prod"): [(T + 3, "two")]})
        self.assert_counted(weir, 3, 2, 1)

    def test_a_configured_tenant_is_that_of_the_others(self):
        loki = self.managed(Loki())
        weir = self.start(loki.url, headers={"X-Scope-OrgID": "all", "X-More": "1"})
        self.send(logs([record(1, "a"), record(2, "b", string("loki.tenant", "t"), string("t", "own"))]))
        wait_for(lambda: loki.lines("all") and loki.lines("own"), 10, loki.tenants)
        self.assertEqual(loki.tenants(), ["all", "own"])
        self.assertEqual({headers["x-more"] for _, headers, _ in loki.requests}, {"1"})
        self.assert_counted(weir, 2, 2, 0)

    def test_otlp_arrives_as_it_came(self):
        loki = self.managed(Loki())
        weir = self.start(loki.otlp_url, headers={"X-Scope-OrgID": "t"})
        message = messages.simple("logs", 5)
        answer = rawhttp.post(self.http, "/v1/logs", message.SerializeToString())
        self.assertEqual(answer.status, 200)
        wait_for(lambda: loki.otlp, 10, lambda: f"a request: {loki.requests}")
        self.assertEqual(loki.otlp, [("t", message)])
        self.assertEqual(loki.requests[0][0], "/otlp/v1/logs")
        self.assertEqual(loki.requests[0][1]["content-encoding"], "gzip")
        self.assert_counted(weir, 5, 5, 0)

    def test_streams_of_many_connections_stay_in_order(self):
        """Each request is a connection of its own and lands on any worker; the fake refuses an entry that comes late."""
        loki = self.managed(Loki())
        weir = self.start(loki.url)
        for n in range(300):
            self.send(logs([record(2 * n + 1, f"b{n}"), record(2 * n, f"a{n}")]))
        wait_for(lambda: len(loki.lines()) == 600, 20, lambda: f"{len(loki.lines())} lines of 600: {weir.stderr}")
        expected = [(T + n, f"{'{'}\"body\":\"{'ab'[n % 2]}{n // 2}\"{'}'}") for n in range(600)]
        self.assertEqual(loki.streams(), {labels(exporter="OTLP"): expected})
        self.assertEqual(loki.most_at_once, 1)
        self.assert_counted(weir, 600, 600, 0)


class TestFaults(Exporting):
    def test_answers_decide(self):
        """5xx and 429 come again, not before Retry-After; other answers drop."""
        for status, headers, again in ((500, {}, True), (503, {"Retry-After": "1"}, True), (429, {"Retry-After": "1"}, True),
                                       (429, {}, True), (400, {}, False), (404, {}, False), (301, {}, False)):
            with self.subTest(status=status, headers=headers):
                loki = self.managed(Loki(lambda number: (status, headers, b"no\nmore") if number == 1 else None))
                weir = self.start(loki.url, retry_on_failure={"initial_interval": "100ms"})
                self.send(logs([record(1, "x")]))
                if again:
                    wait_for(loki.lines, 10, lambda: f"the second request: {weir.stderr}")
                    if headers:
                        self.assertGreaterEqual(loki.requests[1][2] - loki.requests[0][2], 1.0)
                else:
                    wait_for(lambda: f"Loki answered with HTTP status {status}: no" in weir.stderr, 10, weir.stderr)
                self.assert_counted(weir, 1, *((1, 0) if again else (0, 1)))
                self.assertEqual(len(loki.requests), 2 if again else 1)

    def test_one_tenants_refusal_is_its_own(self):
        """Loki has a later entry of the stream of one tenant; the other's is taken."""
        loki = self.managed(Loki())
        weir = self.start(loki.url)
        late = [string("loki.tenant", "t"), string("t", "late")]
        self.send(logs([record(9, "first", *late)]))
        wait_for(lambda: loki.lines("late"), 10, loki.tenants)
        self.send(logs([record(1, "first", *late), record(2, "other")]))
        wait_for(lambda: "entry out of order" in weir.stderr, 10, lambda: weir.stderr)
        wait_for(loki.lines, 10, loki.tenants)
        self.assertEqual(len(loki.lines("late")), 1)
        self.assert_counted(weir, 3, 2, 1)

    def test_what_cannot_be_written_is_counted(self):
        loki = self.managed(Loki())
        weir = self.start(loki.url)
        self.send(logs([record(1, "x", string("loki.format", "xml")), record(2, "y", string("loki.format", "raw")),
                        record(3, "z", string("loki.tenant", "t"), string("t", "a\r\nX-Evil: 1"))]))
        wait_for(loki.lines, 10, loki.tenants)
        self.assertEqual(loki.streams(), {labels(exporter="OTLP"): [(T + 2, "y")]})
        self.assertNotIn("x-evil", loki.requests[0][1])
        self.assert_counted(weir, 3, 1, 2)

    def test_too_large_is_halved(self):
        loki = self.managed(Loki(lambda number: (413, {}, b"too large") if number == 1 else None))
        weir = self.start(loki.url)
        self.send(logs([record(n, f"{n}", string("loki.format", "raw")) for n in range(4)]))
        wait_for(lambda: len(loki.lines()) == 4, 10, lambda: weir.stderr)
        self.assertEqual(loki.streams(), {labels(exporter="OTLP"): [(T + n, f"{n}") for n in range(4)]})
        self.assertEqual(len(loki.requests), 3)
        self.assert_counted(weir, 4, 4, 0)

    def test_a_resource_in_every_line_is_not_too_much(self):
        """100 lines of 1 MiB each are sent in parts of what one request may come to."""
        loki = self.managed(Loki())
        weir = self.start(loki.url)
        big = "x" * (1 << 20)
        self.send(logs([{"timeUnixNano": str(T + n)} for n in range(100)], [string("k", big)]))
        wait_for(lambda: len(loki.lines()) == 100, 60, lambda: f"{len(loki.lines())}: {weir.stderr}")
        self.assertGreaterEqual(len(loki.requests), 2)
        self.assert_counted(weir, 100, 100, 0)

    def test_an_outage_loses_nothing(self):
        """Loki is away while logs come, with the queue in memory and on disk."""
        for disk in (False, True):
            with self.subTest(disk=disk), tempfile.TemporaryDirectory(prefix="weirtest.loki.") as folder:
                port = free_port()
                options = {"retry_on_failure": {"initial_interval": "100ms"}}
                if disk:
                    options["extensions"] = {"file_storage": {"directory": folder}}
                    options["sending_queue"] = {"storage": "file_storage"}
                url = f"http://127.0.0.1:{port}/loki/api/v1/push"
                weir = self.start(url, ack="disk" if disk else None, **dict(options))
                for n in range(50):
                    self.send(logs([record(n, f"{n}", string("loki.format", "raw"))]))
                if disk:
                    weir.kill()
                    weir = self.start(url, ack="disk", **dict(options))
                loki = self.managed(Loki(port=port))
                wait_for(lambda got=loki: len(got.lines()) == 50, 30, lambda: weir.stderr)
                self.assertEqual(loki.streams(), {labels(exporter="OTLP"): [(T + n, f"{n}") for n in range(50)]})
                ledger = self.stop_cleanly(weir)
                self.assertEqual(ledger.row("logs", "exporter", "loki")["dropped"], 0)

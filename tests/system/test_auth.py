# SPDX-License-Identifier: Apache-2.0
"""Authentication: every combination of server, transport and credentials. Who is not known never
gets through, in whatever way a header is written; who is known does."""

import base64
import json
import pathlib
import re
import ssl
import tempfile

from weirtest import TestCase, Weir, bench, free_port, messages, prom, rawhttp, rpc, validate, wait_for
from weirtest.ledger import Ledger
from weirtest.requests import JSON, PROTO, json_request, request
from weirtest.rpc import grpc

TOKEN, OTHER_TOKEN = "t0ken-of-the-test", "another.token/of=the+test"
PASSWORD = "sesame"
HASH = "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
EXTENSIONS = {
    "bearertokenauth": {"tokens": [TOKEN, OTHER_TOKEN]},
    "basicauth": {"htpasswd": {"inline": f"ali:{HASH.replace('$', '$$')}\nbo:{{SHA}}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=\n"}},
}
SERVERS = ("none", "bearertokenauth", "basicauth")
WHO = {None: SERVERS, "bearer": ("none", "bearertokenauth"), "basic": ("none", "basicauth"), "nobody": ("none",)}


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


BEARER, ALI, BO = f"Bearer {TOKEN}", basic(f"ali:{PASSWORD}"), basic(f"bo:{PASSWORD}")

# Name: (headers in order, who it is). Header names are written as they stand, where the protocol lets them.
CREDENTIALS = {
    "none": ([], "nobody"),
    "empty": ([("Authorization", "")], "nobody"),
    "scheme only": ([("Authorization", "Bearer")], "nobody"),
    "scheme and blank": ([("Authorization", "Bearer ")], "nobody"),
    "no scheme": ([("Authorization", TOKEN)], "nobody"),
    "bearer": ([("Authorization", BEARER)], "bearer"),
    "the other token": ([("Authorization", f"Bearer {OTHER_TOKEN}")], "bearer"),
    "lower-case name": ([("authorization", BEARER)], "bearer"),
    "upper-case name": ([("AUTHORIZATION", BEARER)], "bearer"),
    "lower-case scheme": ([("Authorization", f"bearer {TOKEN}")], "nobody"),
    "two blanks": ([("Authorization", f"Bearer  {TOKEN}")], "nobody"),
    "wrong token": ([("Authorization", "Bearer wrong")], "nobody"),
    "half a token": ([("Authorization", BEARER[:-1])], "nobody"),
    "more than the token": ([("Authorization", BEARER + "x")], "nobody"),
    "both tokens": ([("Authorization", f"{BEARER}, Bearer {OTHER_TOKEN}")], "nobody"),
    "upper-case token": ([("Authorization", f"Bearer {TOKEN.upper()}")], "nobody"),
    "another header": ([("X-Authorization", BEARER), ("Proxy-Authorization", ALI)], "nobody"),
    "bearer twice": ([("Authorization", BEARER), ("Authorization", BEARER)], "nobody"),
    "wrong, then right": ([("Authorization", "Bearer wrong"), ("authorization", BEARER)], "nobody"),
    "right, then wrong": ([("Authorization", BEARER), ("authorization", "Bearer wrong")], "nobody"),
    "bearer and basic": ([("Authorization", BEARER), ("Authorization", ALI)], "nobody"),
    "basic, bcrypt": ([("Authorization", ALI)], "basic"),
    "basic, SHA": ([("Authorization", BO)], "basic"),
    "basic, lower-case scheme": ([("authorization", "basic" + BO[5:])], "basic"),
    "basic twice": ([("Authorization", BO), ("Authorization", BO)], "nobody"),
    "wrong password": ([("Authorization", basic("bo:Sesame"))], "nobody"),
    "wrong user": ([("Authorization", basic(f"cid:{PASSWORD}"))], "nobody"),
    "no password": ([("Authorization", basic("bo:"))], "nobody"),
    "no user": ([("Authorization", basic(f":{PASSWORD}"))], "nobody"),
    "no colon": ([("Authorization", basic("bo"))], "nobody"),
    "the hash for a password": ([("Authorization", basic(f"ali:{HASH}"))], "nobody"),
    "a NUL behind the password": ([("Authorization", basic(f"bo:{PASSWORD}\0x"))], "nobody"),
    "no padding": ([("Authorization", BO.rstrip("="))], "nobody" if BO.endswith("=") else "basic"),
    "no base64": ([("Authorization", f"Basic bo:{PASSWORD}")], "nobody"),
    "long": ([("Authorization", "Bearer " + "x" * 12000)], "nobody"),
}
# Larger than any server takes: refused by all of them.
OVERSIZED = [("Authorization", "Bearer " + "x" * 80000)]


def sendable(headers):
    """Whether HTTP/2 can carry them: no blanks around a value."""
    return all(value == value.strip() for _, value in headers)


def raw_http(port, context, content_type, headers, body):
    """One HTTP/1.1 request, its headers written as given; the status, None when it was only closed."""
    connection = rawhttp.Connection(port)
    try:
        if context:
            connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
        lines = [("Host", "localhost"), ("Content-Type", content_type), ("Content-Length", str(len(body))), *headers]
        head = "".join(f"{name}: {value}\r\n" for name, value in lines)
        try:
            connection.send(f"POST /v1/traces HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        except OSError:
            pass  # closed before all was read: there may be an answer
        return connection.receive()
    except (ConnectionError, ssl.SSLError):
        return rawhttp.Response(None, {}, b"")
    finally:
        connection.close()


class Matrix(TestCase):
    """One weir with a receiver for each server and transport; whatever gets through is in the sink."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        cls.addClassCleanup(folder.cleanup)
        cls.cert, key = bench.certificate(pathlib.Path(folder.name))
        cls.sink = rpc.Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.metrics = free_port()
        cls.ports = {}
        receivers = {}
        for server in SERVERS:
            for tls in (False, True):
                ports = {"grpc": free_port(), "http": free_port()}
                cls.ports[server, tls] = ports
                options = {"tls": {"cert_file": str(cls.cert), "key_file": str(key)}} if tls else {}
                if server != "none":
                    options["auth"] = {"authenticator": server}
                receivers[f"otlp/{server}_{'tls' if tls else 'plain'}"] = {"protocols": {
                    name: {"endpoint": f"127.0.0.1:{port}", **options} for name, port in ports.items()}}
        cls.weir_process = Weir({
            "extensions": EXTENSIONS,
            "receivers": receivers,
            "exporters": {"otlp": {"endpoint": f"127.0.0.1:{cls.sink.port}", "tls": {"insecure": True},
                                   "sending_queue": {"enabled": False}}},
            "service": {
                "extensions": list(EXTENSIONS),
                "telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": {
                    "host": "127.0.0.1", "port": cls.metrics}}}}]}},
                "pipelines": {"traces": {"receivers": list(receivers), "exporters": ["otlp"]}}},
        })
        cls.addClassCleanup(cls.weir_process.kill)
        cls.context = ssl.create_default_context(cafile=cls.cert)
        cls.refused = 0

    @classmethod
    def tearDownClass(cls):
        ended = cls.weir_process.stop()
        ledger = Ledger(ended.stderr)
        assert ended.code == 0 and ledger.closes, ended.stderr
        counted = sum(row["refusals"].get("unauthenticated", 0) for row in ledger.rows)
        assert counted == cls.refused, (counted, cls.refused, ended.stderr)
        for secret in (TOKEN, OTHER_TOKEN, PASSWORD, HASH, ALI[6:], BO[6:], "wrong"):
            assert secret not in ended.stderr, secret

    def each(self, check, names=CREDENTIALS, only_tls=False):
        """Calls check(server, tls, headers, whether they are let in) for each server and credentials."""
        for server, tls in self.ports:
            for name in names:
                headers, who = CREDENTIALS[name]
                if tls or not only_tls:
                    with self.subTest(server=server, tls=tls, credentials=name):
                        check(server, tls, headers, server in WHO[who])

    def expect(self, allowed, before, items):
        """What must have reached the sink, now that the answer is here."""
        self.assertEqual(self.sink.count("traces") - before, items if allowed else 0)
        if not allowed:
            type(self).refused += 1

    def expect_http(self, answer, allowed, before, items, content_type):
        self.assertEqual(answer.status, 200 if allowed else 401, answer)
        if not allowed:
            self.assertEqual(answer.headers["content-type"], content_type)
            if content_type == JSON:
                self.assertEqual(json.loads(answer.body)["code"], 16)
        self.expect(allowed, before, items)

    def test_http_1(self):
        for content_type, body in ((PROTO, request(2)), (JSON, json_request(2))):
            def check(server, tls, headers, allowed):
                before = self.sink.count("traces")
                answer = raw_http(self.ports[server, tls]["http"], self.context if tls else None, content_type,
                                  headers, body)
                self.expect_http(answer, allowed, before, 2, content_type)
            self.each(check)

    def test_http_1_with_curl(self):
        self.each(lambda *case: self.curl_once(*case, "--http1.1"), ("none", "bearer", "wrong token", "basic, bcrypt"))

    def test_http_2_with_curl(self):
        # Without a body: curl 7.88 gives up when the answer and the stream's end come while it sends one.
        self.each(lambda *case: self.curl_once(*case, "--http2", items=0),
                  ("none", "bearer", "wrong token", "basic, bcrypt", "basic twice"), only_tls=True)

    def test_http_2(self):
        def check(server, tls, headers, allowed):
            before = self.sink.count("traces")
            answer = rawhttp.nghttp(f"https://127.0.0.1:{self.ports[server, tls]['http']}/v1/traces", [
                ("content-type", PROTO), *((name.lower(), value) for name, value in headers)], request(3))
            self.expect_http(answer, allowed, before, 3, PROTO)
        # nghttp sends no header without a value.
        names = [name for name, (headers, _) in CREDENTIALS.items() if sendable(headers) and all(v for _, v in headers)]
        self.each(check, names, only_tls=True)

    def curl_once(self, server, tls, headers, allowed, *args, items=3):
        before = self.sink.count("traces")
        fields = [part for name, value in headers for part in ("-H", f"{name}: {value}")]
        port = self.ports[server, tls]["http"]
        answer = rawhttp.curl(*args, "--cacert", self.cert, "-H", f"Content-Type: {PROTO}", *fields,
                              f"{'https' if tls else 'http'}://localhost:{port}/v1/traces",
                              data=request(items) if items else b"")
        self.expect_http(answer, allowed, before, items, PROTO)

    def channel(self, server, tls):
        target = f"localhost:{self.ports[server, tls]['grpc']}"
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1),
                   ("grpc.max_metadata_size", 1 << 20)]
        channel = (grpc.secure_channel(target, grpc.ssl_channel_credentials(self.cert.read_bytes()), options)
                   if tls else grpc.insecure_channel(target, options))
        self.addCleanup(channel.close)
        return channel

    def export(self, channel, headers, items):
        call = channel.unary_unary(messages.method("traces"))
        try:
            call(request(items), timeout=10, metadata=[(name.lower(), value) for name, value in headers])
            return "OK", ""
        except grpc.RpcError as error:
            return error.code().name, error.details()

    def test_grpc(self):
        channels = {key: self.channel(*key) for key in self.ports}

        def check(server, tls, headers, allowed):
            before = self.sink.count("traces")
            code, details = self.export(channels[server, tls], headers, 4)
            self.assertEqual(code, "OK" if allowed else "UNAUTHENTICATED", details)
            self.expect(allowed, before, 4)
        self.each(check, [name for name, (headers, _) in CREDENTIALS.items() if sendable(headers)])

    def test_blanks_around_values_of_http_2(self):
        """No header can have them (RFC 9113, 8.2.1), so nobody asks the authenticator."""
        before = self.sink.count("traces")
        for key in self.ports:
            for value in (f" {BEARER}", f"{BEARER} ", "Bearer "):
                code, details = self.export(self.channel(*key), [("authorization", value)], 1)
                self.assertNotEqual(code, "OK", details)
        self.assertEqual(self.sink.count("traces"), before)

    def test_grpc_with_nghttp(self):
        data = b"\0" + len(request(5)).to_bytes(4, "big") + request(5)
        for name in ("none", "bearer", "bearer twice", "right, then wrong", "basic, SHA", "basic twice"):
            headers, who = CREDENTIALS[name]
            for server in SERVERS:
                with self.subTest(server=server, credentials=name):
                    before = self.sink.count("traces")
                    answer = rawhttp.nghttp(
                        f"http://127.0.0.1:{self.ports[server, False]['grpc']}{messages.method('traces')}",
                        [("content-type", "application/grpc"), ("te", "trailers"),
                         *((name.lower(), value) for name, value in headers)], data)
                    allowed = server in WHO[who]
                    self.assertEqual(answer.headers.get("grpc-status"), "0" if allowed else "16", answer)
                    self.expect(allowed, before, 5)

    def test_oversized_header(self):
        before = self.sink.count("traces")
        for server, tls in self.ports:
            with self.subTest(server=server, tls=tls):
                answer = raw_http(self.ports[server, tls]["http"], self.context if tls else None, PROTO, OVERSIZED,
                                  request())
                self.assertEqual(answer.status, 431, answer)
                code, details = self.export(self.channel(server, tls), OVERSIZED, 1)
                self.assertNotEqual(code, "OK", details)
        self.assertEqual(self.sink.count("traces"), before)

    def test_body_is_not_waited_for(self):
        """The answer comes before the body, of which nothing is asked for."""
        for server in ("bearertokenauth", "basicauth"):
            with rawhttp.Connection(self.ports[server, False]["http"]) as connection:
                connection.send(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                b"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n")
                answer = connection.receive()
                self.assertEqual(answer.status, 401)
                self.assertTrue(connection.closed())
            type(self).refused += 1

    def test_metrics(self):
        channel = self.channel("bearertokenauth", True)
        name = "otelcol_auth_requests"

        def values():
            samples = prom.scrape(self.metrics)
            return [samples.value(name, extension="bearertokenauth", result=result)
                    for result in ("ok", "missing", "mismatch")]

        before = values()
        for headers in ([("authorization", BEARER)], [], [("authorization", "Bearer wrong")],
                        [("authorization", "Bearer wrong")]):
            self.export(channel, headers, 1)
        type(self).refused += 3
        self.assertEqual([b - a for a, b in zip(before, values())], [1, 1, 2])


class Clients(TestCase):
    """weir sends to weir: an exporter for each kind of client, to a receiver for each kind of server."""

    CLIENTS = {
        "none": (None, "nobody"),
        "bearer": ({"bearertokenauth": {"token": TOKEN}}, "bearer"),
        "wrong_bearer": ({"bearertokenauth": {"token": "wrong"}}, "nobody"),
        "basic": ({"basicauth": {"client_auth": {"username": "ali", "password": PASSWORD}}}, "basic"),
        "wrong_basic": ({"basicauth": {"client_auth": {"username": "bo", "password": "wrong"}}}, "nobody"),
        "setter": ({"headers_setter": {"headers": [{"action": "upsert", "key": "authorization", "value": BEARER}]}},
                   "bearer"),
        "wrong_setter": ({"headers_setter": {"headers": [
            {"action": "upsert", "key": "authorization", "value": "Bearer wrong"}]}}, "nobody"),
    }
    KINDS = ("grpc_tls", "http", "http_tls", "json_tls")
    AT_ONCE = {"sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        self.cert, self.key = bench.certificate(pathlib.Path(folder.name))
        self.sink = self.managed(rpc.Sink())

    def start_servers(self):
        """{(server, tls): {"grpc": port, "http": port}}"""
        ports, receivers = {}, {}
        for server in SERVERS:
            for tls in (False, True):
                ports[server, tls] = {"grpc": free_port(), "http": free_port()}
                options = {"tls": {"cert_file": str(self.cert), "key_file": str(self.key)}} if tls else {}
                if server != "none":
                    options["auth"] = {"authenticator": server}
                receivers[f"otlp/{server}_{tls}"] = {"protocols": {
                    name: {"endpoint": f"127.0.0.1:{port}", **options} for name, port in ports[server, tls].items()}}
        self.servers = self.weir({
            "extensions": EXTENSIONS, "receivers": receivers,
            "exporters": {"otlp": {"endpoint": f"127.0.0.1:{self.sink.port}", "tls": {"insecure": True},
                                   **self.AT_ONCE}},
            "service": {"extensions": list(EXTENSIONS), "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": {"receivers": list(receivers), "exporters": ["otlp"]}}}})
        return ports

    def exporter(self, kind, ports, server, client):
        tls = kind.endswith("tls")
        options = dict(self.AT_ONCE)
        if tls:
            options["tls"] = {"ca_file": str(self.cert)}
        if self.CLIENTS[client][0]:
            options["auth"] = {"authenticator": f"{next(iter(self.CLIENTS[client][0]))}/{client}"}
        if kind.startswith("grpc"):
            return {"endpoint": f"localhost:{ports[server, tls]['grpc']}", **options}
        return {"endpoint": f"{'https' if tls else 'http'}://localhost:{ports[server, tls]['http']}",
                "encoding": "json" if kind.startswith("json") else "proto", **options}

    def test_matrix(self):
        ports = self.start_servers()
        extensions = {f"{kind}/{client}": options for client, (kinds, _) in self.CLIENTS.items()
                      for kind, options in (kinds or {}).items()}
        receivers, exporters, pipelines, cases = {}, {}, {}, []
        for kind in self.KINDS:
            for server in SERVERS:
                for client, (_, who) in self.CLIENTS.items():
                    name, port = f"{kind}_{server}_{client}", free_port()
                    receivers[f"otlp/{name}"] = {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}"}}}
                    exporter = ("otlp_grpc/" if kind.startswith("grpc") else "otlp_http/") + name
                    exporters[exporter] = self.exporter(kind, ports, server, client)
                    pipelines[f"traces/{name}"] = {"receivers": [f"otlp/{name}"], "exporters": [exporter]}
                    cases.append((name, port, server in WHO[who]))
        weir = self.weir({"extensions": extensions, "receivers": receivers, "exporters": exporters,
                          "service": {"extensions": list(extensions), "telemetry": {"metrics": {"level": "none"}},
                                      "pipelines": pipelines}})
        for name, port, allowed in cases:
            with self.subTest(case=name):
                before = self.sink.count("traces")
                sender = self.managed(rpc.Sender(port))
                answer = sender.export("traces", messages.simple("traces", 2))
                self.assertEqual(answer.code, "OK" if allowed else "UNAUTHENTICATED", answer)
                self.assertEqual(self.sink.count("traces") - before, 2 if allowed else 0)
        for process in (weir, self.servers):
            ended = self.stop_cleanly_text(process)
            for secret in (TOKEN, PASSWORD, ALI[6:]):
                self.assertNotIn(secret, ended)

    def stop_cleanly_text(self, weir):
        self.stop_cleanly(weir)
        return weir.stderr

    def relay(self, extensions, auth, exporter_auth, http=False):
        """A weir between a grpcio client and the sink; its port."""
        port = free_port()
        protocol = {"endpoint": f"127.0.0.1:{port}", "include_metadata": True}
        if auth:
            protocol["auth"] = {"authenticator": auth}
        self.between = self.weir({
            "extensions": extensions,
            "receivers": {"otlp": {"protocols": {"grpc": protocol}}},
            "exporters": {"otlp": {"endpoint": f"127.0.0.1:{self.sink.port}", "tls": {"insecure": True},
                                   "headers": {"x-static": "config", "x-gone": "config"}, **self.AT_ONCE,
                                   "auth": {"authenticator": exporter_auth}}},
            "service": {"extensions": list(extensions), "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp"]}}}})
        return port

    def test_headers_from_what_brought_the_telemetry(self):
        port = self.relay({
            "headers_setter": {"headers": [
                {"action": "upsert", "key": "X-Scope-OrgID", "from_context": "Tenant", "default_value": "nobody"},
                {"action": "insert", "key": "x-user", "from_attribute": "username"},
                {"action": "update", "key": "X-Static", "value": "setter"},
                {"action": "delete", "key": "X-Gone"}]},
            "basicauth": EXTENSIONS["basicauth"]}, "basicauth", "headers_setter")
        sender = self.managed(rpc.Sender(port))
        who = [("authorization", BO)]
        self.assertEqual(sender.export("traces", request(), metadata=[*who, ("tenant", "acme")]).code, "OK")
        self.assertEqual(sender.export("traces", request(), metadata=who).code, "OK")
        answer = sender.export("traces", request(), metadata=[*who, ("tenant", "a"), ("tenant", "b")])
        self.assertEqual(answer.code, "UNAUTHENTICATED", answer)
        self.assertIn("2 source keys found in the context", answer.details)
        found = [{key: r.metadata.get(key) for key in ("x-scope-orgid", "x-user", "x-static", "x-gone")}
                 for r in self.sink.received]
        expected = {"x-scope-orgid": "acme", "x-user": "bo", "x-static": "setter", "x-gone": None}
        self.assertEqual(found, [expected, {**expected, "x-scope-orgid": "nobody"}])
        self.assertNotIn("authorization", self.sink.received[0].metadata)
        self.stop_cleanly(self.between)

    def test_two_authenticators_in_a_chain(self):
        port = self.relay({"headers_setter": {"headers": [{"action": "upsert", "key": "x-one", "value": "1"}],
                                              "additional_auth": "headers_setter/two"},
                           "headers_setter/two": {"headers": [{"action": "upsert", "key": "x-two", "value": "2"}]}},
                          None, "headers_setter")
        self.assertEqual(self.managed(rpc.Sender(port)).export("traces", request()).code, "OK")
        metadata = self.sink.received[0].metadata
        self.assertEqual((metadata["x-one"], metadata["x-two"], metadata["x-gone"]), ("1", "2", "config"))

    def test_request_params(self):
        port = free_port()
        weir = self.weir({
            "extensions": EXTENSIONS,
            "receivers": {"otlp": {"protocols": {"http": {
                "endpoint": f"127.0.0.1:{port}",
                "auth": {"authenticator": "bearertokenauth", "request_params": ["authorization"]}}}}},
            "exporters": {"otlp": {"endpoint": f"127.0.0.1:{self.sink.port}", "tls": {"insecure": True},
                                   **self.AT_ONCE}},
            "service": {"extensions": list(EXTENSIONS), "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp"]}}}})
        for query, header, status in ((f"?authorization=Bearer+{TOKEN}", None, 200),
                                      (f"?authorization=Bearer%20{TOKEN}", "Bearer wrong", 200),
                                      ("?authorization=Bearer+wrong", BEARER, 401),
                                      (f"?a=1&authorization=Bearer+{TOKEN}&authorization=Bearer+{TOKEN}", None, 401),
                                      (f"?Authorization=Bearer+{TOKEN}", None, 401),
                                      ("", BEARER, 200)):
            fields = {"Content-Type": PROTO, **({"Authorization": header} if header else {})}
            answer = rawhttp.request(port, "POST", "/v1/traces" + query, fields, request())
            self.assertEqual(answer.status, status, (query, header, answer))
        self.assertEqual(self.sink.count("traces"), 3)
        self.stop_cleanly(weir)


class Starts(TestCase):
    """What cannot be authenticated does not start, rather than run open."""

    def config(self, extensions, listed, server=None, exporter=None, exporters=None, protocol="grpc"):
        options = {"endpoint": f"127.0.0.1:{free_port()}"}
        if server:
            options["auth"] = {"authenticator": server}
        exporters = exporters or {"otlp_grpc": {"endpoint": "127.0.0.1:1", "tls": {"insecure": True},
                                                **(exporter or {})}}
        return {"extensions": extensions, "receivers": {"otlp": {"protocols": {protocol: options}}},
                "exporters": exporters,
                "service": {"extensions": listed, "telemetry": {"metrics": {"level": "none"}},
                            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": list(exporters)}}}}

    def assert_refused(self, config, text):
        weir = self.weir(config, ready=False)
        ended = weir.wait()
        self.assertEqual(ended.code, 1)
        self.assertIn(text, ended.stderr)
        self.assertNotIn("t0ken", ended.stderr)

    def assert_invalid(self, config, path, text):
        """`weir validate` says in which line, and weir does not start."""
        done = validate(config)
        self.assertEqual(done.code, 1, done.stderr)
        self.assertRegex(done.stderr, f"(?m)^[^ ]*config.yaml:[0-9]+:[0-9]+: {re.escape(f'{path}: {text}')}$")
        self.assertNotIn("t0ken", done.stderr)
        self.assert_refused(config, text)

    def test_authenticators_that_do_not_run(self):
        """Each place that can name one: servers and clients of both transports, and a setter's chain."""
        setter = {"headers_setter": {"headers": [{"action": "upsert", "key": "a", "value": "b"}],
                                     "additional_auth": "bearertokenauth"}}
        http = {"otlp_http": {"endpoint": "https://localhost:1", "auth": {"authenticator": "basicauth/no"}}}
        server = "receivers::otlp::protocols::grpc::auth::authenticator"
        for name, config, path, text in (
                ("unknown", self.config(EXTENSIONS, list(EXTENSIONS), server="oidc"), server,
                 'server authenticator "oidc"'),
                ("another name", self.config(EXTENSIONS, list(EXTENSIONS), server="basicauth/2"), server,
                 'server authenticator "basicauth/2"'),
                ("not in the service", self.config(EXTENSIONS, ["basicauth"], server="bearertokenauth"), server,
                 'server authenticator "bearertokenauth"'),
                ("no extensions", self.config({}, [], server="bearertokenauth"), server,
                 'server authenticator "bearertokenauth"'),
                ("HTTP server", self.config(EXTENSIONS, [], server="basicauth", protocol="http"),
                 "receivers::otlp::protocols::http::auth::authenticator", 'server authenticator "basicauth"'),
                ("gRPC client", self.config(EXTENSIONS, ["basicauth"], exporter={"auth": {
                    "authenticator": "bearertokenauth"}}), "exporters::otlp_grpc::auth::authenticator",
                 'client authenticator "bearertokenauth"'),
                ("HTTP client", self.config(EXTENSIONS, ["basicauth"], exporters=http),
                 "exporters::otlp_http::auth::authenticator", 'client authenticator "basicauth/no"'),
                ("chain", self.config({**EXTENSIONS, **setter}, ["headers_setter"]),
                 "extensions::headers_setter::additional_auth", 'client authenticator "bearertokenauth"')):
            with self.subTest(name):
                self.assert_invalid(config, path, f"{text} not found: it is not among service::extensions")

    def test_of_another_kind(self):
        setter = {"headers_setter": {"headers": [{"action": "upsert", "key": "a", "value": "b"}]}, **EXTENSIONS}
        for name, config, path, text in (
                ("server", self.config(setter, list(setter), server="headers_setter"),
                 "receivers::otlp::protocols::grpc::auth::authenticator",
                 'extension "headers_setter" is not a server authenticator'),
                ("no client side", self.config(EXTENSIONS, list(EXTENSIONS), exporter={"auth": {
                    "authenticator": "basicauth"}}), "exporters::otlp_grpc::auth::authenticator",
                 'extension "basicauth" is not a client authenticator')):
            with self.subTest(name):
                self.assert_invalid(config, path, text)

    def test_auth_without_an_authenticator(self):
        for auth in ({}, {"authenticator": None}, {"authenticator": ""}):
            config = self.config(EXTENSIONS, list(EXTENSIONS))
            config["receivers"]["otlp"]["protocols"]["grpc"]["auth"] = auth
            with self.subTest(auth):
                done = validate(config)
                self.assertEqual(done.code, 1, done.stderr)
                self.assertIn("receivers::otlp::protocols::grpc::auth::authenticator", done.stderr)

    def test_credentials_over_plain_grpc(self):
        self.assert_refused(self.config(EXTENSIONS, list(EXTENSIONS),
                                        exporter={"auth": {"authenticator": "bearertokenauth"}}),
                            "grpc: the credentials require transport level security")

    def test_a_chain_that_leads_back(self):
        one = {"headers": [{"action": "upsert", "key": "a", "value": "b"}], "additional_auth": "headers_setter/b"}
        extensions = {"headers_setter/a": one, "headers_setter/b": {**one, "additional_auth": "headers_setter/a"}}
        self.assert_refused(self.config(extensions, list(extensions)), "leads back to itself")

    def test_middlewares_are_refused(self):
        config = self.config({}, [])
        config["receivers"]["otlp"]["protocols"]["grpc"]["middlewares"] = [{"id": "x"}]
        done = validate(config)
        self.assertEqual(done.code, 1)
        self.assertIn("no extension that can stand in front of a server is available", done.stderr)


class Files(TestCase):
    """A token file that changes while requests come: old and new overlap, so none is refused."""

    def test_rotation(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "token"
        path.write_text("one\n")
        sink = self.managed(rpc.Sink())
        port = free_port()
        weir = self.weir({
            "extensions": {"bearertokenauth": {"filename": str(path)}},
            "receivers": {"otlp": {"protocols": {"grpc": {
                "endpoint": f"127.0.0.1:{port}", "auth": {"authenticator": "bearertokenauth"}}}}},
            "exporters": {"otlp": {"endpoint": f"127.0.0.1:{sink.port}", "tls": {"insecure": True}}},
            "service": {"extensions": ["bearertokenauth"], "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp"]}}}})
        sender = self.managed(rpc.Sender(port))

        def code(token):
            return sender.export("traces", request(), metadata=[("authorization", f"Bearer {token}")]).code

        def wait_code(token, expected):
            wait_for(lambda: code(token) == expected, what=f"{token} is {expected}")

        self.assertEqual([code("one"), code("two")], ["OK", "UNAUTHENTICATED"])
        path.write_text("one\ntwo\n")
        wait_code("two", "OK")
        self.assertEqual(code("one"), "OK")
        path.write_text("")
        weir.child.wait_line("File has changed but cannot be used")
        self.assertEqual([code("one"), code("two"), code("three")], ["OK", "OK", "UNAUTHENTICATED"])
        path.write_text("two\n")
        wait_code("one", "UNAUTHENTICATED")
        self.assertEqual(code("two"), "OK")
        self.stop_cleanly(weir)

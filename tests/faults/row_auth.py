# SPDX-License-Identifier: Apache-2.0
"""Certificates, CAs and tokens that are rotated under load; requests that cannot say who they are."""

import base64
import itertools
import os
import re
import ssl

from faultlib import Row
from weirtest.pki import Authority
from weirtest import free_port, messages, rawhttp, wait_for
from weirtest.requests import PROTO, request
from weirtest.rpc import grpc

_GENERATOR = "token-of-the-generator"
_HTPASSWD = ("ali:$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW\n"
             "bo:{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=\n")
_CAS = 3
_LEAVES = 2
_TOKEN_ROUNDS = 1
_CA_ROUNDS = 3  # while each of a token's two files changes


def _replace(path, data):
    path.unlink()
    path.write_bytes(data)


def _rename(path, data):
    beside = path.with_suffix(".new")
    beside.write_bytes(data)
    os.replace(beside, path)


def _link(path, data):
    """As Kubernetes does it: the file is a link, which leads elsewhere from one moment to the next."""
    target = path.with_name(f"{path.name}.{next(_link.numbers)}")
    target.write_bytes(data)
    beside = path.with_suffix(".link")
    beside.symlink_to(target)
    os.replace(beside, path)


_link.numbers = itertools.count()


def _in_place(path, data):
    path.write_bytes(data)


_WAYS = (_replace, _rename, _link, _in_place)


def _basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def _authorization(*values):
    """Takes only requests with one such header."""
    return lambda headers: [v for n, v in headers if n.lower() == "authorization"] in [[v] for v in values]


def _is_user(headers):
    values = [v.split(" ", 1)[-1] for n, v in headers if n.lower() == "authorization"]
    return len(values) == 1 and values[0] in (_basic("ali:sesame")[6:], _basic("bo:sesame")[6:])


# Name: (extension, options, who is let in).
_SERVERS = {
    "token": ("bearertokenauth", {"token": "token"}, _authorization("Bearer token")),
    "tokens": ("bearertokenauth", {"tokens": ["other", "token"]}, _authorization("Bearer token", "Bearer other")),
    "file": ("bearertokenauth", {"token": "ignored"}, _authorization("Bearer token", "Bearer other")),
    "scheme": ("bearertokenauth", {"token": "token", "scheme": "Key"}, _authorization("Key token")),
    "bare": ("bearertokenauth", {"token": "token", "scheme": ""}, _authorization("token")),
    "header": ("bearertokenauth", {"token": "token", "header": "X-Key"},
               lambda headers: [v for n, v in headers if n.lower() == "x-key"] == ["Bearer token"]),
    "inline": ("basicauth", {"htpasswd": {"inline": _HTPASSWD.replace("$", "$$")}}, _is_user),
    "htpasswd": ("basicauth", {}, _is_user),
}
_VALUES = ("Bearer token", "Bearer other", "Key token", "token", "Bearer ignored", "Bearer toke", "Bearer tokenx",
           "bearer token", "Bearer", "", _basic("ali:sesame"), _basic("bo:sesame"), _basic("bo:wrong"), _basic("bo:"),
           _basic("cid:sesame"), _basic(":"), "Basic", "Basic !")
_CREDENTIALS = [
    [],
    *([("Authorization", value)] for value in _VALUES),
    [("X-Key", "Bearer token")],
    [("X-Key", "Bearer wrong")],
    *([("Authorization", first), ("authorization", second)] for first, second in (
        ("Bearer token", "Bearer token"), ("Bearer wrong", "Bearer token"), ("Bearer token", "Bearer wrong"),
        (_basic("bo:sesame"), _basic("bo:sesame")), ("Bearer token", _basic("bo:sesame")))),
]


class Rotation(Row):
    id = "T1"
    title = "rotated certificates, CAs and tokens, half-written files; every wrong credential"
    budget = 20.0
    broken_by = ("tokens compared up to the length of ours only: \"Bearer tokenx\" came in; a token file of which only the "
                 "first line counts: the other one was refused")

    # --- rotation ---

    def prepare(self):
        """CAs with certificates for servers and clients; the files that weir follows."""
        self.cas = [Authority(self.folder, f"ca{i}") for i in range(_CAS)]
        self.leaves = [[ca.issue() for _ in range(_LEAVES)] for ca in self.cas]
        self.everyone = self.folder / "everyone.pem"
        self.everyone.write_bytes(self.ca(*range(_CAS)))
        self.at = 0
        self.rotations = 0
        self.ways = itertools.cycle(_WAYS)
        self.files = {name: self.folder / name for name in (
            "server.pem", "server.key", "client.pem", "client.key", "edge.pem", "edge.key", "servers-ca.pem",
            "clients-ca.pem", "server.tokens", "client.token")}
        for name, data in {**self.identities(), **self.trust(0), "server.tokens": b"token0\n",
                           "client.token": b"token0\n"}.items():
            self.files[name].write_bytes(data)

    def ca(self, *numbers):
        return b"".join(self.cas[n % _CAS].pem.read_bytes() for n in numbers)

    def leaf(self, number):
        """(certificate, key) of the CA that is in use."""
        return [path.read_bytes() for path in self.leaves[self.at % _CAS][number]]

    def identities(self):
        server, client = self.leaf(0), self.leaf(1)
        return {"server.pem": server[0], "server.key": server[1], "client.pem": client[0], "client.key": client[1],
                "edge.pem": server[0], "edge.key": server[1]}

    def trust(self, *numbers):
        return {"servers-ca.pem": self.ca(*numbers), "clients-ca.pem": self.ca(*numbers)}

    def count(self, name, pattern):
        """How often the log says so of the file, or of the one that belongs with it (a certificate and its key are
        read together, so that only one of the two may be named)."""
        path = self.files[name]
        stem = re.escape(str(path.with_suffix("")))
        either = rf"{stem}\.(?:pem|key)" if path.suffix in (".pem", ".key") else re.escape(str(path))
        return sum(len(re.findall(rf"{pattern}[^\n]*{either}[\",]", weir.stderr)) for weir in (self.edge, self.gateway))

    def used(self, name):
        return self.count(name, "ha(?:s|ve) changed(?: and is used|: new)")

    def refused(self, name):
        return self.count(name, "cannot be used")

    def write(self, contents):
        """Writes the files, each in the next way; returns a function that says whether they are used."""
        before = {name: self.used(name) for name in contents}
        for name, data in contents.items():
            next(self.ways)(self.files[name], data)
            self.rotations += 1
        return lambda: all(self.used(name) > before[name] for name in contents)

    def rotate(self, contents):
        wait_for(self.write(contents), 10, f"{list(contents)} are used", 0.05)

    def write_halves(self, contents):
        """Writers that are stopped half-way: weir says so and goes on with what it has; then they go on."""
        before = {name: self.refused(name) for name in contents}
        for name, data in contents.items():
            self.files[name].write_bytes(data[:len(data) * 3 // 4] if name.endswith("pem") else b"")
        wait_for(lambda: all(self.refused(name) > before[name] for name in contents), 10,
                 lambda: f"what is left of {[n for n in contents if self.refused(n) == before[n]]} is refused", 0.05)
        self.assertEqual(self.ask(), "OK", f"half of {list(contents)} is there")
        self.rotate(contents)

    def ask(self, token=None, certificate=None, ca=None):
        """One request to the gateway on a connection of its own; what came of it."""
        cert, key = certificate or self.leaves[self.at % _CAS][1]
        credentials = grpc.ssl_channel_credentials(self.everyone.read_bytes() if ca is None else ca, key.read_bytes(),
                                                   cert.read_bytes())
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.secure_channel(f"localhost:{self.gateway_port}", credentials, options) as channel:
            try:
                channel.unary_unary(messages.method("traces"))(
                    b"", timeout=5, metadata=[("authorization", f"Bearer {token or self.token}")])
                return "OK"
            except grpc.RpcError as error:
                return error.code().name

    def start(self, oracle):
        path = {name.replace(".", "_").replace("-", "_"): str(path) for name, path in self.files.items()}
        young = {"server_parameters": {"max_connection_age": "300ms"}}
        followed = {"reload_interval": "50ms"}
        self.gateway_port, self.port = free_port(), free_port()
        gateway = self.otlp_config(oracle.grpc, grpc=self.gateway_port, extensions={
            "bearertokenauth": {"filename": path["server_tokens"]}}, receiver={"grpc": {
                "tls": {"cert_file": path["server_pem"], "key_file": path["server_key"],
                        "client_ca_file": path["clients_ca_pem"], "client_ca_file_reload": True, **followed},
                "auth": {"authenticator": "bearertokenauth"}, "keepalive": young}},
            exporter={"sending_queue": {"enabled": False}})
        # Nothing hides a failure: no queue, no retry.
        edge = self.otlp_config(f"localhost:{self.gateway_port}", grpc=self.port, extensions={
            "bearertokenauth/in": {"token": _GENERATOR}, "bearertokenauth/out": {"filename": path["client_token"]}},
            receiver={"grpc": {"tls": {"cert_file": path["edge_pem"], "key_file": path["edge_key"], **followed},
                               "auth": {"authenticator": "bearertokenauth/in"}, "keepalive": young}},
            exporter={"tls": {"ca_file": path["servers_ca_pem"], "cert_file": path["client_pem"],
                              "key_file": path["client_key"], **followed},
                      "auth": {"authenticator": "bearertokenauth/out"}, "sending_queue": {"enabled": False},
                      "retry_on_failure": {"enabled": False}})
        for config in (gateway, edge):
            config["service"]["telemetry"]["logs"] = {"sampling": {"enabled": False}}
        self.gateway, self.edge = self.weir(gateway), self.weir(edge)

    def rotate_certificates(self):
        """The next CA: first both are trusted, then all show the new one's certificates."""
        self.rotate(self.trust(self.at, self.at + 1))
        self.at += 1
        self.rotate(self.identities())

    def test_rotation(self):
        self.prepare()
        self.token = "token0"
        oracle = self.oracle()
        self.start(oracle)
        args = ["--tls", f"--ca={self.everyone}", f"--header=authorization=Bearer {_GENERATOR}"]
        generator = self.generator(f"localhost:{self.port}", "-r", 2000, "-i", 20, *args)
        generator.wait_acknowledged(500)
        for number in range(1, _TOKEN_ROUNDS + 1):
            old, new = self.token, f"token{number}"
            for contents in ({"server.tokens": f"{old}\n{new}\n".encode()}, {"client.token": f"{new}\n".encode()}):
                taken = self.write(contents)
                for _ in range(_CA_ROUNDS):
                    self.rotate_certificates()
                wait_for(taken, 10, f"{list(contents)} are used", 0.05)
            self.token = new
        names = ("server.pem", "edge.pem", "client.key")
        self.write_halves({name: self.identities()[name] for name in names})
        # What has been rotated out lets nobody in any more.
        self.write_halves({"server.tokens": f"{self.token}\n".encode(), **self.trust(self.at)})
        self.assertEqual(self.ask(), "OK")
        self.assertEqual(self.ask(token="token0"), "UNAUTHENTICATED")
        self.assertEqual(self.ask(token=f"token{_TOKEN_ROUNDS - 1}"), "UNAUTHENTICATED")
        self.assertEqual(self.ask(certificate=self.leaves[(self.at + 1) % _CAS][1]), "UNAVAILABLE")
        count = generator.count()
        generator.wait_acknowledged(count + 1000)
        generator.stop()
        self.assertEqual(generator.count("refused", "partial", "unknown"), 0, self.edge.stderr[-3000:])
        self.assertGreaterEqual(self.rotations, 50)
        self.figure(f"{self.rotations} rotations, 0 refused")
        self.judge(self.edge, [generator], [oracle], endpoint=f"localhost:{self.port}", args=args)
        self.assert_ledger_closes(self.gateway)

    # --- the matrix ---

    def test_matrix(self):
        htpasswd = self.folder / "htpasswd"
        htpasswd.write_text(_HTPASSWD)
        tokens = self.folder / "tokens"
        tokens.write_text("other\ntoken\n")
        cert, key = Authority(self.folder).issue()
        servers = {name: (kind, {**options, **({"filename": str(tokens)} if name == "file" else {}),
                                 **({"htpasswd": {"file": str(htpasswd)}} if name == "htpasswd" else {})}, good)
                   for name, (kind, options, good) in _SERVERS.items()}
        ports, receivers = {}, {}
        for name, (kind, _, _) in servers.items():
            for tls in (False, True):
                ports[name, tls] = {"grpc": free_port(), "http": free_port()}
                options = {"auth": {"authenticator": f"{kind}/{name}"}}
                if tls:
                    options["tls"] = {"cert_file": str(cert), "key_file": str(key)}
                receivers[f"otlp/{name}_{tls}"] = {"protocols": {
                    protocol: {"endpoint": f"127.0.0.1:{port}", **options}
                    for protocol, port in ports[name, tls].items()}}
        oracle = self.oracle()
        config = self.otlp_config(oracle.grpc, signals=["traces"], exporter={"sending_queue": {"enabled": False}},
                                  extensions={f"{kind}/{name}": o for name, (kind, o, _) in servers.items()})
        config["receivers"] = receivers
        config["service"]["pipelines"]["traces"]["receivers"] = list(receivers)
        weir = self.weir(config)
        counts = {True: 0, False: 0}
        trusted = ssl.create_default_context(cafile=cert.parent / "ca.pem")
        for (name, tls), port in ports.items():
            good = servers[name][2]
            with self.channel(port["grpc"], cert.parent / "ca.pem" if tls else None) as channel:
                for headers in _CREDENTIALS:
                    allowed = good(headers)
                    with self.subTest(server=name, tls=tls, headers=headers):
                        self.assertEqual(self.call(channel, headers), "OK" if allowed else "UNAUTHENTICATED")
                        self.assertEqual(self.post(port["http"], trusted if tls else None, headers),
                                         200 if allowed else 401)
                    counts[allowed] += 2
        self.assertEqual(oracle.items(), counts[True], "nothing of what was refused has come through")
        ledger = self.assert_ledger_closes(weir)
        refusals = sum(row["refusals"].get("unauthenticated", 0) for row in ledger.rows)
        self.assertEqual(refusals, counts[False])
        self.figure(f"{counts[False]} wrong credentials refused, {counts[True]} right ones taken")

    def channel(self, port, ca):
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        if not ca:
            return grpc.insecure_channel(f"localhost:{port}", options)
        return grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(ca.read_bytes()), options)

    def call(self, channel, headers):
        try:
            channel.unary_unary(messages.method("traces"))(
                request(1), timeout=5, metadata=[(name.lower(), value) for name, value in headers])
            return "OK"
        except grpc.RpcError as error:
            return error.code().name

    def post(self, port, context, headers):
        """One request on a connection of its own, its headers written as given; the status."""
        body = request(1)
        lines = [("Host", "localhost"), ("Content-Type", PROTO), ("Content-Length", str(len(body))), *headers]
        head = "".join(f"{name}: {value}\r\n" for name, value in lines)
        with rawhttp.Connection(port) as connection:
            if context:
                connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
            try:
                connection.send(f"POST /v1/traces HTTP/1.1\r\n{head}\r\n".encode() + body)
            except OSError:
                pass  # answered and closed before all was read
            return connection.receive().status

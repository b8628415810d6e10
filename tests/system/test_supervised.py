# SPDX-License-Identifier: Apache-2.0
"""What a service manager or a container's runtime does with weir: notices, sockets, probes."""

import concurrent.futures
import os
import pathlib
import signal
import socket
import tempfile
import time
import unittest

from weirtest import TestCase, free_port, messages, rpc, run
from weirtest.pki import Authority
from weirtest.ports import has_ipv6

CONFIG = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "%s"}}}
exporters:
  nop:
  nop/b:
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
"""
HEALTH = """\
receivers: {nop: }
exporters: {nop: }
extensions:
  health_check: {endpoint: "%s"%s}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [nop], exporters: [nop]}
"""


class Notices:
    """A service manager's socket; `name` is its NOTIFY_SOCKET."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.socket.settimeout(20)

    def next(self):
        """The next notice that is no sign of life, as a dict."""
        while True:
            notice = dict(line.split("=", 1) for line in self.socket.recv(65536).decode().split("\n"))
            if "WATCHDOG" not in notice:
                return notice

    def close(self):
        self.socket.close()


class TestNotices(TestCase):
    def notices(self, abstract=False):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        path = str(pathlib.Path(folder.name) / "notify")
        return self.managed(Notices("@" + path if abstract else path))

    def start(self, notices, config=None, **options):
        config = config or CONFIG % f"127.0.0.1:{free_port()}"
        return self.weir(config, env={"NOTIFY_SOCKET": notices.name}, **options)

    def test_a_life(self):
        for abstract in (False, True):
            notices = self.notices(abstract)
            weir = self.start(notices, args=["--workers", "2", "--drain-timeout", "7s"])
            self.assertEqual(notices.next(), {"READY": "1", "STATUS": "Running: 1 pipeline, 2 workers"})
            self.stop_cleanly(weir)
            self.assertEqual(notices.next(), {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "17000000",
                                              "STATUS": "Delivering what is held"})

    def test_reloads(self):
        notices = self.notices()
        weir = self.start(notices)
        notices.next()
        config = (weir.folder / "config.yaml").read_text()
        for text, said in ((config.replace("[nop]", "[nop/b]"), "Running: 1 pipeline, "), (config + "x: 1\n", " refused: ")):
            (weir.folder / "config.yaml").write_text(text)
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            os.kill(weir.pid, signal.SIGHUP)
            began, done = notices.next(), notices.next()
            self.assertEqual((began["RELOADING"], done["READY"]), ("1", "1"))
            self.assertGreaterEqual(int(began["MONOTONIC_USEC"]), before)
            self.assertLess(int(began["MONOTONIC_USEC"]), time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
            self.assertIn(said, done["STATUS"])
        self.stop_cleanly(weir)

    def test_no_start(self):
        notices = self.notices()
        taken = self.managed(socket.create_server(("127.0.0.1", 0)))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for config, said in ((CONFIG % address, "address already in use"), ("receivers: [\n", "the configuration is wrong")):
            weir = self.start(notices, config, ready=False)
            self.assertEqual(weir.wait().code, 1)
            status = notices.next()
            self.assertEqual(list(status), ["STATUS"])
            self.assertIn(said, status["STATUS"])

    def test_signs_of_life(self):
        """One in each half of the time, also while the configuration is read again and again."""
        notices = self.notices()
        weir = self.weir(CONFIG % f"127.0.0.1:{free_port()}", args=["--watchdog", "0"],
                         env={"NOTIFY_SOCKET": notices.name, "WATCHDOG_USEC": "2000000"})
        ends = time.monotonic() + 3.5
        signs = 0
        while time.monotonic() < ends:
            signs += notices.socket.recv(65536) == b"WATCHDOG=1"
            os.kill(weir.pid, signal.SIGHUP)
        self.assertGreaterEqual(signs, 2)
        self.stop_cleanly(weir)


class TestSockets(TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def listening(self, host="127.0.0.1", family=socket.AF_INET):
        listener = socket.socket(family)
        if family != socket.AF_UNIX:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(host if family == socket.AF_UNIX else (host, 0))
        listener.listen(512)
        return self.managed(listener)

    def export(self, address):
        sender = rpc.Sender(address)
        try:
            return sender.export("traces", messages.simple("traces", 1)).code
        finally:
            sender.close()

    def test_workers_share_it_through_reloads(self):
        """Connections are made all the time, from before the start on: each is served."""
        listener = self.listening()
        port = listener.getsockname()[1]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            early = pool.submit(self.export, port)
            weir = self.weir(CONFIG % f"127.0.0.1:{port}", args=["--workers", "4"], sockets=[listener])
            self.assertEqual(early.result(), "OK")
            listener.close()  # weir has its own
            self.assertNotIn("was started with", weir.stderr)
            config = (weir.folder / "config.yaml").read_text()
            for i in range(3):
                answers = [pool.submit(self.export, port) for _ in range(40)]
                (weir.folder / "config.yaml").write_text(config.replace("grpc: {", f"grpc: {{max_recv_msg_size_mib: {i + 1}, "))
                self.assertEqual(run("reload", weir.pid).code, 0)
                self.assertEqual({answer.result() for answer in answers}, {"OK"})
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("traces", "exporter", "nop")["accepted"], 121)

    def test_unix_socket(self):
        path = str(self.folder() / "otlp.sock")
        listener = self.listening(path, socket.AF_UNIX)
        weir = self.weir(CONFIG.replace("endpoint", "transport: unix, endpoint") % path, sockets=[listener])
        self.assertEqual(self.export(f"unix:{path}"), "OK")
        self.stop_cleanly(weir)
        self.assertTrue(os.path.exists(path), "it is not weir's to remove")

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_all_addresses(self):
        listener = self.listening("::", socket.AF_INET6)
        port = listener.getsockname()[1]
        weir = self.weir(CONFIG % f":{port}", sockets=[listener])
        self.assertEqual(self.export(port), "OK")
        self.stop_cleanly(weir)
        weir = self.weir(CONFIG % f"0.0.0.0:{port}", sockets=[listener], ready=False)
        ended = weir.wait()
        self.assertEqual(ended.code, 1)
        self.assertIn(f"address already in use: the process was started with a socket at [::]:{port}, which is not "
                      "this address", ended.stderr)

    def test_what_nobody_uses_is_named(self):
        spare = self.listening()
        no_listener = self.managed(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        weir = self.weir(CONFIG % f"127.0.0.1:{free_port()}", sockets=[no_listener, spare], names=["dgram", "spare"])
        self.assertIn('What weir was started with is no listening stream socket, and not used\t', weir.stderr)
        self.assertIn('"name": "dgram"', weir.stderr)
        self.assertRegex(weir.stderr, "No component listens at the address of a socket that weir was started with\t.*"
                         f'"name": "spare", "address": "127.0.0.1:{spare.getsockname()[1]}"')
        self.stop_cleanly(weir)

    def test_sockets_of_another_process(self):
        weir = self.weir(CONFIG % f"127.0.0.1:{free_port()}", env={"LISTEN_PID": "1", "LISTEN_FDS": "2"})
        self.assertNotIn("was started with", weir.stderr)
        self.stop_cleanly(weir)


class TestHealthcheck(TestCase):
    def assert_unwell(self, said, *args, **options):
        done = run("healthcheck", *args, **options)
        self.assertEqual((done.code, done.stdout), (1, ""), done)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("Error: "), done.stderr)
        self.assertIn(said, done.stderr)

    def test_well(self):
        for endpoint, more, asked in (("127.0.0.1:%d", "", "http://127.0.0.1:%d/"), ("0.0.0.0:%d", ", path: /well", "http://localhost:%d/well"),
                                      ("[::1]:%d", "", "http://[::1]:%d"), (":%d", "", "http://127.0.0.1:%d")):
            if "::1" in endpoint and not has_ipv6():
                continue
            port = free_port()
            weir = self.weir(HEALTH % (endpoint % port, more))
            proxy = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
            for args in (["--endpoint", asked % port], ["--config", weir.folder / "config.yaml"]):
                with self.subTest(args=args):
                    self.assertEqual(run("healthcheck", *args, env=proxy), (0, "", ""))
            if more:
                self.assert_unwell("/ answers 404", "--endpoint", f"http://127.0.0.1:{port}/")
            self.stop_cleanly(weir)
            self.assert_unwell(": connect: ", "--endpoint", asked % port)

    def test_tls(self):
        port = free_port()
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        certificate, key = Authority(pathlib.Path(folder.name)).issue(san="DNS:elsewhere")
        weir = self.weir(HEALTH % (f"127.0.0.1:{port}", f", tls: {{cert_file: {certificate}, key_file: {key}}}"))
        self.assertEqual(run("healthcheck", "--config", weir.folder / "config.yaml"), (0, "", ""))
        self.assertEqual(run("healthcheck", "--endpoint", f"https://localhost:{port}/"), (0, "", ""))
        self.assert_unwell("", "--endpoint", f"http://localhost:{port}/")
        self.stop_cleanly(weir)

    def test_who_cannot_be_asked(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "config.yaml"
        for config, said in ((CONFIG % ":4317", "has no health_check"), (HEALTH % ("unix:///run/x", ""), "cannot be asked"),
                             ("receivers: [\n", "has mistakes"), (HEALTH % ("nowhere", ""), "missing port")):
            path.write_text(config)
            self.assert_unwell(said, "--config", path)
        self.assert_unwell("", "--endpoint", "127.0.0.1:13133")
        self.assertEqual(run("healthcheck", "now").code, 2)

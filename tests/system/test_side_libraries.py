# SPDX-License-Identifier: Apache-2.0
"""OpenSSL is loaded when something needs it; where it is not installed, the rest works."""

import os
import pathlib
import shutil
import tempfile
from unittest import mock

from weirtest import TestCase, free_port, messages, paths, rpc, validate

MISSING = "weir-tls.so is not installed"
HASH = {"attributes": {"actions": [{"key": "user", "action": "hash"}]}}
INSERT = {"attributes": {"actions": [{"key": "user", "action": "insert", "value": "x"}]}}


def make_config(port, sink, processors, exporter=None, extensions=None, name="otlp_grpc"):
    return {
        "extensions": extensions or {},
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": processors,
        "exporters": {name: {"endpoint": f"127.0.0.1:{sink}", "tls": {"insecure": True},
                             "sending_queue": {"enabled": False}, **(exporter or {})}},
        "service": {"extensions": list(extensions or {}), "telemetry": {"metrics": {"level": "none"}},
                    "pipelines": {"traces": {"receivers": ["otlp"], "processors": list(processors),
                                             "exporters": [name]}}},
    }


def maps_openssl(weir):
    return "libcrypto" in pathlib.Path(f"/proc/{weir.pid}/maps").read_text()


class Loaded(TestCase):
    def test_only_when_needed(self):
        sink = self.managed(rpc.Sink())
        for processors, expected in (({}, False), (INSERT, False), (HASH, True)):
            with self.subTest(processors=processors):
                port = free_port()
                weir = self.weir(make_config(port, sink.port, processors))
                answer = self.managed(rpc.Sender(port)).export("traces", messages.simple("traces", 3))
                self.assertEqual(answer.code, "OK", answer)
                self.assertEqual(maps_openssl(weir), expected)
                self.stop_cleanly(weir)


class Missing(TestCase):
    """A copy of libweir with nothing beside it, as in a distribution without its TLS library."""

    def setUp(self):
        program = paths.BUILD / ".libs" / "weir"
        if not program.exists():
            self.skipTest("the build has no shared libraries")
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        shutil.copy(paths.BUILD / "sdk" / ".libs" / "libweir.so.1", self.folder)
        # The program itself: libtool's script would put the build's folder first.
        environment = mock.patch.dict(os.environ, WEIR=str(program), LD_LIBRARY_PATH=str(self.folder),
                                      WEIR_PKGLIBDIR=str(self.folder))
        environment.start()
        self.addCleanup(environment.stop)
        self.sink = self.managed(rpc.Sink())

    def test_works_without(self):
        port = free_port()
        weir = self.weir(make_config(port, self.sink.port, INSERT))
        self.assertFalse(maps_openssl(weir))
        self.assertIn(str(self.folder / "libweir.so.1"), pathlib.Path(f"/proc/{weir.pid}/maps").read_text())
        answer = self.managed(rpc.Sender(port)).export("traces", messages.simple("traces", 3))
        self.assertEqual(answer.code, "OK", answer)
        self.sink.wait_count("traces", 3)
        self.stop_cleanly(weir)

    def test_actions_that_hash_are_refused(self):
        resource = {"resource": {"attributes": [{"key": "user", "action": "hash"}]}}
        for name, processors in (("attributes", HASH), ("resource", resource)):
            with self.subTest(name):
                config = make_config(1, 1, processors)
                done = validate(config)
                self.assertEqual(done.code, 1, done.stderr)
                self.assertRegex(done.stderr, rf'config.yaml:[0-9]+:[0-9]+: processors::{name}: .*action "hash": '
                                              rf"{MISSING}")
                weir = self.weir(config, ready=False)
                self.assertEqual(weir.wait().code, 1)

    def test_queues_with_long_names_are_refused(self):
        queue = {"sending_queue": {"storage": "file_storage"}}
        extensions = {"file_storage": {"directory": str(self.folder / "queues"), "create_directory": True}}
        for length, starts in ((200, True), (300, False)):
            with self.subTest(length=length):
                config = make_config(free_port(), self.sink.port, {}, queue, extensions, "otlp_grpc/" + "x" * length)
                weir = self.weir(config, ready=starts)
                if starts:
                    self.stop_cleanly(weir)
                else:
                    ended = weir.wait()
                    self.assertEqual(ended.code, 1)
                    self.assertIn(f"has to be its SHA-256: {MISSING}", ended.stderr)

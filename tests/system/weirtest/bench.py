# SPDX-License-Identifier: Apache-2.0
"""weir-load and weir-sink of the build tree as child processes."""

import json
import os
import pathlib
import subprocess
import tempfile

from . import paths
from .child import Child


def _program(name):
    return str(paths.BUILD / "bench" / name)


def _environment():
    return {**os.environ, **paths.weir_env()}


def certificate(folder):
    """A self-signed certificate for 127.0.0.1: (certificate file, key file)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", key, "-out", cert, "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    return cert, key


def load(*args, seconds=60.0):
    """Runs weir-load to its end; returns (exit code, its JSON summary or None, stderr)."""
    with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
        summary = pathlib.Path(folder) / "summary.json"
        done = subprocess.run([_program("weir-load"), "--quiet", f"--json={summary}", *map(str, args)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
                              env=_environment())
        found = json.loads(summary.read_text()) if summary.exists() else None
        return done.returncode, found, done.stderr.decode("utf-8")


class Sink:
    """weir-sink on free ports: `grpc` and `http` are its addresses."""

    def __init__(self, *args):
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.folder = pathlib.Path(self._folder.name)
        self.child = Child([_program("weir-sink"), "--grpc=127.0.0.1:0", "--http=127.0.0.1:0",
                            "--interval=0", f"--json={self.folder / 'summary.json'}",
                            *map(str, args)], "weir-sink", env=_environment())
        self.child.wait_line("http 127", stream="stdout")
        lines = dict(line.split() for line in self.child.stdout.splitlines())
        self.grpc, self.http = lines["grpc"], lines["http"]

    def stop(self):
        """SIGTERM; returns (exit code, the JSON summary)."""
        code = self.child.stop()
        return code, json.loads((self.folder / "summary.json").read_text())

    def close(self):
        self.child.kill()
        self._folder.cleanup()

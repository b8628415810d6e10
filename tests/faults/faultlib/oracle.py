# SPDX-License-Identifier: Apache-2.0
"""weir-sink as the backend that is never at fault itself: it remembers every number that came."""

import json
import os
import pathlib
import subprocess
import tempfile

from weirtest import paths
from weirtest.child import Child
from weirtest.wait import wait_for

from . import ranges


class Oracle:
    """`grpc` and `http` are its addresses, `grpc_port` and `http_port` the ports of them.

    `change(delay="5s", fail_rate=1)` changes how it answers, `report()` is its summary so far and
    `arrived()` the numbers that came, while it serves on; `stop()` ends it. Several generations on
    the same `port`s, or several oracles, are judged together: see Row.judge."""

    def __init__(self, *args, grpc="127.0.0.1:0", http="127.0.0.1:0"):
        self._folder = tempfile.TemporaryDirectory(prefix="weirfault.")
        self._record = pathlib.Path(self._folder.name) / "record"
        self._final = None
        self._last = None
        self._seen = 0
        self.child = Child([paths.BUILD / "bench" / "weir-sink", f"--grpc={grpc}", f"--http={http}",
                            "--interval=0", "--control", f"--record={self._record}",
                            *map(str, args)], "weir-sink", stdin=subprocess.PIPE,
                           env={**os.environ, **paths.weir_env()})
        lines = [self._next() for address in (grpc, http) if address != "none"]
        addresses = dict(line.split() for line in lines)
        self.grpc, self.http = addresses.get("grpc"), addresses.get("http")
        self.grpc_port, self.http_port = (int(a.rsplit(":", 1)[1]) if a else None
                                          for a in (self.grpc, self.http))

    def _next(self, seconds=20.0):
        """The next line of its standard output."""
        def line():
            lines = self.child.stdout.splitlines(keepends=True)[self._seen:]
            if not lines and not self.child.running():
                raise RuntimeError(f"weir-sink ended: {self.child.tail()}")
            return lines and lines[0].endswith("\n") and lines[0]
        found = wait_for(line, seconds, "weir-sink answers")
        self._seen += 1
        return found.rstrip("\n")

    def _command(self, text):
        self.child.process.stdin.write(text.encode() + b"\n")
        self.child.process.stdin.flush()
        return self._next()

    def change(self, **options):
        """Answers from now on: delay, fail_first (of the next ones), fail_rate, fail_code,
        fail_status, retry_after, as weir-sink's options."""
        for name, value in options.items():
            if self._command(f"{name.replace('_', '-')}={value}") != "ok":
                raise ValueError(f"{name}={value}: {self.child.stderr}")

    def report(self):
        """weir-sink's summary, now or from its end."""
        if self._final is None:
            self._last = json.loads(self._command("report"))
            return self._last
        return self._final

    def arrived(self):
        """The numbers that came: {(run, producer): [(first, end), ...]}."""
        self.report()
        return ranges.read(self._record) if self._record.exists() else {}

    def items(self):
        return self.report()["items"]

    def wait_items(self, number, seconds=20.0):
        """Waits until so many items (duplicates included) have come."""
        wait_for(lambda: self.items() >= number, seconds,
                 lambda: f"{number} items at the oracle: {self._last['items']} are there", 0.05)

    def pause(self):
        """SIGSTOP: its connections stay, nobody answers. resume() ends that."""
        self.child.signal(19)

    def resume(self):
        self.child.signal(18)

    def stop(self):
        """Ends it; its report and what arrived stay known."""
        if self._final is None:
            self.resume()
            self._final = json.loads(self._command("report"))
            self.child.stop()
        return self._final

    def close(self):
        self.child.kill()
        self.child.process.stdin.close()
        self._folder.cleanup()

# SPDX-License-Identifier: Apache-2.0
"""weir-load in the background: what it was told is accepted is an obligation."""

import collections
import itertools
import json
import os
import pathlib
import signal
import tempfile

from weirtest import paths
from weirtest.child import Child
from weirtest.wait import wait_for

from . import ranges

_numbers = itertools.count()


class Generator:
    """Sends to `endpoint` (host:port, or a URL for -p http and json) with weir-load's further
    arguments until stop(), or until what -n or -d say. Each has a run of its own."""

    def __init__(self, endpoint, *args, run=None, duration="10m"):
        self._folder = tempfile.TemporaryDirectory(prefix="weirfault.")
        folder = pathlib.Path(self._folder.name)
        self.run = run or f"gen{next(_numbers)}"
        self.obligations = folder / "obligations"
        self._summary = folder / "summary.json"
        args = [str(a) for a in args]
        if not any(a.startswith(("-n", "-d", "--count", "--duration")) for a in args):
            args += ["-d", duration]
        self.child = Child([paths.BUILD / "bench" / "weir-load", "-q", "-e", endpoint,
                            f"--run={self.run}", f"--obligations={self.obligations}",
                            f"--json={self._summary}", *args], "weir-load",
                           env={**os.environ, **paths.weir_env()})

    def _read(self, *words):
        return ranges.read(self.obligations, words) if self.obligations.exists() else {}

    def acknowledged(self):
        """The obligations so far, as Oracle.arrived()."""
        return self._read("ack")

    def sent(self):
        """Everything that got an answer or will not get one."""
        return self._read("ack", "refused", "partial", "unknown")

    def count(self, *words):
        """Items so far whose request ended as ack (default), refused, partial or unknown."""
        return sum(ranges.count(r) for r in self._read(*(words or ("ack",))).values())

    def wait_acknowledged(self, number, seconds=20.0):
        wait_for(lambda: self.count() >= number or not self.child.running(), seconds,
                 lambda: f"{number} items acknowledged: {self.count()} are", 0.05)
        if self.count() < number:
            raise RuntimeError(f"weir-load ended after {self.count()} of {number} acknowledged "
                               f"items: {self.child.tail()}")

    def wait(self, seconds=60.0):
        """Waits for its end; returns weir-load's summary."""
        code = self.child.wait(seconds)
        if code == -signal.SIGTERM and not self.sent():
            return collections.Counter(errors={})  # ended before it had begun
        if not self._summary.exists():
            raise RuntimeError(f"weir-load: no summary: {self.child.tail()}")
        return json.loads(self._summary.read_text())

    def stop(self, seconds=30.0):
        """Sends no more, waits for the answers under way; returns weir-load's summary."""
        self.child.signal(15)
        return self.wait(seconds)

    def close(self):
        self.child.kill()
        self._folder.cleanup()

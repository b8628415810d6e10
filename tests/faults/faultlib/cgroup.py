# SPDX-License-Identifier: Apache-2.0
"""A memory cgroup of one's own, version 1 or 2."""

import os
import pathlib
import time

_V1 = pathlib.Path("/sys/fs/cgroup/memory")
_V2 = pathlib.Path("/sys/fs/cgroup")


class Unavailable(Exception):
    """This machine lets nobody make a memory cgroup; says why."""


class MemoryGroup:
    """`limit` bytes for what is started with wrap(); close() removes it."""

    def __init__(self, limit, folder):
        v1 = (_V1 / "memory.limit_in_bytes").exists()
        base = _V1 if v1 else _V2
        passed_on = _V2 / "cgroup.subtree_control"
        if not v1 and not (passed_on.exists() and "memory" in passed_on.read_text().split()):
            raise Unavailable("the root cgroup passes no memory controller on")
        self.path = base / f"weirfault.{os.getpid()}"
        self._folder = folder
        self._oom = "memory.oom_control" if v1 else "memory.events"
        self._peak = "memory.max_usage_in_bytes" if v1 else "memory.peak"
        try:
            self.path.mkdir()
            (self.path / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(limit))
        except OSError as error:
            raise Unavailable(f"no cgroup can be made: {error}") from error

    def wrap(self, program):
        """A script that runs `program` in the group."""
        script = self._folder / "in-cgroup"
        script.write_text(f'#!/bin/sh\necho $$ >"{self.path}/cgroup.procs" || exit 99\n'
                          f'exec "{program}" "$@"\n')
        script.chmod(0o755)
        return script

    def kills(self):
        """How many processes the kernel killed for memory."""
        for line in (self.path / self._oom).read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    def peak_mib(self):
        """The most memory that was charged, page cache included; None where the kernel does not say."""
        path = self.path / self._peak
        return int(path.read_text()) / (1 << 20) if path.exists() else None

    def close(self):
        for _ in range(50):
            try:
                self.path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.1)  # its last process is going

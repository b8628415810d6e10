# SPDX-License-Identifier: Apache-2.0
"""tests/faults/shim.c: calls of the C library fail, fall short or are recorded; the wall clock jumps."""

import collections
import errno
import mmap
import os
import pathlib
import struct
import tempfile

from weirtest import paths

_RULES = 32
_SIZE = 16 + 8 * _RULES

# call: its name; path, second: of the file, and a rename's target; offset, result; data: of a write.
Operation = collections.namedtuple("Operation", "call offset result path second data")


def rule(call, **parts):
    """A rule's text: rule("pwrite", nth=3, errno="EIO", path="queue"); see shim.c."""
    if isinstance(parts.get("errno"), str):
        parts["errno"] = getattr(errno, parts["errno"])
    return ",".join([f"call={call}", *(f"{name}={value}" for name, value in parts.items())])


class Shim:
    """Environment for a process, `env`, and the switch of what its shim does.

    Rules count from the start, or with armed=False from arm() on. `record`: True, or a part of the
    paths whose changes are recorded."""

    def __init__(self, *rules, armed=True, record=None):
        self._folder = tempfile.TemporaryDirectory(prefix="weirfault.")
        folder = pathlib.Path(self._folder.name)
        control = folder / "control"
        control.write_bytes(bytes(_SIZE))
        with open(control, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        library = paths.BUILD / "tests" / "faults" / ".libs" / "shim.so"
        if not library.exists():
            raise FileNotFoundError(f"{library}: build it with make check_LTLIBRARIES, or make faults")
        self.env = {"LD_PRELOAD": str(library), "WEIR_SHIM": ";".join(rules),
                    "WEIR_SHIM_CONTROL": str(control), "ASAN_OPTIONS": ":".join(
                        filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))}
        self._record = folder / "record"
        if record:
            self.env["WEIR_SHIM_RECORD"] = str(self._record)
            if record is not True:
                self.env["WEIR_SHIM_RECORD_PATH"] = str(record)
        if armed:
            self.arm()

    def arm(self):
        struct.pack_into("<I", self._map, 0, 1)

    def disarm(self):
        struct.pack_into("<I", self._map, 0, 0)

    @property
    def met(self):
        """How many calls a rule took effect on."""
        return struct.unpack_from("<I", self._map, 4)[0]

    def calls(self, rule_number=0):
        """How many calls had the name and path of a rule while it was armed."""
        return struct.unpack_from("<Q", self._map, 16 + 8 * rule_number)[0]

    def shift_wall_clock(self, seconds):
        """The wall clock is off by so much from now on; the monotonic one is not."""
        struct.pack_into("<q", self._map, 8, int(seconds * 1e9))

    def operations(self):
        """What was recorded: a list of Operation."""
        found = []
        with open(self._record, "rb") as file:
            while line := file.readline():
                call, offset, length, result, names = line.rstrip(b"\n").split(b" ", 4)
                data = file.read(int(length))
                if int(length):
                    file.read(1)
                path, _, second = names.decode("utf-8", "surrogateescape").partition("\t")
                found.append(Operation(call.decode(), int(offset), int(result), path, second or None,
                                       data))
        return found

    def close(self):
        self._map.close()
        self._folder.cleanup()

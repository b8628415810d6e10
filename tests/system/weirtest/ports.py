# SPDX-License-Identifier: Apache-2.0
"""Free ports of 127.0.0.1, not handed out twice while any test process lives."""

import fcntl
import os
import pathlib
import socket
import tempfile

# Open files whose locks reserve ports; the kernel lets go of them when the process ends.
_reserved = {}


def _reserve(port):
    # Who gives each test a TMPDIR of its own names one folder for all of them.
    base = os.environ.get("WEIR_TEST_PORTS", tempfile.gettempdir())
    folder = pathlib.Path(base) / f"weirtest-ports.{os.getuid()}"
    folder.mkdir(exist_ok=True)
    handle = open(folder / str(port), "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return False
    _reserved[port] = handle
    return True


def free_port():
    """A TCP port of 127.0.0.1 that nobody listened on and no other test was given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port not in _reserved and _reserve(port):
                return port

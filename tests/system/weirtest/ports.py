# SPDX-License-Identifier: Apache-2.0
"""Free ports of 127.0.0.1, not handed out twice while any test process lives."""

import fcntl
import functools
import os
import pathlib
import random
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


def has_ipv6():
    """True when this machine has the loopback address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@functools.cache
def _candidates():
    """Ports that the kernel gives to nobody by itself: whoever binds port 0 or connects gets another one."""
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    below, above = range(min(10_000, low), low), range(high + 1, 65_536)
    return max(below, above, key=len)


def _is_free(port):
    """True when no socket has that port, at whatever address."""
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def free_port():
    """A TCP port that nobody has at any address, that no other test was given, and that nobody gets by chance before
    it is used."""
    if len(_candidates()) < 1000:
        return _any_free_port()
    while True:
        port = random.SystemRandom().choice(_candidates())
        if port not in _reserved and _reserve(port) and _is_free(port):  # nobody else is disturbed by the look
            return port


def _any_free_port():
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port not in _reserved and _reserve(port):
                return port

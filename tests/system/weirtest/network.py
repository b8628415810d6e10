# SPDX-License-Identifier: Apache-2.0
"""A network of the test's own: its loopback, a cable to a far end that can be pulled, a name server; and
files of its own where programs look for the system's."""

import ctypes
import functools
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import threading
import time

_libc = ctypes.CDLL(None, use_errno=True)
_NEWNS, _NEWUSER, _NEWNET = 0x00020000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


class Impossible(Exception):
    """This machine does not let us have a network of our own."""


def _check(result, what):
    if result != 0:
        raise Impossible(f"{what}: {os.strerror(ctypes.get_errno())}")


def _unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def _mount(source, target, flags):
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None),
           f"mount {target}")


def _ip(*args):
    subprocess.run(["ip", *map(str, args)], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def _own():
    """The calling thread, and what it starts from now on, gets a network and mounts of its own."""
    try:
        _unshare(_NEWNET | _NEWNS)
    except Impossible:
        user, group = os.getuid(), os.getgid()
        _unshare(_NEWUSER | _NEWNET | _NEWNS)
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _mount("none", "/", _MS_REC | _MS_PRIVATE)
    _ip("link", "set", "lo", "up")


class Network:
    """The process's own network and mounts, for the rest of its life. `names` is its name server.

    `near` and `far` are the addresses at both ends of the cable. What at_far_end() calls listens, and starts
    programs, at the far one; pull() makes all packets to it vanish, plug() ends that. The ports of the two ends
    have nothing to do with each other."""

    near, far = "10.77.0.1", "10.77.0.2"

    def __init__(self):
        try:
            _own()
            self._near = os.open("/proc/self/ns/net", os.O_RDONLY)
            here = subprocess.Popen(["sleep", "infinity"], stdin=subprocess.DEVNULL)
            try:
                _unshare(_NEWNET)
                self._far = os.open("/proc/self/ns/net", os.O_RDONLY)
                _ip("link", "set", "lo", "up")
                _ip("link", "add", "far0", "type", "veth", "peer", "name", "near0", "netns", here.pid)
            finally:
                here.kill()
                here.wait()
            _ip("link", "set", "far0", "up")
            _ip("addr", "add", f"{self.far}/24", "dev", "far0")
            mac = subprocess.run(["ip", "-o", "link", "show", "far0"], check=True, text=True,
                                 capture_output=True).stdout.partition("link/ether ")[2].split()[0]
        except (OSError, subprocess.CalledProcessError) as error:
            raise Impossible(str(error)) from error
        self._enter(self._near)
        _ip("addr", "add", f"{self.near}/24", "dev", "near0")
        _ip("link", "set", "near0", "up")
        # Nobody has to answer for the far end, so that packets to it simply vanish.
        _ip("neigh", "replace", self.far, "lladdr", mac, "dev", "near0", "nud", "permanent")
        self.names = NameServer()

    @staticmethod
    def _enter(network):
        _check(_libc.setns(network, _NEWNET), "setns")

    def at_far_end(self, action, *args, **options):
        """Calls `action`. Threads that it starts stay at that end."""
        self._enter(self._far)
        try:
            return action(*args, **options)
        finally:
            self._enter(self._near)

    def far_socket(self):
        return self.at_far_end(socket.create_server, (self.far, 0))

    def pull(self):
        self.at_far_end(_ip, "addr", "flush", "dev", "far0")

    def plug(self):
        self.at_far_end(_ip, "addr", "add", f"{self.far}/24", "dev", "far0")

    def connections(self):
        """The local ports of connections to the far end that stand, and of those that are being made."""
        found = {"01": set(), "02": set()}
        remote = f"{struct.unpack('=I', socket.inet_aton(self.far))[0]:08X}"
        for line in pathlib.Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]:
            _, local, other, state = line.split()[:4]
            if other.startswith(remote) and state in found:
                found[state].add(int(local.rpartition(":")[2], 16))
        return found["01"], found["02"]

    @staticmethod
    def cover(path, own):
        """From now on `path`, a file or folder that is there, is `own`: a path, or the text of a file."""
        if isinstance(own, str):
            with tempfile.NamedTemporaryFile("w", prefix="weirtest.", delete=False) as file:
                file.write(own)
            _mount(file.name, pathlib.Path(path).resolve(), _MS_BIND)
            os.unlink(file.name)
        else:
            _mount(own, pathlib.Path(path).resolve(), _MS_BIND)

    def hosts(self, *names):
        """These names, and localhost, are in /etc/hosts: at the far end."""
        self.cover("/etc/hosts", f"127.0.0.1 localhost\n{self.far} {' '.join(names)}\n")


class NameServer:
    """Answers for every name, on port 53 of 127.0.0.1 in a Network, and is the one that is asked there.

    set(addresses) is what it says from now on: a list, empty for a name without addresses; None for no
    such name; HANG for no answer at all. `asked` are the monotonic times of all queries."""

    HANG = object()

    def __init__(self):
        self.asked = []
        self._says = []
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
                           ("nsswitch.conf", "hosts: files dns\n")):
            target = pathlib.Path("/etc", name)
            if target.exists():
                file = pathlib.Path(self._folder.name, name)
                file.write_text(text)
                _mount(file, target.resolve(), _MS_BIND)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def set(self, says):
        self._says = says

    def _serve(self):
        while True:
            query, peer = self._socket.recvfrom(4096)
            self.asked.append(time.monotonic())
            says = self._says
            if says is not self.HANG:
                self._socket.sendto(self._answer(query, says), peer)

    @staticmethod
    def _answer(query, says):
        end = query.index(b"\0", 12) + 5  # of the question: RFC 1035 section 4.1
        wants_v4 = query[end - 4:end - 2] == b"\0\1"
        records = [b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 30, 4) + socket.inet_aton(address)
                   for address in (says or []) if wants_v4]
        flags = 0x8580 | (3 if says is None else 0)
        return (query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + query[12:end]
                + b"".join(records))


@functools.cache
def network():
    """The network of this process."""
    return Network()

# SPDX-License-Identifier: Apache-2.0
"""The parts in tests/interop: the OpenTelemetry JS SDK as a sender, and a sink of node's."""

import collections
import fcntl
import json
import pathlib
import shutil
import subprocess
import tempfile

from . import canonical, paths
from .child import Child
from .wait import wait_for

INSTALL_SECONDS = 300
SEND_SECONDS = 60.0

_PACKAGE_FILES = ("package.json", "package-lock.json")

Request = collections.namedtuple("Request", "signal transport encoding headers unknown body items")


def _copy_changed(source, target):
    """Copies when the contents differ; returns whether they did."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return False
    shutil.copyfile(source, target)
    return True


def prepare():
    """The folder in the build tree with the scripts and the packages of the lock file in it."""
    folder = paths.GENERATED / "interop"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        changed = [_copy_changed(paths.INTEROP / name, folder / name) for name in _PACKAGE_FILES]
        for script in paths.INTEROP.glob("*.mjs"):
            _copy_changed(script, folder / script.name)
        stamp = folder / "installed"
        if any(changed) or not stamp.exists():
            stamp.unlink(missing_ok=True)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                           cwd=folder, check=True, timeout=INSTALL_SECONDS,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            stamp.touch()
    return folder


def send(signal, transport, compression, endpoints, count=3):
    """Sends with the JS SDK to all endpoints (URLs). Returns its report: {exports, items, …}."""
    command = ["node", "send.mjs", "--signal", signal, "--transport", transport,
               "--compression", compression, "--count", count]
    for endpoint in endpoints:
        command += ["--endpoint", endpoint]
    child = Child(command, "send.mjs", cwd=prepare())
    code = child.wait(SEND_SECONDS)
    if code != 0:
        raise RuntimeError(f"send.mjs ended with {code}:\n{child.tail()}")
    return json.loads(child.stdout)


class Sink:
    """sink.mjs: gRPC at `grpc_port`, HTTP at `http_port`."""

    def __init__(self):
        folder = prepare()
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        path = pathlib.Path(self._folder.name) / "received"
        path.touch()
        self._out, self._partial, self._requests = path.open("rb"), b"", []
        self._child = Child(["node", "sink.mjs", "--protos", paths.PROTOS, "--out", path],
                            "sink.mjs", cwd=folder)
        ports = json.loads(self._child.wait_line("{", 20.0, stream="stdout"))
        self.grpc_port, self.http_port = ports["grpc"], ports["http"]

    def received(self):
        """All requests so far. Raises when one could not be decoded."""
        # Not splitlines(): text has other line ends in it. The last line may not be whole yet.
        *lines, self._partial = (self._partial + self._out.read()).split(b"\n")
        for line in lines:
            fields = json.loads(line)
            if "error" in fields:
                raise ValueError(f"the sink refused a request: {fields}")
            self._requests.append(Request(**fields, items=canonical.count_items(fields["body"])))
        return list(self._requests)

    def wait(self, choose, count, since=0, seconds=10.0):
        """Waits until `count` items are in the requests for which `choose` is true, not looking at
        the first `since` requests, and returns the chosen ones."""
        chosen = []

        def enough():
            chosen[:] = [r for r in self.received()[since:] if choose(r)]
            return sum(r.items for r in chosen) >= count

        wait_for(enough, seconds, lambda: f"{count} items; came: {[r.items for r in chosen]}\n"
                 f"{self._child.tail()}")
        return chosen

    def close(self):
        self._child.kill()
        self._out.close()
        self._folder.cleanup()

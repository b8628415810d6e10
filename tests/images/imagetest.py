# SPDX-License-Identifier: Apache-2.0
"""What the tests of container images share."""

import functools
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from weirtest import paths, rpc, wait_for
from weirtest.ledger import Ledger
from weirtest.load import Load, numbers, requests
from weirtest.network import network

ROLES = sorted(path.name for path in (paths.TOP / "roles").iterdir())
HARDENED = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--pids-limit", "64"]
EPOCH = "1700000000"


def podman(*args, check=True, **options):
    done = subprocess.run(["podman", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"podman {args}: {done.returncode}\n{done.stderr.decode()}")
    return done


def build(role, repository="weir"):
    """Builds a role's image; returns its id."""
    subprocess.run([paths.TOP / "tools" / "build-images", "-t", repository, os.environ["WEIR_DEBS"], role], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
    return podman("image", "inspect", "--format", "{{.Id}}", f"{repository}:{role}").stdout.decode().strip()


@functools.cache
def images():
    """All roles' image ids; they are built when first asked for."""
    return {role: build(role) for role in ROLES}


class Container:
    """A container that runs in the network of the test; `args` are the image's."""

    def __init__(self, image, *args, options=()):
        self.name = podman("run", "-d", "--network", "host", *HARDENED, *options, image, *args).stdout.decode().strip()

    def inspect(self, what):
        return podman("inspect", "--format", f"{{{{{what}}}}}", self.name).stdout.decode().strip()

    @property
    def pid(self):
        return int(self.inspect(".State.Pid"))

    @property
    def log(self):
        done = podman("logs", self.name)
        return (done.stdout + done.stderr).decode()

    def kib(self, what):
        """VmRSS or VmHWM."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{what}:\s+([0-9]+) kB", status, re.MULTILINE).group(1))

    def healthy(self):
        return podman("healthcheck", "run", self.name, check=False).returncode == 0

    def wait_healthy(self):
        wait_for(self.healthy, 30, lambda: f"a healthy container; its log:\n{self.log}")

    def stop(self):
        """Returns (exit code, log)."""
        podman("stop", "-t", "30", self.name)
        return int(self.inspect(".State.ExitCode")), self.log

    def close(self):
        podman("rm", "-f", "-t", "0", self.name, check=False)


class ImageCase(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.network = network()
        cls.ids = images()

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        return pathlib.Path(folder.name)

    def start(self, role, *args, options=()):
        container = Container(f"weir:{role}", *args, options=options)
        self.addCleanup(container.close)
        return container

    def stop_cleanly(self, container):
        code, log = container.stop()
        self.assertEqual(code, 0, log)
        ledger = Ledger(log)
        self.assertTrue(ledger.closes, log)
        return ledger

    def sender(self):
        sender = rpc.Sender(f"{self.network.near}:4317")
        self.addCleanup(sender.close)
        return sender

    def pass_on(self, sink, spans):
        """Sends so many over gRPC and HTTP: each is taken, and arrives once."""
        load = Load(requests(("traces",), [50] * (spans // 50)), http_port=4318, grpc_port=4317)
        wait_for(lambda: len(load.answered) + len(load.unknown) == spans // 50, 100,
                 lambda: f"{len(load.answered)} of {spans // 50} answers")
        self.assertEqual(({a.outcome for a in load.answered}, load.unknown), ({"OK", 200}, []))
        sink.wait_count("traces", spans, 60)
        self.assertEqual(sorted(n for one in sink.received for n in numbers(one.body)), list(range(spans)))

# SPDX-License-Identifier: Apache-2.0
"""D2, D3, D4, D6: queues on disk whose process dies at any step, whose disk loses, damages or refuses what it was given."""

import os
import pathlib
import tempfile
import time

from weirtest import wait_for
from weirtest.weir import READY, run
from faultlib import Row, journal
from faultlib.shim import rule

WORKERS = ["--workers", "2"]
UNAVAILABLE = ["--fail-code=Unavailable"]


class DiskRow(Row):
    """What these rows share: one pipeline of traces through a queue on disk."""

    def setUp(self):
        super().setUp()
        self.grpc = self.free_port()
        self.endpoint = f"127.0.0.1:{self.grpc}"
        # In memory where possible: what these rows break is not the disk itself.
        memory = tempfile.TemporaryDirectory(prefix="weirfault.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.addCleanup(memory.cleanup)
        self.storage = pathlib.Path(memory.name) / "storage"
        self.queue = self.storage / "exporter_otlp_grpc__traces"

    def config(self, sink, **options):
        return journal.on_disk(self.otlp_config(sink, grpc=self.grpc, signals=("traces",)), self.storage, **options)

    def has_started(self, weir, seconds=20):
        """Waits until weir is ready; False: it has died before."""
        wait_for(lambda: READY in weir.stderr or not weir.running(), seconds, "ready, or dead")
        return weir.running()


class CrashPoints(DiskRow):
    id = "D2"
    title = "crash at every fail point of the queue on disk, twice in a row"
    budget = 20.0
    broken_by = ("records marked as settled when they are taken (take.c: MARK_SETTLED for MARK_TAKEN)")

    def points(self):
        listed = run("--version", env={"WEIR_FAILPOINTS": "list"}).stdout.split()
        found = [p for p in listed if p.startswith("journal.") and not p.startswith("journal.io.")]
        if not found:
            self.skipTest("needs a build with --enable-failpoints")
        self.assertGreaterEqual(len(found), 12)
        return found

    def highest(self):
        return max([int(path.name[:16], 16) for path in self.queue.glob("*.seg*")], default=0)

    def plant(self, point):
        """What the point needs to be passed: a record that cannot be sent, a file that is no segment."""
        at = self.highest() + (1 << 32)
        path = self.queue / journal.segment_name(at)
        if point.startswith("journal.dead_letter."):
            path.write_bytes(journal.segment(at, [b"no request"]))
        elif point.startswith("journal.set_aside."):
            path.write_bytes(b"no segment, but longer than the header of one, which takes 64 bytes")

    def start(self, oracle, point=None, nth=1):
        env = {"WEIR_FAILPOINTS": f"{point}=crash@{nth}"} if point else None
        return self.weir(self.config(oracle.grpc, max_size=4 << 20), args=WORKERS, env=env, ready=False)

    def load(self, weir):
        """A generator, once weir is ready; None: it died before."""
        return self.generator(self.endpoint, "-r", 8000, "-i", 40) if self.has_started(weir) else None

    def crash(self, oracle, point, nth):
        """True if it died by itself."""
        weir = self.start(oracle, point, nth)
        generator = self.load(weir)
        if generator:
            self.generators.append(generator)
            end = time.monotonic() + 3
            wait_for(lambda: not weir.running() or time.monotonic() > end, 5, "the crash")
            generator.child.signal(15)
        died = not weir.running()
        weir.child.kill()
        return died

    def test_each_twice(self):
        oracle = self.oracle(*UNAVAILABLE)
        self.generators = []
        points = self.points()
        self.queue.mkdir(parents=True)
        for point in points:
            self.plant(point)
            # A segment is complete only when its records wait.
            oracle.change(fail_rate=1 if point.startswith("journal.seal.") else 0)
            died = self.crash(oracle, point, 1)
            died = self.crash(oracle, point, self.random.randint(1, 3)) or died
            self.assertTrue(died, f"{point} was never passed")
            oracle.change(fail_rate=0)
            # Three crashes in a row would be the records' fault.
            weir = self.start(oracle)
            generator = self.load(weir)
            self.assertIsNotNone(generator, "weir does not start")
            self.generators.append(generator)
            generator.wait_acknowledged(200)
            generator.child.signal(15)
            weir.child.kill()
        weir = self.start(oracle)
        self.assertTrue(self.has_started(weir))
        self.figure(f"{len(points)} points")
        self.judge(weir, self.generators, [oracle], endpoint=self.endpoint, window=None)


class DiskFaults(DiskRow):
    id = "D6"
    title = "EIO, short writes and failed syncs of the queue's disk, at each of the first 200 calls"
    budget = 20.0
    broken_by = ("a sync that failed and is taken for good (flush.c: result 0)")
    calls = 200
    steps = 8

    def rules(self, step):
        """Each n from 1 to `calls` is failed in one of the steps, writes and syncs."""
        where = {"path": self.queue.name, "every": self.steps}
        return [rule("pwritev", nth=step, errno="EIO", **where),
                rule("pwritev", nth=step % self.steps + 1, short=700, **where),
                rule("fdatasync", nth=step, errno="EIO", lose=1, **where)]

    def load(self):
        generator = self.generator(self.endpoint, "-i", 20, "--in-flight=4", "--timeout=5s")
        self.generators.append(generator)
        return generator

    def assert_refusals(self, generator):
        """Whoever was not acknowledged was told to come again."""
        summary = generator.stop()
        for text in summary["errors"]:
            self.assertIn("Unavailable: sending queue is full: cannot write to disk: Input/output error", text)
        return summary["items_refused"]

    def test_each_call_once(self):
        oracle = self.oracle()
        self.generators = []
        refused = failed = 0
        for step in range(1, self.steps + 1):
            oracle.change(fail_rate=step % 2)
            shim = self.shim(*self.rules(step))
            weir = self.weir(self.config(oracle.grpc, max_size=16 << 20), args=WORKERS, env=shim.env)
            generator = self.load()
            wait_for(lambda: min(shim.calls(0), shim.calls(2)) >= self.calls, 20,
                     lambda: f"{self.calls} calls: {shim.calls(0)} writes, {shim.calls(2)} syncs", 0.02)
            refused += self.assert_refusals(generator)
            failed += shim.met
            weir.child.kill()
        oracle.change(fail_rate=0)
        weir = self.weir(self.config(oracle.grpc), args=WORKERS)
        self.figure(f"{failed} calls failed, {refused} items refused")
        self.judge(weir, self.generators, [oracle], endpoint=self.endpoint, window=None)

    def test_a_disk_that_comes_back(self):
        oracle = self.oracle()
        self.generators = []
        shim = self.shim(rule("fdatasync", times=0, errno="EIO", lose=1, path=self.queue.name), armed=False)
        weir = self.weir(self.config(oracle.grpc), args=WORKERS, env=shim.env)
        generator = self.load()
        generator.wait_acknowledged(400)
        shim.arm()
        wait_for(lambda: generator.count("refused") >= 400, 20, "refusals", 0.02)
        before = generator.count()
        shim.disarm()
        generator.wait_acknowledged(before + 400)
        self.assertGreater(self.assert_refusals(generator), 0)
        self.judge(weir, self.generators, [oracle], endpoint=self.endpoint, window=None)

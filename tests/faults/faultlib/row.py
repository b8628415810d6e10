# SPDX-License-Identifier: Apache-2.0
"""The base of all rows: what a row says about itself, and the rules that hold for each."""

import itertools
import os
import pathlib
import random
import re
import signal
import tempfile
import time

from weirtest import TestCase, free_port, prom, wait_for
from weirtest.ledger import Ledger
from weirtest.network import Impossible, network

from . import ranges, sample
from .gate import Gate
from .generator import Generator
from .oracle import Oracle
from .sample import Sampler
from .shim import Shim

# What a sanitizer or glibc writes before it ends a process.
_REPORT = re.compile(r"(ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|"
                     r"runtime error: |double free or corruption|malloc\(\): |free\(\): |"
                     r"stack smashing detected|buffer overflow detected)")
# Signals that nobody but the kernel or weir itself sends.
_CRASHES = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE, -signal.SIGABRT}
_fresh = itertools.count()


class _Id(str):
    """A row's id, which unittest calls as a method of its tests."""

    def __call__(self):
        return str(self)


class Row(TestCase):
    """One row of the scorecard: a class with test methods, all of which have to pass."""

    id = ""           # as in the scorecard: D1
    title = ""        # what goes wrong, in a few words
    tier = "q"        # q: with every change; n: nightly
    budget = 20.0     # seconds that it should take; eight times that is its end
    broken_by = ""    # the change to weir (or to what) with which it was seen to fail, and how
    alone = False     # True: it measures times and has the machine to itself
    crash_expected = False  # True: it makes weir end by such a signal

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.id = _Id(cls.id)

    def setUp(self):
        self.seed = int(os.environ.get("WEIR_FAULT_SEED", "1"))
        self.random = random.Random(f"{self.seed} {self.id} {self._testMethodName}")
        folder = tempfile.TemporaryDirectory(prefix="weirfault.")
        self.addCleanup(folder.cleanup)
        # For what outlives one weir: queues, certificates.
        self.folder = pathlib.Path(folder.name)
        self._weirs = []

    # --- what rows start; all of it ends with the test ---

    def weir(self, config, **options):
        """weirtest's Weir; any number of times, also on the same ports and folders."""
        weir = super().weir(config, **options)
        self._weirs.append(weir)
        self.addCleanup(self._check_no_crash, weir)
        return weir

    def oracle(self, *args, **options):
        return self.managed(Oracle(*args, **options))

    def generator(self, endpoint, *args, **options):
        return self.managed(Generator(endpoint, *args, **options))

    def gate(self, target, **options):
        return self.managed(Gate(target, **options))

    def shim(self, *rules, **options):
        return self.managed(Shim(*rules, **options))

    def network(self):
        """A network of the row's own, in which the rest of its process runs: call it first."""
        try:
            return network()
        except Impossible as error:
            return self.skipTest(f"no network of its own: {error}")

    def sampler(self, weir, **options):
        """/proc samples of a Weir (or a pid) from now on; its close() is called at the end."""
        return self.managed(Sampler(getattr(weir, "pid", weir), **options))

    def figure(self, text):
        """A figure for the table; several are joined."""
        path = os.environ.get("WEIR_FAULT_FIGURES")
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{text}\n")
        else:
            print(f"{self.id}: {text}", flush=True)

    # --- the rules for every row ---

    def _check_no_crash(self, weir):
        """U1, at the end of every weir: no crash, no report of a sanitizer."""
        found = _REPORT.search(weir.stderr)
        self.assertIsNone(found, found and weir.stderr[found.start():found.start() + 4000])
        code = weir.child.process.returncode
        if not self.crash_expected:
            self.assertNotIn(code, _CRASHES, f"weir ended by a signal:\n{weir.stderr[-4000:]}")

    def kill_9(self, weir):
        """SIGKILL; returns when the process is gone. Its folder stays until the end of the test."""
        weir.child.kill()

    def acknowledged(self, generators):
        return ranges.union(g.acknowledged() for g in generators)

    def missing(self, generators, oracles, acknowledged=None):
        """Acknowledged numbers that no oracle has: (how many, some as text)."""
        owed = acknowledged if acknowledged is not None else self.acknowledged(generators)
        return ranges.difference(owed, ranges.union(o.arrived() for o in oracles))

    def assert_nothing_lost(self, generators, oracles, seconds=60.0):
        """U2: waits until all that was acknowledged has arrived, at one of the oracles at least."""
        owed = self.acknowledged(generators)
        last = [(0, [])]

        def arrived():
            last[0] = self.missing(generators, oracles, owed)
            return last[0][0] == 0

        wait_for(arrived, seconds, lambda: f"U2: {last[0][0]} acknowledged items are missing: "
                                           f"{last[0][1]}", 0.1)
        return sum(ranges.count(r) for r in owed.values())

    def assert_nothing_unknown(self, generators, oracles, strangers=0):
        """U3: no bad checksum, nothing without a number (but `strangers`, which the row itself sent),
        and nothing that was not sent."""
        sent = ranges.union(g.sent() for g in generators)
        for oracle in oracles:
            report = oracle.report()
            self.assertEqual((report["bad_crc"], report["unnumbered"], report["malformed"]),
                             (0, strangers, 0), "U3: bad checksums, unnumbered, malformed")
            arrived = {key: found for key, found in oracle.arrived().items() if key[0] in
                       {g.run for g in generators}}
            count, some = ranges.difference(arrived, sent)
            self.assertEqual(count, 0, f"U3: {count} items arrived that were never sent: {some}")

    def assert_ledger_closes(self, weir, code=0):
        """U4: stops weir; exit code, and a ledger that closes. Returns the Ledger."""
        ended = weir.stop()
        self.assertEqual(ended.code, code, ended.stderr[-4000:])
        ledger = Ledger(ended.stderr)
        self.assertTrue(ledger.closes, f"U4: the ledger does not close:\n{ended.stderr[-4000:]}")
        return ledger

    def assert_memory(self, weir, budget_mib):
        """U5: the largest resident size of a weir that lives is within the budget + 10 %."""
        if weir.sanitized():
            return None
        peak = sample.peak_mib(weir.pid)
        self.assertLessEqual(peak, budget_mib * 1.1, f"U5: RSS of {peak:.1f} MiB")
        return peak

    def send_fresh(self, endpoint, oracles, seconds=10.0, args=()):
        """U6: one item is sent until it is accepted, and has to reach every oracle. Seconds taken."""
        begun = time.monotonic()
        run = f"fresh{next(_fresh)}-{os.getpid()}"
        accepted = False
        while not accepted:
            left = begun + seconds - time.monotonic()
            self.assertGreater(left, 0, f"U6: no fresh record accepted within {seconds} s")
            generator = Generator(endpoint, "-n", 1, "-i", 1, "--timeout=2s", *args, run=run)
            try:
                generator.child.wait(left + 5)
                accepted = generator.count() > 0
            finally:
                generator.close()
            if not accepted:
                time.sleep(0.05)
        for oracle in oracles:
            wait_for(lambda o=oracle: any(key[0] == run for key in o.arrived()),
                     max(0.1, begun + seconds - time.monotonic()), "U6: a fresh record arrives", 0.05)
        return time.monotonic() - begun

    def assert_duplicates(self, oracles, window):
        """U7: no more duplicates than `window` items, which could be under way at once."""
        found = [oracle.report()["duplicates"] for oracle in oracles]
        self.assertLessEqual(max(found), window, "U7: duplicates")
        return sum(found)

    def judge(self, weir, generators, oracles, *, endpoint=None, window=0, memory=None, seconds=60.0,
              each=False, strangers=0, args=()):
        """All rules at the end of a row whose fault is over: fresh record (where there is an
        `endpoint`), nothing lost (with each=True at every oracle), nothing unknown, duplicates
        (window=None: any number), memory, ledger. Returns the Ledger."""
        for generator in generators:
            if generator.child.running():
                generator.stop()
        if endpoint:
            self.send_fresh(endpoint, oracles, args=args)
        for group in ([o] for o in oracles) if each else [oracles]:
            owed = self.assert_nothing_lost(generators, group, seconds)
        self.assert_nothing_unknown(generators, oracles, strangers)
        duplicates = self.assert_duplicates(oracles, window) if window is not None else 0
        if memory:
            self.assert_memory(weir, memory)
        ledger = self.assert_ledger_closes(weir)
        self.figure(f"{owed} acknowledged, 0 lost, {duplicates} twice")
        return ledger

    # --- small things that rows share ---

    def metrics(self, port):
        """weir's own metrics now."""
        return prom.scrape(port)

    def otlp_config(self, sink, grpc=None, http=None, processors=(), exporter=None, pipeline=None,
                    signals=("traces", "metrics", "logs"), receiver=None, processors_config=None,
                    extensions=None, metrics_port=None):
        """otlp in, otlp_grpc out to `sink` (host:port), as a dict to change further. `grpc`, `http`:
        ports of the receiver; `exporter`, `pipeline`, `receiver`: keys added to theirs."""
        protocols = {name: {"endpoint": f"127.0.0.1:{port}"}
                     for name, port in (("grpc", grpc), ("http", http)) if port}
        for name, more in (receiver or {}).items():
            protocols[name].update(more)
        metrics = {"level": "none"} if not metrics_port else {
            "level": "detailed", "readers": [{"pull": {"exporter": {"prometheus": {
                "host": "127.0.0.1", "port": metrics_port}}}}]}
        config = {
            "receivers": {"otlp": {"protocols": protocols}},
            "processors": dict(processors_config or {name: {} for name in processors}),
            # A machine that stands still for 5 s, upstream's timeout, is no fault of weir's and makes no duplicates.
            "exporters": {"otlp_grpc": {"endpoint": sink, "tls": {"insecure": True}, "timeout": "30s",
                                        **(exporter or {})}},
            "service": {"telemetry": {"metrics": metrics},
                        "pipelines": {s: {"receivers": ["otlp"], "processors": list(processors),
                                          "exporters": ["otlp_grpc"], **(pipeline or {})}
                                      for s in signals}},
        }
        if extensions:
            config["extensions"] = extensions
            config["service"]["extensions"] = list(extensions)
        return config

    def free_port(self):
        return free_port()

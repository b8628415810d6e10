# SPDX-License-Identifier: Apache-2.0
"""O3: plugins that are none, and plugins that crash, hang, leak or never answer."""

import re
import signal
import time

from faultlib import Row
from weirtest import paths, rawhttp, run
from weirtest.requests import PROTO, request
from weirtest.weir import _write_config

EVIL = paths.BUILD / "core" / "registry" / "tests" / "evil"
RUNNING = paths.BUILD / "tests" / "faults" / "evil"

# What evil.c of the registry's tests becomes, and a word of the reason.
REFUSED = {"wrong_kind": "processor", "no_kind": "kind", "other_type": "something_else",
           "abi_major": "ABI", "abi_minor": "ABI", "struct_large": "bytes", "struct_small": "bytes",
           "struct_beyond": "bytes", "no_symbol": "weir_component", "function": "weir_component",
           "tiny": "weir_component", "undefined": "evil_nowhere", "no_create": "create",
           "no_consume": "consume", "no_version": "version", "bad_table": "twice",
           "program": "shared object"}


class Plugins(Row):
    id = "O3"
    title = "plugins that are none, or that crash, exit, hang, leak or never answer"
    budget = 40.0
    broken_by = ("a registry without its look at the ELF file: a plugin cut in half ended weir by SIGBUS, six others "
                 "were refused without their reason; a watchdog that never gives up: the three that hang stayed; one "
                 "that starts behind the listeners: hang_early stayed")
    crash_expected = True

    # --- refused before anything of it runs ---

    def validate(self, name, type_name="x"):
        config = (f"receivers: {{nop: {{}}}}\nexporters: {{{type_name}: {{}}}}\n"
                  f"service: {{pipelines: {{traces: {{receivers: [nop], exporters: [{type_name}]}}}}}}\n")
        folder = self.folder / f"config-{name}"
        folder.mkdir()
        path = _write_config(folder, config)
        return run("validate", "--config", path, "--plugin-dir", self.folder / name, cwd=folder)

    def put(self, name, data):
        """exporters/x.so of a plugin folder of that name."""
        path = self.folder / name / "exporters" / "x.so"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        return path

    def assert_refused(self, name, word):
        with self.subTest(name):
            done = self.validate(name)
            self.assertEqual(done.code, 1, f"{done.stderr}")
            lines = [line for line in done.stderr.splitlines() if "x.so" in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn(word, lines[0])
            self.refused += 1

    def test_refused_before_it_runs(self):
        self.refused = 0
        for name, word in REFUSED.items():
            self.put(name, (EVIL / f"{name}.so").read_bytes())
            self.assert_refused(name, word)
        good = (EVIL / "good.so").read_bytes()
        made = {"empty": (b"", "empty"), "script": (b"#!/bin/sh\nexit 0\n", "ELF"),
                "text": (b"not a plugin\n" * 100, "ELF"), "cut_header": (good[:40], "cut"),
                "cut_middle": (good[:len(good) // 2], "cut"), "cut_end": (good[:-1], "cut"),
                "other_machine": (good[:18] + b"\x26\x90" + good[20:], "architecture"),
                "newer_glibc": (good.replace(b"GLIBC_2.", b"GLIBC_9."), "needs C library 9."),
                "newer_libweir": (good.replace(b"WEIR_1.0", b"WEIR_1.9"), "needs libweir 1.9")}
        for name, (data, word) in made.items():
            self.put(name, data)
            self.assert_refused(name, word)
        first, second = self.put("one", good), self.put("two", good)
        done = run("validate", "--config", "yaml:exporters::x:", "--plugin-dir", first.parents[1],
                   "--plugin-dir", second.parents[1], cwd=self.folder)
        self.assertEqual(done.code, 1)
        self.assertIn("there are two plugins for the exporter", done.stderr)
        self.figure(f"{self.refused + 1} refused with one line")

    # --- those that run ---

    def start(self, name, workers=2, processors="", ready=True, args=()):
        self.http = self.free_port()
        config = f"""
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{self.http}"}}}}}}}}
processors: {{memory_limiter: {{check_interval: 100ms, limit_mib: 48, spike_limit_mib: 8}}}}
exporters: {{evil: {{}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [evil]}}
"""
        return self.weir(config, ready=ready, args=["--plugin-dir", RUNNING / name, "--workers",
                                                    workers, "--drain-timeout", "1s", *args])

    def send(self, body=None):
        """One request; the status, or None when the connection broke."""
        try:
            return rawhttp.post(self.http, "/v1/traces", body or request(10), PROTO).status
        except OSError:
            return None

    def send_without_answer(self):
        connection = self.managed(rawhttp.Connection(self.http))
        connection.send(rawhttp.encode("POST", "/v1/traces", {"Content-Type": PROTO}, request(10)))
        return connection

    def test_good_one_works(self):
        weir = self.start("good")
        self.assertEqual(self.send(), 200)
        self.assert_ledger_closes(weir)

    def test_refuses_by_itself(self):
        for name, text in (("refuse_create", "this one never works"), ("refuse_start", "its door is locked")):
            with self.subTest(name):
                weir = self.start(name, ready=False)
                ended = weir.wait()
                self.assertEqual(ended.code, 1, ended.stderr)
                self.assertIn(text, ended.stderr)

    def test_crashes_are_seen(self):
        """A plugin shares the process: its crash ends weir, by a signal that a supervisor sees."""
        for name, number in (("segfault", signal.SIGSEGV), ("abort", signal.SIGABRT)):
            with self.subTest(name):
                weir = self.start(name)
                self.assertIsNone(self.send())
                self.assertIn(weir.wait().code, (-number, 1), name)
                # Started again, everything else is as it was.
                again = self.start("good")
                self.assertEqual(self.send(), 200)
                self.assert_ledger_closes(again)
        for name in ("segfault_create", "segfault_load"):
            with self.subTest(name):
                self.assertIn(self.start(name, ready=False).wait().code, (-signal.SIGSEGV, 1))

    def test_abort_at_the_end_comes_behind_the_ledger(self):
        weir = self.start("abort_destroy")
        self.assertEqual(self.send(), 200)
        ended = weir.stop()
        self.assertEqual(ended.code, -signal.SIGABRT)
        self.assertIn("the ledger closes", ended.stderr)

    def test_hangs_are_ended_by_the_watchdog(self):
        hanging = []
        for name in ("hang_early", "hang", "hang_timer", "spin"):
            weir = self.start(name, args=["--watchdog", "5s"])
            if name != "hang_early":
                self.send_without_answer()
            hanging.append((name, weir))
        for name, weir in hanging:
            with self.subTest(name):
                ended = weir.wait(40)
                self.assertEqual(ended.code, 3, ended.stderr)
                found = re.search(r"Error: worker [01] has been in one callback for ([0-9.]+) s, in "
                                  r"the code of exporters/evil: ", ended.stderr)
                self.assertTrue(found, ended.stderr)
                # While it waits for a CPU a worker does not hang, so this is not the time of a clock.
                seconds = float(found[1])
                self.assertTrue(3.0 < seconds <= 5.5, seconds)
                self.figure(f"{name} ended after {seconds:.1f} s")

    def test_watchdog_leaves_the_slow_alone(self):
        """Callbacks of 2 s and a stopped process: neither hangs."""
        weir = self.start("slow", workers=1, args=["--watchdog", "5s"])
        self.assertEqual(self.send(), 200)
        weir.child.signal(signal.SIGSTOP)
        time.sleep(6)  # longer than the watchdog waits
        weir.child.signal(signal.SIGCONT)
        self.assertEqual(self.send(), 200)
        self.assert_ledger_closes(weir)

    def test_leak_is_bounded(self):
        """What a plugin never lets go of is a reason to refuse, not to die."""
        weir = self.start("leak", processors="memory_limiter")
        body = request(1) + b"\x0a\x00" * 200_000
        statuses = [self.send(body) for _ in range(400)]
        self.assertEqual(set(statuses), {200, 503} if 503 in statuses else {200, 429})
        self.assertNotEqual(statuses[-1], 200)
        self.assertTrue(weir.running())
        peak = self.assert_memory(weir, 64)
        self.figure(f"leak refused at {peak:.0f} MiB" if peak else "leak refused")

    def test_one_that_never_answers(self):
        weir = self.start("silent")
        connection = self.send_without_answer()
        ended = weir.stop()
        self.assertEqual(ended.code, 0, ended.stderr[-2000:])
        self.assertIn("ledger:", ended.stderr)
        connection.close()

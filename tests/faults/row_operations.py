# SPDX-License-Identifier: Apache-2.0
"""O4: configurations made up by the grammar of all options, and damaged ones."""

import concurrent.futures
import os
import subprocess
import threading
import time

from faultlib import Row, configs
from weirtest import paths
from weirtest.weir import Weir


class ConfigFuzz(Row):
    id = "O4"
    title = "100,000 configurations: by the grammar of all options, and damaged"
    budget = 60.0
    broken_by = ("a list of names and values with an element that is a list: SIGSEGV at case 22,851, which "
                 "this row found; errors in a source without lines: \"no place\", thousands of times")

    CASES = 100_000
    DAMAGED = 9  # for each that is as the grammar made it
    STARTS = 40

    def cases(self):
        """Texts as bytes, CASES of them."""
        schemas = configs.components()
        grammars = [configs.Grammar(self.random, schemas, sane) for sane in (False, True)]
        seeds = [path.read_bytes() for folder in ("tests/configs", "tests/fuzz/corpus/config")
                 for path in sorted((paths.TOP / folder).glob("*.yaml"))]
        recent = list(seeds)
        for number in range(self.CASES // (1 + self.DAMAGED)):
            made = configs.text(self.random, grammars[number % 2].tree()).encode("utf-8", "replace")
            made = made.replace(b"\0", b"0")
            recent.append(made)
            if len(recent) > 200:
                del recent[len(seeds)]
            yield made
            for copy in range(self.DAMAGED):
                yield configs.damage(self.random, made if copy % 3 else self.random.choice(seeds), recent)

    def test_checked(self):
        """No crash, no hang; what is refused has errors, each with line and column."""
        checker = subprocess.Popen(
            [paths.BUILD / "tests" / "faults" / "check_configs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **paths.weir_env()})
        self.addCleanup(checker.wait)
        self.addCleanup(checker.kill)
        sent, errors = [], []

        def feed():
            try:
                for case in self.cases():
                    sent.append(case)
                    checker.stdin.write(b"%d\n%s" % (len(case), case))
                checker.stdin.close()
            except BrokenPipeError:
                pass  # it crashed: its answers say where

        feeder = threading.Thread(target=feed, daemon=True)
        reader = threading.Thread(target=lambda: errors.append(checker.stderr.read()), daemon=True)
        feeder.start()
        reader.start()
        accepted = answers = 0
        complaints = {}
        for line in checker.stdout:
            if line.startswith(b"!"):
                complaints.setdefault(line, sent[answers])
            accepted += line == b"+\n"
            answers += 1
            sent[answers - 1] = None
        code = checker.wait()
        feeder.join()
        reader.join()
        text = errors[0].decode("utf-8", "replace")
        self.assertEqual(code, 0, f"ended at case {answers}: {sent[answers:answers + 1]}\n{text[-6000:]}")
        self.assertFalse(complaints, "\n\n".join(f"{what}: {case}" for what, case in
                                                 list(complaints.items())[:5]))
        self.assertEqual(answers, self.CASES)
        self.assertNotRegex(text, "Sanitizer|runtime error")
        # The grammar is worth nothing if nothing it makes is right.
        self.assertGreater(accepted, self.CASES // 200)
        self.figure(f"{answers} checked, {accepted} accepted")

    def start_one(self, text):
        """Starts and stops weir: "" when all went well, None when the text was refused, else what was wrong."""
        weir = Weir(text, args=["--workers", "1", "--drain-timeout", "2s"], ready=False)
        try:
            try:
                weir.wait_ready(30)
            except (RuntimeError, TimeoutError):
                if "invalid configuration" in weir.stderr:
                    return None
                return f"{text}\n{weir.stderr[-2000:]}"
            ended = weir.stop(30)
            return "" if ended.code == 0 and "the ledger closes" in ended.stderr else f"{text}\n{ended}"
        finally:
            weir.kill()

    def test_accepted_ones_start(self):
        grammar = configs.Grammar(self.random, configs.components(), sane=True)
        begun = time.monotonic()
        started, refused, wrong = 0, 0, []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            while started <= self.STARTS // 4 and refused < 10 * self.STARTS and not wrong:
                texts = [configs.text(self.random, grammar.tree()) for _ in range(2 * self.STARTS)]
                for found in pool.map(self.start_one, texts):
                    started += found == ""
                    refused += found is None
                    wrong += [found] if found else []
        self.assertFalse(wrong, "\n\n".join(wrong[:3]))
        self.assertGreater(started, self.STARTS // 4)
        self.figure(f"{started} started in {time.monotonic() - begun:.0f} s, {refused} refused")

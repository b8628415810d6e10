# SPDX-License-Identifier: Apache-2.0
"""bench/run: that it still runs, with what it writes; how fast anything is does not matter here."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from weirtest import TestCase, paths


def bench(*args):
    return subprocess.run(["/usr/bin/python3", paths.TOP / "bench" / "run", "--build", paths.BUILD, *args],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "the suite needs two CPUs")
class Suite(TestCase):
    def test_results_and_plots(self):
        with tempfile.TemporaryDirectory(prefix="weirtest.") as name:
            folder = pathlib.Path(name)
            done = bench("--seconds=0.2", "--repeat=1", "--json", folder / "all.json", "--plots", folder / "plots",
                         "--markdown", "http", "latency-gr*")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("| http | x relay | 3.2 | 1.9 |", done.stdout)
            results = json.loads((folder / "all.json").read_text())["results"]
            self.assertEqual([result["scenario"] for result in results], ["http", "latency-grpc"])
            for result in results:
                self.assertIn(f"| {result['scenario']} | ", done.stdout)
                for key in ("cost", "rate", "sink", "x_sink", "peak"):
                    self.assertGreater(result["median"][key], 0, key)
                self.assertEqual(result["median"]["dropped"], 0)
                picture = xml.etree.ElementTree.parse(folder / "plots" / f"{result['scenario']}.svg").getroot()
                self.assertTrue(picture.tag.endswith("svg"))
            self.assertGreater(results[0]["median"]["relay"], 0)
            self.assertGreater(results[1]["median"]["arrival_p99"], 0)

    def test_names(self):
        listed = bench("--list", "tail-*")
        self.assertEqual((listed.returncode, len(listed.stdout.splitlines())), (0, 5))
        unknown = bench("--list", "http", "no-such")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("no scenario no-such", unknown.stderr)

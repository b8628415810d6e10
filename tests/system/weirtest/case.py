# SPDX-License-Identifier: Apache-2.0
"""The base of the test classes."""

import unittest

from . import canonical
from .ledger import Ledger
from .weir import Weir


class TestCase(unittest.TestCase):
    """unittest's, with things that stop by themselves and differences shown in full."""

    maxDiff = 4000

    def weir(self, config, **options):
        """A Weir that ends with the test; its stderr is shown when the test fails."""
        weir = Weir(config, **options)
        self.addCleanup(weir.kill)
        self.addCleanup(self._show_on_failure, weir)
        return weir

    def managed(self, thing):
        """Closes `thing` (anything with close()) at the end of the test."""
        self.addCleanup(thing.close)
        return thing

    def stop_cleanly(self, weir):
        """Stops weir, checks for exit code 0, nothing left open and a ledger that closes, and
        returns the Ledger."""
        ended = weir.stop()
        self.assertEqual(ended.code, 0, ended.stderr)
        self.assertNotIn("open handles", ended.stderr)
        ledger = Ledger(ended.stderr)
        self.assertTrue(ledger.closes, ended.stderr)
        return ledger

    def assert_same(self, expected, actual, what=""):
        """Fails with a line for each place (the first 20) where two canonical forms differ."""
        found = canonical.differences(expected, actual)
        if found:
            more = [f"... and {len(found) - 20} more"] if len(found) > 20 else []
            self.fail("\n".join([f"{what} differs", *found[:20], *more]))

    def _show_on_failure(self, weir):
        result = getattr(self._outcome, "result", None)
        problems = (result.failures + result.errors) if result else []
        if any(test is self for test, _ in problems):
            print(f"--- weir's stderr in {unittest.TestCase.id(self)}\n{weir.stderr}---")

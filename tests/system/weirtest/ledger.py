# SPDX-License-Identifier: Apache-2.0
"""Reads the ledger that weir prints when it stops."""

import re

_SIGNAL = re.compile(r"  ([a-z]+)")
_ROW = re.compile(r"    ([a-z]+) (\S+)(?: in (\S+))?: accepted (\d+)(?: \+ made (\d+))?"
                  r" = (?:delivered|sent) (\d+) \+ dropped (\d+)(?: \+ handed over (\d+))? \+ held (\d+)(.*)")
_REASON = re.compile(r"      (dropped|refused) (\d+) (?:items|requests): (\S+)")
_CLOSES = "  the ledger closes"

_NUMBERS = ("accepted", "made", "out", "dropped", "handed_over", "held")


class Ledger:
    """`rows` is a list of dicts: signal, kind, id, pipeline, accepted, made, out (delivered or
    sent), dropped, handed_over, held, drops (items by reason), refusals (requests by reason). `closes` says
    whether weir found that it closes."""

    def __init__(self, stderr):
        lines = stderr.split("\n")
        if "ledger:" not in lines:
            raise ValueError(f"no ledger in:\n{stderr}")
        lines = lines[lines.index("ledger:") + 1:]
        self.closes = _CLOSES in lines
        self.rows = []
        signal = None
        for line in lines:
            row, reason = _ROW.fullmatch(line), _REASON.fullmatch(line)
            if reason:
                kind, count, why = reason.groups()
                self.rows[-1]["drops" if kind == "dropped" else "refusals"][why] = int(count)
            elif row:
                kind, name, pipeline, *numbers, _ = row.groups()
                self.rows.append({"signal": signal, "kind": kind, "id": name, "pipeline": pipeline,
                                  **dict(zip(_NUMBERS, (int(n or 0) for n in numbers))),
                                  "drops": {}, "refusals": {}})
            elif _SIGNAL.fullmatch(line):
                signal = line.strip()

    def row(self, signal, kind, name, pipeline=None):
        """The one row of an instance; all zeros when it had nothing to do."""
        for row in self.rows:
            if (row["signal"], row["kind"], row["id"]) == (signal, kind, name) and \
                    pipeline in (None, row["pipeline"]):
                return row
        return {**dict.fromkeys(_NUMBERS, 0), "drops": {}, "refusals": {}}

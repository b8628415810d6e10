# SPDX-License-Identifier: Apache-2.0
"""Sets of numbers as sorted, disjoint ranges, by (run, producer)."""


def merge(ranges):
    """Sorted, disjoint [first, end) pairs of any such pairs."""
    merged = []
    for first, end in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([first, end])
    return [(first, end) for first, end in merged]


def subtract(ranges, others):
    """What of `ranges` is not in `others`; both merged."""
    left = []
    position = 0
    for first, end in ranges:
        while position < len(others) and others[position][1] <= first:
            position += 1
        at = position
        while at < len(others) and others[at][0] < end:
            if others[at][0] > first:
                left.append((first, others[at][0]))
            first = max(first, others[at][1])
            at += 1
        if first < end:
            left.append((first, end))
    return left


def count(ranges):
    return sum(end - first for first, end in ranges)


def read(path, words=None):
    """The ranges of a file of lines '[WORD] RUN PRODUCER [SIGNAL] FIRST COUNT': weir-load's
    obligations (only lines that begin with one of `words`) or weir-sink's record."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            # Its writer may have been killed in the middle of the last line.
            fields = line.split() if line.endswith("\n") else []
            if words is not None:
                if len(fields) != 6 or fields[0] not in words:
                    continue
                del fields[3], fields[0]
            if len(fields) == 4:
                first, number = int(fields[2]), int(fields[3])
                found.setdefault((fields[0], fields[1]), []).append((first, first + number))
    return {key: merge(ranges) for key, ranges in found.items()}


def union(maps):
    """One map of several."""
    found = {}
    for one in maps:
        for key, ranges in one.items():
            found.setdefault(key, []).extend(ranges)
    return {key: merge(ranges) for key, ranges in found.items()}


def difference(ours, theirs):
    """What of `ours` is not in `theirs`: (how many numbers, the first few as text)."""
    total, shown = 0, []
    for key, ranges in sorted(ours.items()):
        left = subtract(ranges, theirs.get(key, []))
        total += count(left)
        shown += [f"{key[0]} {key[1]} {first}..{end - 1}" for first, end in left[:5]]
    return total, shown[:10]

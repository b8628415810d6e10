# SPDX-License-Identifier: Apache-2.0
"""What samplers must decide."""


def by_chance(trace_id, percentage):
    """What the policy `probabilistic` of all collectors says of a trace: FNV-1a over the default salt and the id."""
    value = 0xcbf29ce484222325
    for byte in b"default-hash-seed" + trace_id:
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value <= (2**64 - 1) * percentage // 100

# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions instead of for luck."""

import time

# What a test gives as its deadline is for a machine that is its own; many share theirs.
PATIENCE = 3.0


def patient(seconds):
    return PATIENCE * seconds


def wait_for(condition, seconds=10.0, what="condition", interval=0.01):
    """Calls `condition` until it returns something true, and returns that.

    Raises TimeoutError after `seconds`, times PATIENCE. `what` is a text, or a function that makes one from what
    is known by then.
    """
    seconds = patient(seconds)
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            raise TimeoutError(f"not within {seconds} s: {text}")
        time.sleep(interval)

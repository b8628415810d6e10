# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions instead of for luck."""

import time


def wait_for(condition, seconds=10.0, what="condition", interval=0.01):
    """Calls `condition` until it returns something true, and returns that.

    Raises TimeoutError after `seconds`. `what` is a text, or a function that makes one from what
    is known by then.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            raise TimeoutError(f"not within {seconds} s: {text}")
        time.sleep(interval)

# SPDX-License-Identifier: Apache-2.0
"""Library of the system tests: start weir, send to it, receive from it, look at what it says.

Everything listens on free ports of 127.0.0.1, every wait has a deadline, and whatever was started
is stopped, also when a test fails. Modules that need more than the standard library (grpcio,
protobuf) are imported on first use.
"""

from .case import TestCase
from .ports import free_port
from .wait import wait_for
from .weir import Weir, run, validate

__all__ = ["TestCase", "Weir", "free_port", "run", "validate", "wait_for"]

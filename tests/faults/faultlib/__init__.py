# SPDX-License-Identifier: Apache-2.0
"""Library of the fault rows, on top of the system tests' weirtest."""

from weirtest import free_port, run, validate, wait, wait_for

from .gate import Gate
from .generator import Generator
from .oracle import Oracle
from .row import Row
from .sample import Sampler
from .shim import Shim

wait.PATIENCE = 1.0  # rows know how long a thing may take, and have a patience of their own

__all__ = ["Gate", "Generator", "Oracle", "Row", "Sampler", "Shim", "free_port", "run", "validate",
           "wait_for"]

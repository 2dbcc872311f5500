# SPDX-License-Identifier: GPL-2.0-only
"""Mark a test that is too slow for each run.

`make test FULL=1` runs it and `make test` does not. A marked test covers more
inputs, kernels or moments of what a test that always runs covers: without it,
each rule, stage and fault is still tested.
"""

from __future__ import annotations

import os
import unittest
from typing import Callable, TypeVar

VARIABLE = "SGWALK_FULL"
REASON = "FULL=1 runs it"
FULL = os.environ.get(VARIABLE, "1") == "1"
_T = TypeVar("_T", bound=Callable[..., object])


def slow(test: _T) -> _T:
    """Skip a test, or a class of tests, in the run that must be short.

    A module that is run by hand, without `make test`, runs all of its tests.
    """
    return unittest.skipUnless(FULL, REASON)(test)

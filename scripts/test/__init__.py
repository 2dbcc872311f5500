# SPDX-License-Identifier: GPL-2.0-only
"""The fixture runner, the test runner and the tests."""

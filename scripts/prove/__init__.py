# SPDX-License-Identifier: GPL-2.0-only
"""Builds, kernels and benchmarks that test what was changed."""

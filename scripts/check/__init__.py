# SPDX-License-Identifier: GPL-2.0-only
"""Findings, and the forms in which check prints them."""

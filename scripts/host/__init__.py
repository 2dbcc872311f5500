# SPDX-License-Identifier: GPL-2.0-only
"""What touches this machine: git with safe settings, scratch folders, OUT."""

# SPDX-License-Identifier: GPL-2.0-only
"""What is read of a tree before any rule runs."""

# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of each site, and why."""

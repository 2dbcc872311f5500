# SPDX-License-Identifier: GPL-2.0-only
"""Show what runs left in OUT, as a page."""

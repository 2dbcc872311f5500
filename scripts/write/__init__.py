# SPDX-License-Identifier: GPL-2.0-only
"""What leaves sgwalk: changed trees, diffs, patches and mails."""

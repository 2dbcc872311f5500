# SPDX-License-Identifier: GPL-2.0-only
"""Rules, and the spatch processes that run them."""

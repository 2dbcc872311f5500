/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macro hints for spatch (--macro-file): what its parser cannot guess of the
 * kernel's macros. Each hint has its symptom and its measure.
 */

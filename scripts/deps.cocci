// SPDX-License-Identifier: GPL-2.0-only
// deps.sh runs this to learn whether spatch has its Python.
@script:python@
@@
pass

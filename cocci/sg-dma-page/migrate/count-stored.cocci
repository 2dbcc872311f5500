// SPDX-License-Identifier: GPL-2.0-only
/// say where a walk has the list and count of a mapped table
///
/// A walk over DMA addresses needs the number of DMA segments. A table keeps
/// it in nents once dma_map_sgtable() has mapped it without an error. This
/// rule proves that of a walk: every path comes through such a call for that
/// very table, none comes through the branch where the call failed, and none
/// from a place that may change the table or what it is reached by, without
/// another such call.
///
//# A doubt is silence. What may change something is all that C has: an
//# assignment, ++ and --, an address that is taken, a call that is given it, a
//# macro or a loop that is not known to leave it alone, another declaration
//# of the name. A count or a list with an index, a dereference or a call in
//# it is not judged, and none that is not reached from a local variable.
//# Not seen by Coccinelle: #if, asm, what the body of a macro names.
//
// Shape: S08, S09
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: count
// Tokens: for_each_sg_page for_each_sg_dma_page __sg_page_iter_start

virtual patch
virtual context
virtual org
virtual report

// tested: a mapping whose error leads to a statement of its own. An error
// leaves nents as it was. Between the two the table is not named, and
// `strict` also counts a goto between them, which may lead to the walk;
// `forall`, since context mode takes one path for enough elsewhere.
@tested forall@
expression D, T, R;
statement S;
position m, no;
@@
(
if (dma_map_sgtable@m(D, T, ...)) S@no
|
if (dma_map_sgtable@m(D, T, ...) != 0) S@no
|
if (dma_map_sgtable@m(D, T, ...) < 0) S@no
|
if ((R = dma_map_sgtable@m(D, T, ...))) S@no
|
if ((R = dma_map_sgtable@m(D, T, ...)) != 0) S@no
|
if ((R = dma_map_sgtable@m(D, T, ...)) < 0) S@no
|
R = dma_map_sgtable@m(D, T, ...)
... when strict
    when != R
    when != T
if (\(R\|R != 0\|R < 0\)) S@no
)

// claim: a walk with the list and the count of such a table.
@claim exists@
iterator I =~ "^for_each_sg_(dma_)?page$";
identifier map =~ "^dma_map_sgtable$";
expression D, T, P, O;
statement S;
position tested.m;
position w;
@@
map@m(D, T, ...)
...
(
I@w(T->sgl, P, T->nents, O) S
|
__sg_page_iter_start@w(P, T->sgl, T->nents, O)
)

// right: what makes the table a mapped one.
@right@
expression claim.T, D;
position tested.m, call;
@@
dma_map_sgtable@m@call(D, T, ...)

// failed: a path to the walk from the statement for an error.
@failed exists@
iterator I;
expression claim.T, D;
statement S, S1;
position tested.no, claim.w, at;
@@
S1@no
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// skipped: a path to the walk that does not come through the mapping.
@skipped exists@
iterator I;
identifier fn;
expression claim.T, D;
statement S;
position claim.w, at;
@@
fn(...)
{
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)
... when any
}

// odd: a count or a list that is more than a chain of names.
@odd@
iterator I;
identifier fn;
expression A, B, X, Y;
statement S;
position claim.w, at;
@@
(
I@w@at(<+... \(A[B]\|*A\|fn(...)\) ...+>, ...) S
|
I@w@at(X, Y, <+... \(A[B]\|*A\|fn(...)\) ...+>, ...) S
|
__sg_page_iter_start@w@at(X, <+... \(A[B]\|*A\|fn(...)\) ...+>, ...)
|
__sg_page_iter_start@w@at(X, Y, <+... \(A[B]\|*A\|fn(...)\) ...+>, ...)
)

// wide: a walk with a variable of the file, which any function can change.
@wide@
iterator I;
global idexpression v;
expression X, Y;
statement S;
position claim.w, at;
@@
(
I@w@at(<+... v ...+>, ...) S
|
I@w@at(X, Y, <+... v ...+>, ...) S
|
__sg_page_iter_start@w@at(X, <+... v ...+>, ...)
|
__sg_page_iter_start@w@at(X, Y, <+... v ...+>, ...)
)

// narrow: a count that is a variable of a type that cannot hold it.
@narrow@
typedef bool, u8, s8, u16, s16, __u8, __s8, __u16, __s16, uint8_t, uint16_t;
iterator I;
{bool, char, unsigned char, signed char, short, unsigned short, u8, s8, u16,
 s16, __u8, __s8, __u16, __s16, uint8_t, uint16_t} c;
expression L, P;
statement S;
position claim.w, at;
@@
(
I@w@at(L, P, c, ...) S
|
__sg_page_iter_start@w@at(P, L, c, ...)
)

// word, slot: the variables and the fields that the two are reached by.
@word@
iterator I;
identifier v;
expression X, Y;
statement S;
position claim.w;
@@
(
I@w(<+... v ...+>, ...) S
|
I@w(X, Y, <+... v ...+>, ...) S
|
__sg_page_iter_start@w(X, <+... v ...+>, ...)
|
__sg_page_iter_start@w(X, Y, <+... v ...+>, ...)
)

@slot@
iterator I;
identifier f;
expression B, X, Y;
statement S;
position claim.w;
@@
(
I@w(<+... \(B->f\|B.f\) ...+>, ...) S
|
I@w(X, Y, <+... \(B->f\|B.f\) ...+>, ...) S
|
__sg_page_iter_start@w(X, <+... \(B->f\|B.f\) ...+>, ...)
|
__sg_page_iter_start@w(X, Y, <+... \(B->f\|B.f\) ...+>, ...)
)

// written: a path to the walk from where a variable gets another value.
@written exists@
iterator I;
expression claim.T, D, E;
identifier g, word.v;
assignment operator set;
statement S;
position claim.w, at;
@@
(
v set E
|
v.g set E
|
  *v set E
|
\(v++\|++v\|v--\|--v\|&v\)
)
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// moved: the same for a field, whatever it is a field of.
@moved exists@
iterator I;
expression claim.T, B, D, E;
identifier g, slot.f;
assignment operator set;
statement S;
position claim.w, at;
@@
(
\(B->f\|B.f\|B->f.g\|B.f.g\) set E
|
  *B->f set E
|
  *B.f set E
|
\(B->f++\|++B->f\|B->f--\|--B->f\|&B->f\|B.f++\|++B.f\|B.f--\|--B.f\|&B.f\)
)
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// reads, copies, syncs, tells, tries, errs: a call that changes nothing of
// what it is given.
@reads@
identifier fn =~ "^sg_(nents(_for_len)?|next|last|virt|page|phys|is_[a-z]+)$";
position call;
@@
fn@call(...)

@copies@
identifier fn =~ "^(__sg_page_iter_[a-z_]+|sg_p?copy_(to|from)_buffer)$";
position call;
@@
fn@call(...)

@syncs@
identifier fn =~ "^(dma|pci|ib_dma)_sync_sg_for_(cpu|device)$";
position call;
@@
fn@call(...)

@tells@
identifier fn =~ "^(dev|pr|netdev|drm)_(err|warn|info|dbg)(_once)?$";
position call;
@@
fn@call(...)

@tries@
identifier fn =~ "^(printk|WARN(_ON)?(_ONCE)?|BUG_ON|(un)?likely)$";
position call;
@@
fn@call(...)

@errs@
identifier fn =~ "^(IS_ERR(_OR_NULL)?|PTR_ERR|ERR_PTR)$";
position call;
@@
fn@call(...)

// given, lent: a path from a call that is given a variable or a field.
@given exists@
iterator I;
identifier fn;
expression claim.T, D;
identifier word.v;
statement S;
position call != {right.call, reads.call, copies.call, syncs.call,
		   tells.call, tries.call, errs.call};
position claim.w, at;
@@
fn@call(..., v, ...)
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

@lent exists@
iterator I;
identifier fn;
expression claim.T, B, D;
identifier slot.f;
statement S;
position call != {right.call, reads.call, copies.call, syncs.call,
		   tells.call, tries.call, errs.call};
position claim.w, at;
@@
fn@call(..., \(B->f\|B.f\), ...)
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// looped, stepped: a path from a loop macro that is given one of them.
@looped exists@
iterator I, J !~ "^for_each_sg(_page|_dma_page)?$";
expression claim.T, D;
identifier word.v;
statement S, S1;
position claim.w, at;
@@
J(..., <+... v ...+>, ...) S1
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

@stepped exists@
iterator I;
iterator name for_each_sg;
expression claim.T, D, X, Y, Z;
identifier word.v;
statement S, S1;
position claim.w, at;
@@
(
for_each_sg(X, v, Y, Z) S1
|
for_each_sg(X, Y, Z, v) S1
)
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// dropped: a path from an unmapping, which may know the list by another name.
@dropped exists@
iterator I;
identifier unmap =~ "^((dma|pci|ib_dma)_unmap_sg|dma_buf_unmap_attachment)";
expression claim.T, D;
statement S;
position claim.w, at;
@@
unmap(...)
... when any
    when != dma_map_sgtable(D, T, ...)
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// handed, aliased, loaned, entered: an address that is kept, so that more than
// this function's text can change what is there.
@handed@
identifier fn, word.v;
position use;
@@
fn(..., &v@use, ...)

@aliased exists@
iterator I;
identifier word.v;
statement S;
position use != handed.use;
position claim.w, at;
@@
(
  &v@use
)
... when any
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

@loaned@
identifier fn, slot.f;
expression B;
position use;
@@
fn(..., \(&B->f@use\|&B.f@use\), ...)

@entered exists@
iterator I;
identifier slot.f;
expression B;
statement S;
position use != loaned.use;
position claim.w, at;
@@
\(&B->f@use\|&B.f@use\)
... when any
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// twice, over, counter: a name with two declarations on the way to the walk.
@twice exists@
iterator I;
identifier word.v;
type T1, T2;
expression E1, E2;
statement S;
position claim.w, at;
@@
\(T1 v;\|T1 v = E1;\)
... when any
\(T2 v;\|T2 v = E2;\)
... when any
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

@over exists@
iterator I;
identifier fn, word.v;
type T1, T2;
expression E;
statement S;
position claim.w, at;
@@
fn(..., T1 v, ...)
{
... when any
\(T2 v;\|T2 v = E;\)
... when any
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)
... when any
}

@counter exists@
iterator I;
identifier word.v;
type T;
expression E;
statement S, S1;
position claim.w, at;
@@
for (T v = E; ...; ...) S1
... when any
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)

// ended: a block that declares one of the names and is left before the walk.
@ended disable braces0, braces1, braces2, braces3, braces4 exists@
iterator I;
identifier fn, word.v;
type T;
expression E;
statement S;
position claim.w, at;
@@
fn(...)
{
... when any
{
... when any
\(T v;\|T v = E;\)
... when any
}
... when any
(
I@w@at(...) S
|
__sg_page_iter_start@w@at(...)
)
... when any
}

// proven: a walk that none of these speaks against.
@proven@
iterator I;
statement S;
position claim.w;
position p != {failed.at, skipped.at, odd.at, wide.at, narrow.at, written.at,
		moved.at, given.at, lent.at, looped.at, stepped.at,
		aliased.at, entered.at, dropped.at, twice.at, over.at,
		counter.at, ended.at};
@@
(
I@w@p(...) S
|
__sg_page_iter_start@w@p(...)
)

@depends on context@
iterator I;
statement S;
position proven.p;
@@
(
* I@p(...) S
|
* __sg_page_iter_start@p(...)
)

@script:python depends on report@
p << proven.p;
m << tested.m;
map << claim.map;
@@
coccilib.report.print_report(
    p[0], "count-stored: mapped, stored by %s() at line %s"
    % (map, m[0].line))

@script:python depends on org@
p << proven.p;
m << tested.m;
map << claim.map;
@@
coccilib.org.print_todo(
    p[0], "count-stored: mapped, stored by %s() at line %s"
    % (map, m[0].line))

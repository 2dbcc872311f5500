# SPDX-License-Identifier: GPL-2.0-only
"""Hold walks.py to what the code of a driver shows, and to nothing more."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import sgpage
from read import tree as trees
from judge import walks
from read.census import Site
from run.rules import Rule
from judge.counts import Count, Kind, Why
from judge.ledger import Entry, Ledger
from judge.plan import Plan
from judge.walks import Walk

HEAD = b"#include <linux/scatterlist.h>\n\n"


def function(body: str, name: str = "slate_fill") -> bytes:
    return (f"void {name}(struct slate *s, u64 *out, int room)\n{{\n"
            "\tstruct sg_dma_page_iter it;\n\tint n = 0;\n\n"
            f"{body}}}\n").encode()


LOOP = "\tfor_each_sg_dma_page(s->sgt.sgl, &it, s->sgt.nents, 0)"


def old(code: bytes) -> bytes:
    for new, was in ((b"for_each_sg_dma_page", b"for_each_sg_page"),
                     (b"__sg_page_iter_dma_next", b"__sg_page_iter_next"),
                     (b"sg_dma_page_iter", b"sg_page_iter"),
                     (b"&it.base", b"&it")):
        code = code.replace(new, was)
    return code


class WalkCase(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)

    def walks(self, code: bytes, more: dict[str, bytes] | None = None,
              before: bytes | None = None, count: str = "s->sgt.nents",
              kind: Kind = Kind.UNKNOWN, offset: str = "",
              proves: tuple[str, ...] = ()) -> tuple[Walk, ...]:
        """Return the walks of a driver of which one file is converted."""
        file = "drivers/misc/slate/slate.c"
        code = HEAD + code
        old_code = old(code) if before is None else HEAD + before
        for name, data in {file: old_code, **(more or {})}.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(data)
        site = Site(file, 1, 1, "slate_fill", "for_each_sg_page", "code")
        book = Ledger([site], [Entry(
            site, "converted", "x", "x: y",
            Count(count, kind, Why.NOTHING, offset=offset))])
        rule = Rule("x", Path("x.cocci"), "migrate", "", "",
                    frozenset(("patch",)), "High", (), "1.0.8", ("S01",),
                    "converted", "", proves=proves)
        return walks.find(Plan(
            trees.Tree(self.root, "", False), {file: old_code}, {file: code},
            {}, None, sgpage.ABSENT, book, {file: (rule,)}, (), {}))

    def walk(self, code: bytes, **more: object) -> Walk:
        found = self.walks(code, **more)  # type: ignore[arg-type]
        self.assertEqual(len(found), 1)
        return found[0]


class BoundTest(WalkCase):
    """What ends a loop beside its list."""

    BOUNDED = {
        "if (!room--)\n\t\t\tbreak;\n\t\tout[n++] = ADDRESS;":
            "'room' runs out",
        "if (room-- == 0)\n\t\t\treturn;\n\t\t*out++ = ADDRESS;":
            "'room' runs out",
        "if (unlikely(n >= room))\n\t\t\tbreak;\n\t\tout[n++] = ADDRESS;":
            "'n' gets to 'room'",
        "if (WARN_ON(n == s->room)) {\n\t\t\tbreak;\n\t\t}\n"
        "\t\tout[n] = ADDRESS;\n\t\tn++;": "'n' gets to s->room",
        "*out++ = ADDRESS;\n\t\tif (++n == SLATE_MAX)\n\t\t\tgoto done;":
            "'n' gets to SLATE_MAX"}
    OPEN = (
        "out[n++] = ADDRESS;",
        # Not in each round.
        "if (s->odd)\n\t\t\tif (!room--)\n\t\t\t\tbreak;\n"
        "\t\tout[n++] = ADDRESS;",
        "if (n >= room)\n\t\t\tbreak;\n\t\tout[0] = ADDRESS;\n"
        "\t\tif (s->odd)\n\t\t\tn++;",
        "if (s->odd)\n\t\t\tcontinue;\n\t\tif (!room--)\n\t\t\tbreak;\n"
        "\t\tout[n++] = ADDRESS;",
        # It moves away.
        "if (n >= room)\n\t\t\tbreak;\n\t\tout[n++] = ADDRESS;\n\t\troom++;",
        "if (!room--)\n\t\t\tbreak;\n\t\tout[n++] = ADDRESS;\n\t\troom = 9;",
        "if (!room--)\n\t\t\tbreak;\n\t\tslate_more(s, &room, ADDRESS);",
        # It leaves nothing.
        "if (!room--)\n\t\t\tslate_warn(s);\n\t\tout[n++] = ADDRESS;",
        "if (n >= room && s->odd)\n\t\t\tbreak;\n\t\tout[n++] = ADDRESS;")

    def loop(self, body: str) -> bytes:
        body = body.replace("ADDRESS", "sg_page_iter_dma_address(&it)")
        return function(f"{LOOP} {{\n\t\t{body}\n\t}}\n")

    def test_bound_of_a_loop_is_named(self) -> None:
        for body, bound in self.BOUNDED.items():
            with self.subTest(body):
                walk = self.walk(self.loop(body))
                self.assertEqual((walk.bound, walk.room), (bound, False))

    def test_what_does_not_end_each_loop_is_no_bound(self) -> None:
        for body in self.OPEN:
            with self.subTest(body):
                walk = self.walk(self.loop(body))
                self.assertEqual((walk.bound, walk.room), ("", True))

    def test_loop_that_fills_nothing_needs_no_room(self) -> None:
        for body in ("sum += ADDRESS;", "last = ADDRESS;",
                     "return ADDRESS;", "if (lower_32_bits(ADDRESS) == ~0U)"
                     "\n\t\t\tbreak;"):
            with self.subTest(body):
                self.assertFalse(self.walk(self.loop(body)).room)

    def test_loop_over_all_entries_gave_as_many_before(self) -> None:
        code = self.loop("out[n++] = ADDRESS;")
        entries = code.replace(b"s->sgt.nents", b"s->sgt.orig_nents")
        walk = self.walk(code, before=old(entries), kind=Kind.MAPPED)
        self.assertEqual((walk.was, walk.room), ("s->sgt.orig_nents", False))
        walk = self.walk(code.replace(b"s->sgt.nents", b"sg_nents(s->l)"),
                         count="sg_nents(s->l)")
        self.assertFalse(walk.room)

    def stepped(self, loop: str) -> Walk:
        return self.walk(function(
            "\t__sg_page_iter_start(&it.base, s->sgt.sgl, s->sgt.nents, 0);\n"
            + loop.replace("NEXT", "__sg_page_iter_dma_next(&it)").replace(
                "STORE", "out[n] = sg_page_iter_dma_address(&it);")))

    def test_condition_of_a_loop_of_ones_own_is_a_bound(self) -> None:
        for loop, bound in {
                "\twhile (n < room && NEXT) {\n\t\tSTORE\n\t\tn++;\n\t}\n":
                "'n' gets to 'room'",
                "\twhile (room-- && NEXT) {\n\t\tSTORE\n\t\tn++;\n\t}\n":
                "'room' runs out",
                "\tfor (n = 0; n < 32; n++) {\n\t\tif (!NEXT)\n"
                "\t\t\tbreak;\n\t\tSTORE\n\t}\n": "'n' gets to 32",
                "\tif (!NEXT)\n\t\treturn;\n\tdo {\n\t\tSTORE\n\t\tn++;\n"
                "\t\tmore = NEXT;\n\t} while (more && n < room);\n":
                "'n' gets to 'room'",
                "\twhile (NEXT) {\n\t\tSTORE\n\t\tn++;\n\t}\n": "",
                "\twhile (NEXT || n < room) {\n\t\tSTORE\n\t\tn++;\n\t}\n":
                "",
                "\tfor (n = 0; NEXT; n++) {\n\t\tSTORE\n\t}\n": ""}.items():
            with self.subTest(loop):
                walk = self.stepped(loop)
                self.assertEqual((walk.bound, walk.room), (bound, not bound))

    def test_one_step_is_no_loop(self) -> None:
        walk = self.stepped("\tif (NEXT) {\n\t\tSTORE\n\t}\n")
        self.assertFalse(walk.room)

    def test_step_that_others_take_may_be_in_a_loop(self) -> None:
        walk = self.walk(
            b"struct slate_walk { struct sg_dma_page_iter it; };\n"
            b"bool slate_next(struct slate_walk *w)\n{\n"
            b"\treturn __sg_page_iter_dma_next(&w->it);\n}\n"
            b"void slate_fill(struct slate_walk *w, struct slate *s)\n{\n"
            b"\t__sg_page_iter_start(&w->it.base, s->sgt.sgl, s->sgt.nents, "
            b"0);\n}\n")
        self.assertEqual((walk.bound, walk.room), ("", True))

    def test_rule_that_proves_the_bound_is_believed(self) -> None:
        walk = self.walk(self.loop("out[n++] = ADDRESS;"), proves=("bound",))
        self.assertFalse(walk.room)


class CountTest(WalkCase):
    """Who stored a count that the function does not show."""

    FILL = function(f"{LOOP}\n\t\tout[n++] = sg_page_iter_dma_address(&it);\n")
    VB2 = ("drivers/media/common/videobuf2/videobuf2-dma-sg.c",
           b"static void *get(struct buf *b)\n{\n"
           b"\tstruct sg_table *sgt = &b->t;\n"
           b"\tsgt->nents = dma_map_sg_attrs(b->dev, sgt->sgl, "
           b"sgt->orig_nents, b->dir, 0);\n}\n")
    PLANE = (b"void slate_fill(struct vb2_buffer *vb, u64 *out)\n{\n"
             b"\tstruct sg_dma_page_iter it;\n\tstruct sg_table *sg;\n\n"
             b"\tsg = vb2_dma_sg_plane_desc(vb, 0);\n"
             b"\tfor_each_sg_dma_page(sg->sgl, &it, sg->nents, 0)\n"
             b"\t\t*out++ = sg_page_iter_dma_address(&it);\n}\n")

    def stored(self, code: bytes, **more: object) -> tuple[str, str]:
        walk = self.walk(code, **more)
        return walk.stored, walk.mapper

    def test_framework_that_stores_it_is_named(self) -> None:
        name, code = self.VB2
        self.assertEqual(
            self.stored(self.PLANE, count="sg->nents", more={name: code}),
            ("vb2-dma-sg", "dma_map_sg_attrs()"))

    def test_framework_is_not_named_where_it_is_not_so(self) -> None:
        name, code = self.VB2
        dropped = code.replace(b"sgt->nents = dma_map", b"dma_map")
        other = code.replace(b"sgt->nents =", b"other->nents =")
        later = code.replace(b"0);\n}", b"0);\n\tsgt->nents = b->pages;\n}")
        moved = self.PLANE.replace(b"\tfor_each", b"\tsg = vb->other;\n"
                                   b"\tfor_each")
        for driver, framework in ((self.PLANE, dropped), (self.PLANE, other),
                                  (self.PLANE, later), (self.PLANE, b""),
                                  (moved, code)):
            with self.subTest(driver + framework):
                self.assertEqual(self.stored(
                    driver, count="sg->nents", more={name: framework}),
                    ("", ""))

    def test_structure_of_a_framework_is_known(self) -> None:
        driver = (b"void slate_fill(struct ib_umem *umem, u64 *out)\n{\n"
                  b"\tstruct sg_dma_page_iter it;\n\n"
                  b"\tfor_each_sg_dma_page(umem->sg_head.sgl, &it, "
                  b"umem->nmap, 0)\n"
                  b"\t\t*out++ = sg_page_iter_dma_address(&it);\n}\n")
        core_c = (b"int pin(struct ib_umem *umem)\n{\n\tumem->nmap = "
                  b"ib_dma_map_sg_attrs(umem->dev, umem->sg_head.sgl, "
                  b"umem->npages, 0, 0);\n}\n")
        self.assertEqual(self.stored(
            driver, count="umem->nmap",
            more={"drivers/infiniband/core/umem.c": core_c}),
            ("ib_umem_get()", "ib_dma_map_sg_attrs()"))

    MAP = (b"int slate_map(struct slate *s)\n{\n\tint ret;\n\n"
           b"\tret = dma_map_sg(s->dev, s->sgt.sgl, s->sgt.orig_nents, 0);\n"
           b"\tif (!ret)\n\t\treturn -EIO;\n\ts->sgt.nents = ret;\n"
           b"\treturn 0;\n}\n")

    def test_other_file_of_the_driver_is_looked_at(self) -> None:
        name = "drivers/misc/slate/slate_map.c"
        for code in (self.MAP, self.MAP.replace(b"ret = dma_map", b"s->sgt."
                     b"nents = dma_map").replace(b"\ts->sgt.nents = ret;\n",
                                                 b""),
                     self.MAP + b"void slate_unmap(struct slate *s)\n{\n"
                     b"\ts->sgt.nents = s->sgt.orig_nents;\n}\n"):
            with self.subTest(code):
                self.assertEqual(
                    self.stored(self.FILL, more={name: code}),
                    ("slate_map()", "dma_map_sg()"))

    def test_count_that_anyone_else_sets_is_not_known(self) -> None:
        name = "drivers/misc/slate/slate_map.c"
        for code in (
                self.MAP.replace(b"\ts->sgt.nents = ret;\n", b""),
                self.MAP.replace(b"ret = dma_map", b"dma_map"),
                self.MAP + b"void slate_set(struct slate *s)\n{\n"
                b"\ts->sgt.nents = s->pages;\n}\n",
                self.MAP.replace(b"\tif (!ret)", b"\tret = 1;\n\tif (!ret)"),
                self.MAP.replace(b"s->sgt.nents = ret", b"s->tx.nents = ret"),
                self.MAP.replace(b"s->sgt.sgl", b"s->tx.sgl")):
            with self.subTest(code):
                self.assertEqual(self.stored(self.FILL, more={name: code}),
                                 ("", ""))

    def test_count_that_is_proven_is_not_looked_for(self) -> None:
        walk = self.walk(self.FILL, kind=Kind.MAPPED, more={
            "drivers/misc/slate/slate_map.c": self.MAP})
        self.assertEqual((walk.count.kind, walk.stored), (Kind.MAPPED, ""))


class OffsetTest(WalkCase):
    """What an offset in pages skips."""

    CODE = function(
        "\tfor_each_sg_dma_page(s->sgt.sgl, &it, s->sgt.nents, room)\n"
        "\t\tout[n++] = sg_page_iter_dma_address(&it);\n")
    BUILD = (b"int slate_build(struct slate *s)\n{\n"
             b"\treturn sg_alloc_table_from_pages(&s->sgt, s->pages, s->num, "
             b"0, (unsigned long)s->num << PAGE_SHIFT, GFP_KERNEL);\n}\n")

    def builder(self, build: bytes) -> str:
        return self.walk(self.CODE, offset="room", more={
            "drivers/misc/slate/slate_build.c": build}).builder

    def test_list_of_whole_pages_is_known_by_its_builder(self) -> None:
        self.assertEqual(self.builder(self.BUILD),
                         "sg_alloc_table_from_pages()")
        self.assertEqual(self.builder(self.BUILD.replace(
            b"<< PAGE_SHIFT", b"* PAGE_SIZE")), "sg_alloc_table_from_pages()")

    def test_any_other_list_is_not(self) -> None:
        for build in (
                b"", self.BUILD.replace(b" 0,", b" s->off,"),
                self.BUILD.replace(b"(unsigned long)s->num << PAGE_SHIFT",
                                   b"s->size"),
                self.BUILD + b"int slate_two(struct slate *s)\n{\n"
                b"\treturn sg_alloc_table(&s->sgt, 2, GFP_KERNEL);\n}\n"):
            with self.subTest(build):
                self.assertEqual(self.builder(build), "")

    def test_rule_that_proves_it_leaves_no_offset_to_ask_for(self) -> None:
        walk = self.walk(self.CODE, offset="room", proves=("offset",))
        self.assertEqual(walk.count.offset, "")


if __name__ == "__main__":
    unittest.main()

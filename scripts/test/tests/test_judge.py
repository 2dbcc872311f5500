# SPDX-License-Identifier: GPL-2.0-only
"""judge: what stands, what is refused, and which proposals hold."""

import os
import sys
import unittest
from typing import Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from read import conditionals  # noqa: E402
from judge import counts  # noqa: E402
from judge import guards  # noqa: E402
from judge import judge  # noqa: E402
from write import diffs  # noqa: E402
import smalltree  # noqa: E402
from read.ctext import Text  # noqa: E402
from judge.counts import Claim, Count, Kind, Why  # noqa: E402
from judge.edits import from_diff  # noqa: E402
from judge.judge import Evidence, Proposal, Verdict  # noqa: E402
from judge import units  # noqa: E402


def setUpModule() -> None:
    conditionals.use(smalltree.census())


WALK = b"""void f(struct sg_table *t, u64 *out)
{
	struct sg_page_iter it;

	for_each_sg_page(t->sgl, &it, t->nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""
NEW = WALK.replace(b"sg_page_iter it", b"sg_dma_page_iter it").replace(
    b"for_each_sg_page", b"for_each_sg_dma_page")
MAPPED = Claim(Kind.MAPPED, Why.RETURNED, "dma_map_sg", 4)


def evidence(unread: tuple[tuple[int, int], ...] = ()) -> Evidence:
    return Evidence({"f.c": unread}, {}, {}, {})


def first(data: bytes, file: str = "f.c") -> tuple[dict[str, Text],
                                                   units.Unit]:
    texts = {file: Text(data)}
    return texts, units.bind(texts)[0]


def standing(data: bytes, unread: tuple[tuple[int, int], ...] = (),
             file: str = "f.c") -> Optional[Verdict]:
    texts, unit = first(data, file)
    return judge.standing(texts, unit, evidence(unread))


def refusal(data: bytes) -> str:
    texts, unit = first(data)
    found = judge.refusal(texts, unit, evidence())
    return found.reason if found else ""


def holds(old: bytes, new: bytes) -> str:
    texts, unit = first(old)
    found = from_diff(texts["f.c"], diffs.unified({"f.c": old}, {"f.c": new}))
    mine = judge.edits_of(texts, unit, "f.c", found)
    return judge.holds(texts, unit, Proposal("rule", False, {"f.c": mine}))


class StandingTest(unittest.TestCase):

    def test_plain_user_has_no_verdict_without_rules(self) -> None:
        self.assertIsNone(standing(WALK))

    def test_unread_lines_of_the_function_make_it_unread(self) -> None:
        found = standing(WALK, ((5, 6),))
        assert found is not None
        self.assertEqual(found.verdict, "unread")
        self.assertIn("lines 5-6", found.reason)
        self.assertIsNone(standing(WALK, ((9, 12),)))

    def test_api_files_and_copies_are_kept(self) -> None:
        api = b"bool __sg_page_iter_next(struct sg_page_iter *p)\n{\n" \
              b"\treturn p->sg;\n}\n"
        for file, code in (("lib/scatterlist.c", "api"),
                           ("tools/shim.h", "api-copy")):
            found = standing(api, file=file)
            assert found is not None
            self.assertEqual(found.reason.split(":")[0], code)

    def test_both_kernels_behind_a_guard_are_kept(self) -> None:
        found = standing(
            b"#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)\n" + WALK
            + b"#else\n" + NEW + b"#endif\n")
        assert found is not None
        self.assertEqual(found.verdict, "kept")

    def test_config_around_a_whole_function_is_no_guard(self) -> None:
        data = b"#ifdef CONFIG_FOO\n" + WALK + b"#endif\n"
        self.assertIsNone(standing(data))
        self.assertEqual(refusal(data), "")

    def test_include_guard_is_no_guard(self) -> None:
        self.assertIsNone(standing(
            b"#ifndef SG_PAGE_ITER_USER_H\n#define SG_PAGE_ITER_USER_H\n"
            b"static inline " + WALK + b"#endif\n"))


class GuardTest(unittest.TestCase):
    """Old code below a guard: kept only where no kernel with the API sees it."""

    OLD = conditionals.Kernel(4 << 16 | 20 << 8, "n", -2)
    PATCHED = conditionals.Kernel(4 << 16 | 20 << 8, "y", -2)
    NEW = conditionals.Kernel(6 << 16 | 1 << 8, "y", -2)
    TWIN = WALK.replace(b" f(", b" g(").replace(
        b"sg_page_iter it", b"sg_dma_page_iter it").replace(
            b"for_each_sg_page", b"for_each_sg_dma_page")

    def code(self, data: bytes, kernel: conditionals.Kernel) -> str:
        texts = {"f.c": Text(data)}
        old = next(unit for unit in units.bind(texts)
                   if units.PAGE in unit.types)
        found = judge.standing(texts, old, Evidence(
            {}, {}, {}, {}, kernel=kernel))
        return found.verdict + " " + found.reason.partition(":")[0] \
            if found else ""

    def codes(self, condition: str, *, twin: bool = True,
              turned: bool = False) -> list[str]:
        """Judge the old code on no kernel, an old, a patched, a new one."""
        one, other = (self.TWIN, WALK) if turned else (
            WALK, self.TWIN if twin else b"")
        data = b"#if " + condition.encode() + b"\n" + one + b"#else\n" + \
            other + b"#endif\n"
        return [self.code(data, kernel) for kernel in (
            guards.NOBODY, self.OLD, self.PATCHED, self.NEW)]

    def test_every_kernel_with_the_iterator_is_no_choice(self) -> None:
        for condition in ("LINUX_VERSION_CODE >= KERNEL_VERSION(3, 9, 0)",
                          "LINUX_VERSION_CODE > KERNEL_VERSION(2, 6, 32)",
                          "LINUX_VERSION_CODE >= KERNEL_VERSION(3, 10, 0) "
                          "&& defined(CONFIG_X)",
                          "defined(HAVE_SG_PAGE_ITER)",
                          "defined(HAVE_GUP_FAST)"):
            self.assertEqual(self.codes(condition, twin=False), [""] * 4,
                             condition)
        self.assertEqual(self.codes(
            "LINUX_VERSION_CODE < KERNEL_VERSION(3, 9, 0)", turned=True),
            [""] * 4)

    def test_kernels_with_the_api_make_it_manual(self) -> None:
        for condition in ("LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)",
                          "LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)",
                          "LINUX_VERSION_CODE < KERNEL_VERSION(5, 4, 0)",
                          "defined(HAVE_SG_DMA_PAGE_ITER)"):
            for found in self.codes(condition)[:2]:
                self.assertEqual(found, "manual version-guard", condition)

    def test_older_kernels_keep_it_beside_a_twin(self) -> None:
        for condition in ("LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)",
                          "LINUX_VERSION_CODE < KERNEL_VERSION(5,1,0) && "
                          "!defined(CONFIG_X)",
                          "!defined(HAVE_SG_DMA_PAGE_ITER)",
                          "!defined(for_each_sg_dma_page)"):
            self.assertEqual(
                self.codes(condition)[:2], ["kept other-kernel"] * 2,
                condition)
            self.assertEqual(self.codes(condition)[3], "kept other-kernel")
        turned = self.codes("LINUX_VERSION_CODE >= KERNEL_VERSION(5, 1, 0) || "
                            "(defined(RHEL_RELEASE_CODE) && "
                            "RHEL_RELEASE_CODE >= RHEL_RELEASE_VERSION(8, 2))",
                            turned=True)
        self.assertEqual(turned[:2], ["kept other-kernel"] * 2)

    def test_a_patched_kernel_sees_what_it_cannot_build(self) -> None:
        self.assertEqual(
            self.codes("LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)")[2],
            "manual version-guard")
        self.assertEqual(self.codes("!defined(HAVE_SG_DMA_PAGE_ITER)")[2],
                         "kept other-kernel")

    def test_without_a_twin_it_is_for_a_person(self) -> None:
        self.assertEqual(self.codes(
            "LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)", twin=False),
            ["kept other-kernel", "manual version-guard",
             "manual version-guard", "kept other-kernel"])

    def test_nested_guards_intersect(self) -> None:
        outer = b"#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)\n"
        inner = b"#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)\n"
        self.assertEqual(self.code(
            outer + inner + WALK + b"#else\n" + self.TWIN
            + b"#endif\n#endif\n", self.OLD), "kept other-kernel")
        self.assertEqual(self.code(
            outer + WALK + b"#endif\n", self.OLD), "manual version-guard")

    def test_a_macro_of_a_guard_is_one(self) -> None:
        self.assertEqual(self.code(
            b"#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 1, 0)\n"
            b"#define NEW_WALK\n#endif\n#ifdef NEW_WALK\n" + self.TWIN
            + b"#else\n" + WALK + b"#endif\n", self.OLD),
            "kept other-kernel")

    def test_pages_may_be_walked_below_any_guard(self) -> None:
        page = WALK.replace(b"sg_page_iter_dma_address", b"sg_page_iter_page")
        self.assertEqual(self.code(
            b"#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)\n" + page
            + b"#endif\n", self.OLD), "")

    def test_a_guard_for_another_distribution(self) -> None:
        data = b"#ifdef RHEL_RELEASE_CODE\n" + WALK + b"#endif\n"
        self.assertEqual(self.code(data, self.OLD), "kept other-kernel")
        self.assertEqual(self.code(data, conditionals.Kernel(
            4 << 16 | 18 << 8, "n", 8 << 8)), "manual version-guard")


class CopyTest(unittest.TestCase):

    def kept(self, data: bytes) -> list[str]:
        texts = {"f.h": Text(data)}
        return [found.reason.partition(":")[0] for found in (
            judge.standing(texts, unit, evidence())
            for unit in units.bind(texts)) if found]

    def test_what_defines_the_api_is_a_copy(self) -> None:
        for data in (b"static inline dma_addr_t sg_page_iter_dma_address("
                     b"struct sg_page_iter *i)\n{\n\treturn 0;\n}\n",
                     b"struct sg_page_iter {\n\tint x;\n};\n",
                     b"bool __sg_page_iter_next(struct sg_page_iter *i);\n"):
            self.assertIn("api-copy", self.kept(data), data)

    def test_a_fragment_is_none(self) -> None:
        for data in (b"for_each_sg_page(sgl, &it, n, 0)\n"
                     b"\tput(sg_page_iter_dma_address(&it));\n",
                     b"for_each_sg_page(sgl, &it, n, 0) {\n"
                     b"\tput(sg_page_iter_dma_address(&it));\n}\n",
                     b"out[0] = sg_page_iter_dma_address(&it);\n",
                     b"return sg_page_iter_page(&it);\n"):
            self.assertNotIn("api-copy", self.kept(data), data)

    def test_a_macro_of_the_drivers_own_is_none(self) -> None:
        for name, code in ((b"for_each_sgtable_npu", "macro"),
                           (b"for_each_sgtable_page", "api-copy"),
                           (b"for_each_sg_dma_page", "api-copy")):
            text = Text(b"#define " + name + b"(s, i) \\\n"
                        b"\tfor_each_sg_page((s)->sgl, i, (s)->nents, 0)\n")
            self.assertEqual(judge.macro(text, 0, "f.h").reason.partition(
                ":")[0], code)


class RefusalTest(unittest.TestCase):

    def test_ifdef_between_declaration_and_loop(self) -> None:
        self.assertIn("ifdef-split", refusal(WALK.replace(
            b"\tfor_each", b"#ifdef CONFIG_X\n\tfor_each").replace(
                b"&it);\n", b"&it);\n#endif\n")))

    def test_ifdef_around_one_of_two_headers(self) -> None:
        self.assertIn("ifdef-split", refusal(WALK.replace(
            b"\tfor_each_sg_page(t->sgl, &it, t->nents, 0)\n",
            b"#ifdef CONFIG_X\n\tfor_each_sg_page(t->sgl, &it, 1, 0)\n"
            b"#else\n\tfor_each_sg_page(t->sgl, &it, t->nents, 0)\n"
            b"#endif\n")))

    def test_ifdef_within_the_header_of_a_loop(self) -> None:
        self.assertIn("ifdef-split", refusal(WALK.replace(
            b" t->nents,", b"\n#ifdef CONFIG_X\n t->nents,\n#else\n 1,\n"
            b"#endif\n")))

    def test_dead_code_that_names_the_iterator(self) -> None:
        self.assertIn("dead code names it, too, in line 6", refusal(
            WALK.replace(b"\tfor_each", b"#if !1\n\tuse(&it);\n#endif\n"
                         b"\tfor_each")))

    def test_a_branch_that_needs_what_nothing_defines_is_dead(self) -> None:
        texts, unit = first(b"#if NEVER && CONFIG_X\n" + WALK + b"#endif\n")
        self.assertEqual(judge.open_names(texts, unit), {b"NEVER"})
        found = judge.refusal(texts, unit, Evidence(
            {}, {}, {}, {}, undefined=frozenset((b"NEVER",))))
        assert found is not None
        self.assertEqual(found.reason.partition(":")[0], "dead-code")

    def test_version_guard_elsewhere_in_the_function(self) -> None:
        self.assertIn("version-guard", refusal(WALK.replace(
            b"\n\tfor_each", b"\n#if LINUX_VERSION_CODE > 1\n\tg();\n#endif\n"
            b"\tfor_each")))

    def test_helper_that_is_stored_or_exported(self) -> None:
        helper = (b"static u64 h(struct sg_page_iter *p)\n{\n"
                  b"\treturn sg_page_iter_dma_address(p);\n}\n")
        self.assertEqual(refusal(helper), "")
        self.assertIn("f.c:5", refusal(
            helper + b"struct ops o = { .h = h };\n"))
        self.assertIn("escapes", refusal(helper + b"EXPORT_SYMBOL(h);\n"))


    def test_if_inside_of_a_loop_header(self) -> None:
        self.assertIn("ifdef-split", refusal(WALK.replace(
            b"t->nents", b"\n#ifdef CONFIG_X\n1\n#else\nt->nents\n#endif\n")))

    def test_members_that_are_initialised_one_by_one(self) -> None:
        for value in (b"{ .sg = NULL }", b"{ sg: NULL }", b"{ NULL, 1 }",
                      b"other", b"MADE", b"{ [0] = 1 }"):
            with self.subTest(value):
                self.assertIn("initialiser", refusal(WALK.replace(
                    b"iter it;", b"iter it = " + value + b";")))
        for value in (b"{ }", b"{ 0 }", b"{ { 0 } }"):
            self.assertEqual(refusal(WALK.replace(
                b"iter it;", b"iter it = " + value + b";")), "")

    def test_members_that_are_initialised_within_their_structure(
            self) -> None:
        member = (b"struct w { int a; struct sg_page_iter i; };\n"
                  b"u64 f(struct w *w)\n{\n"
                  b"\treturn sg_page_iter_dma_address(&w->i);\n}\n")
        self.assertEqual(refusal(member), "")
        for asked in (b"offsetof(struct w, i.sg)",
                      b"__builtin_offsetof(struct v, w.i.sg_pgoffset)",
                      b"sizeof_field(struct w, i /* */ . __nents)"):
            self.assertIn("measured", refusal(
                member + b"u64 g(void)\n{\n\treturn " + asked + b";\n}\n"))
        for value in (b"{ 1, { .sg = NULL } }", b"{ 1, { sg: NULL } }",
                      b"{ 1, { NULL } }", b"{ 1, { NULL, 2 } }"):
            self.assertIn("initialiser", refusal(
                member + b"struct w one = " + value + b";\n"))
        for value in (b"{ 1 }", b"{ .a = 1 }", b"{ 1, { 0 } }", b"{ }"):
            self.assertEqual("", refusal(
                member + b"struct w one = " + value + b";\n"))

    def test_declaration_of_what_another_file_defines(self) -> None:
        self.assertIn("extern", refusal(WALK.replace(
            b"\tstruct sg_page_iter it", b"\textern struct sg_page_iter it")))

    def test_type_that_is_measured_beside_the_iterator(self) -> None:
        for before, line in ((b"BUILD_BUG_ON(sizeof(struct sg_page_iter) > 9);",
                              b""),
                             (b"", b"_Static_assert(sizeof(struct sg_page_iter)"
                              b" > 9, \"\");\n")):
            texts = {"f.c": Text(line + WALK.replace(
                b"\n\tfor_each", b"\n\t" + before + b"\n\tfor_each"))}
            walk = next(unit for unit in units.bind(texts) if unit.uses)
            known = evidence()
            known.measured = judge.measured(units.bind(texts))
            found = judge.refusal(texts, walk, known)
            assert found is not None
            self.assertIn("measured", found.reason)

    def test_address_that_is_read_before_the_first_step(self) -> None:
        walk = WALK.replace(
            b"\tfor_each_sg_page(t->sgl, &it, t->nents, 0)\n",
            b"\t__sg_page_iter_start(&it, t->sgl, t->nents, 0);\n\tdo\n")
        self.assertIn("unstepped", refusal(walk.replace(
            b"&it);\n}", b"&it);\n\twhile (__sg_page_iter_next(&it));\n}")))
        self.assertEqual(refusal(walk.replace(
            b"\tdo\n", b"\twhile (__sg_page_iter_next(&it))\n")), "")


class HoldsTest(unittest.TestCase):

    def test_whole_conversion_holds(self) -> None:
        self.assertEqual(holds(WALK, NEW), "")

    def test_size_of_the_type_changes_with_what_it_clears(self) -> None:
        size = b"memset(&it, 0, sizeof(struct sg_page_iter));\n\tfor_each"
        old = WALK.replace(b"for_each", size)
        half = NEW.replace(b"for_each", size)
        self.assertEqual(holds(old, half.replace(
            b"sizeof(struct sg_page", b"sizeof(struct sg_dma_page")), "")
        self.assertIn("both types", holds(old, half))

    def test_half_a_conversion_does_not(self) -> None:
        self.assertIn("for_each_sg_page", holds(WALK, WALK.replace(
            b"sg_page_iter it", b"sg_dma_page_iter it")))
        self.assertIn("for_each_sg_dma_page", holds(WALK, WALK.replace(
            b"for_each_sg_page", b"for_each_sg_dma_page")))

    def test_second_accessor_does_not(self) -> None:
        page = b"\t\tuse(sg_page_iter_page(&it));\n}\n"
        self.assertIn("sg_page_iter_page", holds(
            WALK[:-2] + page, NEW[:-2] + page))

    def test_anything_but_a_rename_does_not(self) -> None:
        self.assertIn("more than to rename", holds(
            WALK, NEW.replace(b"t->nents, 0)", b"t->nents, 1)")))

    def test_new_count_is_not_within_a_rules_rights(self) -> None:
        self.assertIn("more than to rename", holds(WALK, NEW.replace(
            b"t->nents, 0)", b"mapped, 0)")))

    def test_shadowed_declaration_left_behind_is_found(self) -> None:
        inner = (b"\t{\n\t\tstruct sg_page_iter it;\n"
                 b"\t\tfor_each_sg_page(a, &it, n, 0)\n"
                 b"\t\t\tg(sg_page_iter_page(&it));\n\t}\n}\n")
        texts = {"f.c": Text(WALK[:-2] + inner)}
        outer = units.bind(texts)[0]
        new = NEW[:-2] + inner.replace(b"for_each_sg_page",
                                       b"for_each_sg_dma_page")
        found = from_diff(texts["f.c"], diffs.unified(
            {"f.c": texts["f.c"].data}, {"f.c": new}))
        mine = judge.edits_of(texts, outer, "f.c", found)
        self.assertEqual(len(mine), 2)
        self.assertEqual(judge.holds(texts, outer, Proposal(
            "rule", False, {"f.c": mine})), "")


    def test_count_of_an_inner_block_is_not_put_in_outside(self) -> None:
        inside = b"\t{\n\t\tint n = dma_map_sg(d, t->sgl, 1, 0);\n\t}\n"
        for before, good in ((inside, False), (b"\tint n = 1;\n", True)):
            data = WALK.replace(b"\tfor_each", before + b"\tfor_each").replace(
                b"t->nents", b"t->orig_nents")
            texts, unit = first(data)
            edits = from_diff(texts["f.c"], diffs.unified(
                {"f.c": data},
                {"f.c": data.replace(b"t->orig_nents", b"n")}))
            self.assertEqual([judge.in_scope(texts["f.c"], edit)
                              for edit in edits], [good] * len(edits))
            self.assertTrue(edits)

    def test_const_iterator_is_refused(self) -> None:
        data = (b"static u64 get(const struct sg_page_iter *p)\n{\n\treturn "
                b"sg_dma_address(p->sg) + (p->sg_pgoffset << PAGE_SHIFT);\n}\n")
        texts, unit = first(data)
        edits = from_diff(texts["f.c"], diffs.unified({"f.c": data}, {
            "f.c": data.replace(b"sg_page_iter", b"sg_dma_page_iter").replace(
                b"sg_dma_address(p->sg) + (p->sg_pgoffset << PAGE_SHIFT)",
                b"sg_page_iter_dma_address(p)")}))
        self.assertIn("const", judge.holds(texts, unit, Proposal(
            "rule", False, {"f.c": edits})))

    def test_function_of_the_same_name_elsewhere_stores_nothing(self) -> None:
        helper = (b"static u64 get(struct sg_page_iter *p)\n{\n"
                  b"\treturn sg_page_iter_dma_address(p);\n}\n")
        table = b"static struct ops ops = { .get = get };\n"
        texts = {"f.c": Text(helper), "g.c": Text(helper + table)}
        for file, stored in (("f.c", False), ("g.c", True)):
            unit = next(unit for unit in units.bind(texts)
                        if unit.files == (file,))
            said = judge.refusal(texts, unit, Evidence(
                {}, {}, {}, {}, named={b"get": ["f.c", "g.c"]}))
            self.assertEqual(said is not None, stored)


class MovedTest(unittest.TestCase):

    def test_order_of_the_edits_does_not_matter(self) -> None:
        data = b"int f(void)\n{\n\tint a;\n\tint b;\n\tg(a, b);\n}\n"
        text = Text(data)
        edits = from_diff(text, diffs.unified({"f.c": data}, {
            "f.c": data.replace(b"int a", b"struct s *a").replace(
                b"int b", b"struct s *b")}))
        at = next(n for n, token in enumerate(text.tokens)
                  if token.text == b"g")
        self.assertEqual(judge.moved_token(text, edits, at), at + 4)
        self.assertEqual(judge.moved_token(text, edits[::-1], at), at + 4)
        inside = next(n for n, token in enumerate(text.tokens)
                      if token.text == b"b")
        self.assertEqual(judge.moved_token(text, edits[::-1], inside),
                         judge.moved_token(text, edits, inside))

    def test_token_that_is_renamed_itself_moves_with_all_before_it(
            self) -> None:
        data = b"int f(void)\n{\n\tint a;\n\tg(a);\n}\n"
        text = Text(data)
        edits = from_diff(text, diffs.unified({"f.c": data}, {
            "f.c": data.replace(b"int a", b"struct s *a").replace(
                b"g(", b"h(")}))
        at = next(n for n, token in enumerate(text.tokens)
                  if token.text == b"g")
        for order in (edits, edits[::-1]):
            self.assertEqual(judge.moved_token(text, order, at), at + 2)


class CountTest(unittest.TestCase):

    def count(self, before: bytes = b"", claim: Claim = MAPPED,
              count: bytes = b"t->nents", file: bytes = b"") -> Count:
        data = file + NEW.replace(b"\n\tfor", b"\n" + before + b"\tfor"
                                  ).replace(b"t->nents", count)
        texts, unit = first(data)
        found = next(judge.count_of(texts["f.c"], use, claim,
                                    counts.macros(texts.values()))
                     for use in unit.uses if use.act is units.Act.LOOP)
        assert found is not None
        return found

    def test_claim_of_a_rule_is_taken_over(self) -> None:
        self.assertEqual(self.count(), Count(
            "t->nents", Kind.MAPPED, Why.RETURNED, "dma_map_sg", 4))

    def test_without_a_claim_nothing_is_known(self) -> None:
        texts, unit = first(NEW)
        kinds = [found.kind for found in (judge.count_of(texts["f.c"], use)
                                          for use in unit.uses) if found]
        self.assertEqual(kinds, [Kind.UNKNOWN])

    def test_what_the_preprocessor_hides_takes_a_claim_away(self) -> None:
        for before, file in (
                (b"#ifdef X\n\tt = u;\n#endif\n", b""),
                (b"\tNEXT;\n", b"#define NEXT (t = u)\n"),
                (b"\tnext();\n", b"#define next() step()\n"
                                b"#define step() t->nents++\n"),
                (b"\tg(1);\n", b"#define nents orig_nents\n"),
                (b"\tasm(\"\" : \"+r\" (t));\n", b""),
                (b"\tg(({ t = u; 1; }));\n", b"")):
            with self.subTest(before + file):
                self.assertIs(self.count(before, file=file).kind,
                              Kind.UNKNOWN)

    def test_other_macros_leave_it(self) -> None:
        self.assertIs(self.count(
            b"\tg(LEN, t->nents);\n",
            file=b"#define LEN (4 << 2)\n#define unused (t = u)\n").kind,
            Kind.MAPPED)

    def test_count_from_outside_the_function_is_unknown(self) -> None:
        for before, count, kind in (
                (b"", b"total", Kind.UNKNOWN),
                (b"\tint total;\n", b"total", Kind.MAPPED),
                (b"\tint n = 1, total = 2;\n", b"total", Kind.MAPPED),
                (b"\tint *p = g(1, total, 2);\n", b"total", Kind.UNKNOWN)):
            with self.subTest(before):
                self.assertIs(self.count(before, count=count).kind, kind)

    def test_offset_that_is_not_zero_is_told(self) -> None:
        data = NEW.replace(b"nents, 0)", b"nents, off)")
        texts, unit = first(data)
        told = [judge.count_of(texts["f.c"], use) for use in unit.uses]
        self.assertEqual([count.offset for count in told if count], ["off"])
        self.assertTrue(any("offset off" in judge.notes(count)
                            for count in told if count))


if __name__ == "__main__":
    unittest.main()

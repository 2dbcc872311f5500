# SPDX-License-Identifier: GPL-2.0-only
"""units.bind() and units.trouble(): what belongs together, and whether it fits."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from read import conditionals  # noqa: E402
import smalltree  # noqa: E402
from read.ctext import Text  # noqa: E402
from judge.units import DMA, Act, Unit, bind, trouble  # noqa: E402


def setUpModule() -> None:
    conditionals.use(smalltree.census())


# The tags of the two types.
OLD, NEW = b"sg_page_iter", b"sg_dma_page_iter"
WALK = b"""
void NAME(struct sg_table *t, u64 *out)
{
	struct TYPE it;

	LOOP(t->sgl, &it, t->nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""


def walk(name: bytes, type: bytes, loop: bytes) -> bytes:
    return WALK.replace(b"NAME", name).replace(b"TYPE", type).replace(
        b"LOOP", loop)


def units(*sources: bytes, **more: bytes) -> list[Unit]:
    texts = {f"f{n}.c": Text(data) for n, data in enumerate(sources)}
    texts.update({name.replace("_", "."): Text(data)
                  for name, data in more.items()})
    return bind(texts)


class BindTest(unittest.TestCase):

    def test_same_name_in_two_functions_is_two_units(self) -> None:
        found = units(walk(b"a", OLD, b"for_each_sg_page")
                      + walk(b"b", OLD, b"for_each_sg_page"))
        self.assertEqual(len(found), 2)
        self.assertEqual([[use.act for use in unit.uses] for unit in found],
                         [[Act.LOOP, Act.ADDRESS]] * 2)

    MEMBER = b"""
struct walk { struct sg_page_iter it; };
void f(struct walk *w)
{
	NEXT(&w->it);
}
"""

    def test_structures_of_one_tag_in_two_files_are_two_units(self) -> None:
        found = units(self.MEMBER.replace(b"NEXT", b"__sg_page_iter_next"),
                      self.MEMBER.replace(b"NEXT", b"sg_page_iter_page"))
        self.assertEqual([unit.files for unit in found],
                         [("f0.c",), ("f1.c",)])
        self.assertEqual([unit.uses[0].act for unit in found],
                         [Act.NEXT, Act.PAGE])

    def test_structure_of_the_nearest_header_is_meant(self) -> None:
        head, use = self.MEMBER.split(b"void", 1)
        use = b"void" + use.replace(b"NEXT", b"__sg_page_iter_next")
        found = bind({name: Text(data) for name, data in (
            ("gpu/a/walk.h", head), ("gpu/a/use.c", use),
            ("gpu/b/walk.h", head), ("gpu/b/use.c", use))})
        self.assertEqual([unit.files for unit in found], [
            ("gpu/a/use.c", "gpu/a/walk.h"), ("gpu/b/use.c", "gpu/b/walk.h")])

    def test_structure_of_a_c_file_is_meant_where_that_is_included(
            self) -> None:
        head, use = self.MEMBER.split(b"void", 1)
        use = b"void" + use.replace(b"NEXT", b"__sg_page_iter_next")
        apart = bind({"a.c": Text(head), "b.c": Text(use)})
        self.assertEqual(len(apart), 2)
        found, = bind({"a.c": Text(head),
                       "b.c": Text(b'#include "a.c"\n' + use)})
        self.assertEqual(found.files, ("a.c", "b.c"))

    def test_member_of_a_nameless_union_is_the_structures(self) -> None:
        found, = units(b"""
struct walk {
	union {
		struct sg_page_iter it;
		int raw;
	};
};
void f(struct walk *w)
{
	__sg_page_iter_next(&w->it);
}
""")
        self.assertEqual(found.decls[0].owner, b"walk")
        self.assertEqual([use.act for use in found.uses], [Act.NEXT])

    def test_call_means_the_static_function_of_its_own_file(self) -> None:
        helper = b"void get(struct sg_page_iter *p)\n{\n\tTAKE(p);\n}\n"
        call = (b"void f(void)\n{\n\tstruct sg_page_iter it;\n"
                b"\tget(&it);\n}\n")
        found = units(helper.replace(b"TAKE", b"sg_page_iter_page"),
                      b"static " + helper.replace(
                          b"TAKE", b"sg_page_iter_dma_address") + call)
        self.assertEqual([unit.files for unit in found],
                         [("f0.c",), ("f1.c",)])

    def test_base_of_a_member_goes_with_the_member(self) -> None:
        own = b"struct sg_dma_page_iter {\n\tstruct sg_page_iter base;\n};\n"
        member = self.MEMBER.replace(b"struct sg_page_iter", b"struct " + NEW)
        found = units(own, member.replace(
            b"NEXT(&w->it)", b"__sg_page_iter_start(&w->it.base, s, n, 0)"))
        walk = next(unit for unit in found if unit.types == {DMA}
                    and unit.files == ("f1.c",))
        self.assertEqual([(use.act, use.base) for use in walk.uses],
                         [(Act.START, True)])
        self.assertEqual(sum(len(unit.uses) for unit in found), 1)

    def test_clearing_and_measuring_ask_for_no_type(self) -> None:
        found, = units(b"""
void f(void)
{
	struct sg_page_iter it;
	memset(&it, 0, sizeof(it));
}
""")
        self.assertEqual([use.act for use in found.uses], [Act.TEST] * 2)
        self.assertEqual(trouble(found), "")

    def test_shadowing_declaration_takes_its_block(self) -> None:
        outer, inner = units(b"""
void f(void)
{
	struct sg_page_iter it;
	for_each_sg_page(s, &it, n, 0) {
		struct sg_page_iter it;
		for_each_sg_page(s, &it, n, 0)
			g(sg_page_iter_page(&it));
	}
	h(sg_page_iter_dma_address(&it));
}
""")
        self.assertEqual([use.act for use in outer.uses],
                         [Act.LOOP, Act.ADDRESS])
        self.assertEqual([use.act for use in inner.uses],
                         [Act.LOOP, Act.PAGE])

    def test_declarators_of_one_type_are_one_unit(self) -> None:
        found = units(b"void f(void)\n{\n\tstruct sg_page_iter a, *b = &a, "
                      b"c[2] = {};\n}\n")
        self.assertEqual(len(found), 1)
        self.assertEqual([decl.name for decl in found[0].decls],
                         [b"a", b"b", b"c"])

    def test_helper_parameter_and_argument_are_one_unit(self) -> None:
        found = units(b"""
static u64 help(int x, struct sg_page_iter *p)
{
	return p ? sg_page_iter_dma_address(p) : x;
}
void f(void)
{
	struct sg_page_iter it;
	for_each_sg_page(s, &it, n, 0)
		help(1, &it);
	help(2, NULL);
}
""")
        self.assertEqual(len(found), 1)
        self.assertEqual({decl.kind for decl in found[0].decls},
                         {"param", "local"})

    def test_static_helpers_of_two_files_do_not_meet(self) -> None:
        helper = b"static void h(struct sg_page_iter *p)\n{\n\tg(p->sg);\n}\n"
        self.assertEqual(len(units(helper, helper)), 2)

    def test_member_joins_header_and_users(self) -> None:
        found = units(
            b"u64 f(struct v *v)\n{\n"
            b"\treturn sg_page_iter_dma_address(&v->it);\n}\n",
            b"bool g(struct v *w)\n{\n\treturn __sg_page_iter_next(&w->it);\n"
            b"}\n", v_h=b"struct v {\n\tstruct sg_page_iter it;\n};\n")
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].files, ("f0.c", "f1.c", "v.h"))

    def test_member_of_another_structure_is_left_out(self) -> None:
        found = units(
            b"void f(struct other *o)\n{\n\tg(&o->it);\n}\n",
            v_h=b"struct v {\n\tstruct sg_page_iter it;\n};\n")
        self.assertEqual(found[0].uses, [])

    def test_one_object_declared_twice_is_one_unit(self) -> None:
        found = units(b"struct sg_page_iter it;\nstruct sg_page_iter it;\n"
                      b"void f(void)\n{\n\textern struct sg_page_iter it;\n"
                      b"\tg(&it);\n}\n",
                      b=b"extern struct sg_page_iter it;\n")
        self.assertEqual([len(unit.decls) for unit in found], [4])
        found = units(b"static struct sg_page_iter it;\n",
                      b=b"static struct sg_page_iter it;\n")
        self.assertEqual(len(found), 2)

    def test_size_of_the_type_goes_with_what_it_clears(self) -> None:
        found = units(b"void f(void)\n{\n\tstruct sg_page_iter it;\n"
                      b"\tmemset(&it, 0, sizeof(struct sg_page_iter));\n}\n")
        self.assertEqual([decl.kind for unit in found for decl in unit.decls],
                         ["local", "sized"])
        self.assertEqual(len(found), 1)
        found = units(b"void f(void)\n{\n\tstruct sg_page_iter it;\n"
                      b"\tsave(&it, sizeof(struct sg_page_iter));\n}\n")
        self.assertEqual([decl.kind for unit in found for decl in unit.decls],
                         ["local", "cast"])

    def test_operator_at_file_scope_declares_no_parameter(self) -> None:
        found = units(b"_Static_assert(sizeof(struct sg_page_iter) > 1, \"\");\n"
                      b"char b[sizeof(struct sg_page_iter)];\n")
        self.assertEqual([decl.kind for unit in found for decl in unit.decls],
                         ["cast", "cast"])

    def test_static_helper_is_seen_across_an_include(self) -> None:
        helper = (b"static u64 h(struct sg_page_iter *p)\n{\n"
                  b"\treturn sg_page_iter_dma_address(p);\n}\n")
        user = (b"void f(void)\n{\n\tstruct sg_page_iter it;\n\th(&it);\n}\n")
        self.assertEqual(len(bind({
            "a.c": Text(helper + b'#include "b.inc"\n'),
            "b.inc": Text(user)})), 1)
        self.assertEqual(len(bind({
            "a.inc": Text(helper),
            "b.c": Text(b'#include "a.inc"\n' + user)})), 1)
        self.assertEqual(len(bind({
            "a.c": Text(helper), "b.inc": Text(user)})), 2)

    def test_prototype_follows_its_definition(self) -> None:
        found = units(b"u64 f(struct sg_page_iter *p)\n{\n"
                      b"\treturn sg_page_iter_dma_address(p);\n}\n",
                      f_h=b"u64 f(struct sg_page_iter *p);\n")
        self.assertEqual(len(found), 1)

    def test_dead_code_has_no_units(self) -> None:
        self.assertEqual(units(b"#if 0\n" + walk(b"a", OLD, b"x")
                               + b"#endif\n"), [])


class TroubleTest(unittest.TestCase):

    def test_old_dma_walk_is_trouble(self) -> None:
        unit, = units(walk(b"a", OLD, b"for_each_sg_page"))
        self.assertIn("sg_page_iter_dma_address", trouble(unit))

    def test_new_dma_walk_is_none(self) -> None:
        unit, = units(walk(b"a", NEW, b"for_each_sg_dma_page"))
        self.assertEqual(trouble(unit), "")

    def test_half_converted_walk_is_trouble(self) -> None:
        unit, = units(walk(b"a", NEW, b"for_each_sg_page"))
        self.assertIn("for_each_sg_page", trouble(unit))
        unit, = units(walk(b"a", OLD, b"for_each_sg_dma_page"))
        self.assertIn("for_each_sg_dma_page", trouble(unit))

    def one(self, body: bytes, type: bytes = NEW) -> str:
        unit, = units(b"void f(void)\n{\n\tstruct " + type + b" it;\n\t"
                      + body + b"\n}\n")
        return trouble(unit)

    def test_start_takes_the_base_of_a_dma_iterator_only(self) -> None:
        self.assertEqual(self.one(b"__sg_page_iter_start(&it.base, s, n, 0);"),
                         "")
        self.assertIn("start", self.one(b"__sg_page_iter_start(&it, s, n, 0);"))
        self.assertIn("start", self.one(
            b"__sg_page_iter_start(&it.base, s, n, 0);", OLD))

    def test_next_of_the_other_type_is_trouble(self) -> None:
        self.assertIn("next", self.one(b"__sg_page_iter_next(&it);"))
        self.assertIn("next", self.one(b"__sg_page_iter_dma_next(&it.base);"))

    def test_escape_is_trouble(self) -> None:
        self.assertIn("keep", self.one(b"keep(&it);"))
        self.assertNotEqual(self.one(b"x = &it;"), "")
        self.assertNotEqual(self.one(b"memcpy(&it, &saved, sizeof(it));"), "")

    def test_field_of_a_dma_iterator_is_trouble(self) -> None:
        self.assertIn("field", self.one(b"g(it.base.sg);"))
        self.assertEqual(self.one(b"g(it.sg);", OLD), "")

    def test_two_types_or_none_are_trouble(self) -> None:
        unit, = units(b"extern struct sg_page_iter it;\n"
                      b"struct sg_dma_page_iter it;\n")
        self.assertIn("both types", trouble(unit))
        unit, = units(b"void f(void)\n{\n\t__sg_page_iter_next(p);\n}\n")
        self.assertIn("not seen", trouble(unit))

    def test_type_that_stands_for_more_than_a_variable_is_trouble(
            self) -> None:
        for data, said in (
                (b"typedef struct TYPE t;\n", "another name"),
                (b"struct TYPE;\n", "without its members"),
                (b"struct TYPE *f(void);\n", "returns"),
                (b"void f(void *p)\n{\n\tg((struct TYPE *)p);\n}\n",
                 "cast")):
            for type in (OLD, NEW):
                with self.subTest(data=data, type=type):
                    unit, = units(data.replace(b"TYPE", type))
                    self.assertIn(said, trouble(unit))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""units.bind() and units.trouble(): what belongs together, and whether it fits."""

import unittest

from ctext import Text
from units import DMA, PAGE, Act, Unit, bind, trouble

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
        found = units(walk(b"a", PAGE, b"for_each_sg_page")
                      + walk(b"b", PAGE, b"for_each_sg_page"))
        self.assertEqual(len(found), 2)
        self.assertEqual([[use.act for use in unit.uses] for unit in found],
                         [[Act.LOOP, Act.ADDRESS]] * 2)

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

    def test_prototype_follows_its_definition(self) -> None:
        found = units(b"u64 f(struct sg_page_iter *p)\n{\n"
                      b"\treturn sg_page_iter_dma_address(p);\n}\n",
                      f_h=b"u64 f(struct sg_page_iter *p);\n")
        self.assertEqual(len(found), 1)

    def test_dead_code_has_no_units(self) -> None:
        self.assertEqual(units(b"#if 0\n" + walk(b"a", PAGE, b"x")
                               + b"#endif\n"), [])


class TroubleTest(unittest.TestCase):

    def test_old_dma_walk_is_trouble(self) -> None:
        unit, = units(walk(b"a", PAGE, b"for_each_sg_page"))
        self.assertIn("sg_page_iter_dma_address", trouble(unit))

    def test_new_dma_walk_is_none(self) -> None:
        unit, = units(walk(b"a", DMA, b"for_each_sg_dma_page"))
        self.assertEqual(trouble(unit), "")

    def test_half_converted_walk_is_trouble(self) -> None:
        unit, = units(walk(b"a", DMA, b"for_each_sg_page"))
        self.assertIn("for_each_sg_page", trouble(unit))
        unit, = units(walk(b"a", PAGE, b"for_each_sg_dma_page"))
        self.assertIn("for_each_sg_dma_page", trouble(unit))

    def one(self, body: bytes, type: bytes = DMA) -> str:
        unit, = units(b"void f(void)\n{\n\tstruct " + type + b" it;\n\t"
                      + body + b"\n}\n")
        return trouble(unit)

    def test_start_takes_the_base_of_a_dma_iterator_only(self) -> None:
        self.assertEqual(self.one(b"__sg_page_iter_start(&it.base, s, n, 0);"),
                         "")
        self.assertIn("start", self.one(b"__sg_page_iter_start(&it, s, n, 0);"))
        self.assertIn("start", self.one(
            b"__sg_page_iter_start(&it.base, s, n, 0);", PAGE))

    def test_next_of_the_other_type_is_trouble(self) -> None:
        self.assertIn("next", self.one(b"__sg_page_iter_next(&it);"))
        self.assertIn("next", self.one(b"__sg_page_iter_dma_next(&it.base);"))

    def test_escape_is_trouble(self) -> None:
        self.assertIn("keep", self.one(b"keep(&it);"))
        self.assertNotEqual(self.one(b"x = &it;"), "")
        self.assertNotEqual(self.one(b"memset(&it, 0, sizeof(it));"), "")

    def test_field_of_a_dma_iterator_is_trouble(self) -> None:
        self.assertIn("field", self.one(b"g(it.base.sg);"))
        self.assertEqual(self.one(b"g(it.sg);", PAGE), "")


if __name__ == "__main__":
    unittest.main()

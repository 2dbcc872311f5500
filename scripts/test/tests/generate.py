# SPDX-License-Identifier: GPL-2.0-only
"""Write C files at random that combine the shapes of real iterator users.

A file is a few functions. Each is of one family, with names from a short list
so that they meet, nested to a random depth, laid out at random, and now and
then split by an #ifdef. What a function is (page walk only, or anything) is
kept beside its text, so that a test can hold the rewriting to it; so is what
may be claimed of a count that comes from a mapping, or seems to. In some the
preprocessor or the bare type gets at the iterator, or a guard stands around.

Data:   random.Random -> Generated (text, what must stay or be one, counts).
Source: the shapes S01 to S31 of the users of the API.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_NAMES = ("it", "iter", "sg_iter", "piter")
_COUNTS = ("t->nents", "t->orig_nents", "sg_nents(t->sgl)", "n")
_OFFSETS = ("0", "0", "0", "off")
_PARAMETERS = ("struct device *dev, struct sg_table *t, u64 *out,\n\t\t"
               "struct page **pages, unsigned int n, unsigned long off")


@dataclass(frozen=True)
class Generated:
    text: str
    stay: tuple[str, ...]            # whole functions that must stay
    counts: tuple["Counted", ...]    # of functions that map what they walk
    whole: tuple["Whole", ...]       # of functions with one iterator
    files: dict[str, str]            # what the text includes, but headers


@dataclass(frozen=True)
class Whole:
    """Code that is refused whole or converted whole."""

    text: str
    files: tuple[str, ...]           # goes on in these


@dataclass(frozen=True)
class Counted:
    """What holds for the one walk of a function."""

    function: str
    count: str               # as it is written
    mapped: bool             # it is what mapping that list returned


@dataclass(frozen=True)
class _Function:
    text: str
    stays: bool
    counted: Counted | None = None
    whole: Whole | None = None
    files: dict[str, str] = field(default_factory=dict)


def generate(chance: random.Random, number: int) -> Generated:
    """Return one file; `number` makes its function names its own."""
    functions = [_function(chance, f"f{number}_{nth}")
                 for nth in range(chance.randint(1, 3))]
    head = ("#include <linux/scatterlist.h>\n#include <linux/dma-mapping.h>\n"
            "#include <linux/string.h>\n#include <linux/version.h>\n")
    if chance.random() < 0.1:
        head = "/* caf\u00e9 */\n" + head
    text = head + "\n" + "\n".join(f.text for f in functions)
    return Generated(text, tuple(f.text for f in functions if f.stays),
                     tuple(f.counted for f in functions if f.counted),
                     tuple(f.whole for f in functions if f.whole),
                     {name: text for f in functions
                      for name, text in f.files.items()})


def _function(chance: random.Random, name: str) -> _Function:
    kind = chance.random()
    if kind < 0.15:
        body, before, counted = _counted(chance, name)
        return _Function(_shell(chance, name, body, before), False, counted)
    if kind < 0.4:
        body, before, files = _reached(chance, name)
        text = _shell(chance, name, body, before)
        return _Function(text, False, whole=Whole(text, tuple(files)),
                         files=files)
    if kind < 0.5:
        return _guarded(chance, name)
    body, pages_only, before = chance.choice(_FAMILIES)(chance, name)
    return _Function(_shell(chance, name, body, before), pages_only)


def _shell(chance: random.Random, name: str, body: str, before: str) -> str:
    """Return the whole function, now and then one that not all kernels have."""
    text = f"{before}void {name}({_PARAMETERS})\n{{\n{body}}}\n"
    if chance.random() < 0.08:
        text = f"#ifdef CONFIG_GENERATED\n{text}#endif\n"
    return text


# --- pieces ----------------------------------------------------------------

def _loop(chance: random.Random, it: str, body: str, depth: int = 1) -> str:
    """Return a page loop in one of many layouts."""
    tabs = "\t" * depth
    count, offset = chance.choice(_COUNTS), chance.choice(_OFFSETS)
    call = chance.choice((
        f"for_each_sg_page(t->sgl, &{it}, {count}, {offset})",
        f"for_each_sg_page (t->sgl, &{it}, {count}, {offset})",
        f"for_each_sg_page(t->sgl, &{it},\n{tabs}\t\t {count}, {offset})",
        f"for_each_sg_page(t->sgl, /* list */ &{it}, {count}, {offset})"))
    layout = chance.randrange(6)
    if layout == 0 and body.count(";") == 1:
        return f"{tabs}{call}\n{tabs}\t{body}\n"
    if layout == 4 and body.count(";") == 1:
        inner = chance.choice(("if (n & 1)", "while (n--)",
                               "for (n = 0; n < 4; n++)"))
        return f"{tabs}{call}\n{tabs}\t{inner}\n{tabs}\t\t{body}\n"
    if layout == 5 and "\n" not in call:
        above = chance.choice(("if (off)", "while (off--)"))
        return (f"{tabs}{above}\n{tabs}\t{call} {{\n{tabs}\t\t{body}\n"
                f"{tabs}\t}}\n")
    if layout == 1:
        return f"{tabs}{call}\n{tabs}{{\n{tabs}\t{body}\n{tabs}}}\n"
    exit = chance.choice(("", f"{tabs}\tif (!n--)\n{tabs}\t\tbreak;\n",
                          f"{tabs}\tif (n > 9)\n{tabs}\t\treturn;\n"))
    return f"{tabs}{call} {{\n{exit}{tabs}\t{body}\n{tabs}}}\n"


def _address(chance: random.Random, it: str) -> str:
    return chance.choice((
        f"*out++ = sg_page_iter_dma_address(&{it});",
        f"*out++ = (u64)sg_page_iter_dma_address(&{it}) >> PAGE_SHIFT;",
        f"*out++ = cpu_to_be64(sg_page_iter_dma_address(&{it}) | 1);",
        f"*out++ = sg_dma_address({it}.sg) + "
        f"({it}.sg_pgoffset << PAGE_SHIFT);",
        f"*out++ = (sg_dma_address({it}.sg) +\n\t\t\t"
        f"({it}.sg_pgoffset << PAGE_SHIFT));"))


def _page(chance: random.Random, it: str) -> str:
    return chance.choice((f"*pages++ = sg_page_iter_page(&{it});",
                          f"*pages++ = sg_page({it}.sg);",
                          f"n += {it}.sg->length;"))


def _declare(chance: random.Random, it: str, depth: int = 1) -> str:
    return "\t" * depth + chance.choice((
        f"struct sg_page_iter {it};", f"struct sg_page_iter\t{it};",
        f"struct sg_page_iter {it}; /* walks */",
        f"struct sg_page_iter {it} __maybe_unused;")) + "\n"


# --- families: body, whether only pages are read, code in front -------------

def _dma(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    return (_declare(chance, it) + "\n"
            + _loop(chance, it, _address(chance, it)), False, "")


def _pages(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    return (_declare(chance, it) + "\n"
            + _loop(chance, it, _page(chance, it)), True, "")


def _mixed(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    both = _address(chance, it) + "\n\t\t" + _page(chance, it)
    return _declare(chance, it) + "\n" + _loop(chance, it, both), False, ""


def _by_hand(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    dma = chance.random() < 0.7
    use = (_address if dma else _page)(chance, it)
    start = f"\t__sg_page_iter_start(&{it}, t->sgl, t->nents, 0);\n"
    walk = chance.choice((
        f"\twhile (__sg_page_iter_next(&{it}))\n\t\t{use}\n",
        f"\tif (!__sg_page_iter_next(&{it}))\n\t\treturn;\n\tdo {{\n\t\t{use}"
        f"\n\t}} while (__sg_page_iter_next(&{it}));\n",
        f"\tif (__sg_page_iter_next(&{it})) {{\n\t\t{use}\n\t}}\n"))
    if chance.random() < 0.2:
        start = ""
        walk = (f"\tfor (__sg_page_iter_start(&{it}, t->sgl, t->nents, 0);\n"
                f"\t     __sg_page_iter_next(&{it});) {{\n\t\t{use}\n\t}}\n")
    clear = f"\tmemset(&{it}, 0, sizeof({it}));\n" \
        if chance.random() < 0.2 else ""
    return (_declare(chance, it) + "\n" + clear + start + walk, not dma, "")


def _member(chance: random.Random, name: str) -> tuple[str, bool, str]:
    """The iterator is in a structure whose tag other files have too."""
    number, nth = name[1:].split("_")
    tag, it = f"walk{int(number) % 1000}_{nth}", chance.choice(_NAMES)
    dma = chance.random() < 0.6
    use = (_address if dma else _page)(chance, f"w->{it}")
    before = (f"struct {tag} {{\n\tint left;\n\tstruct sg_page_iter {it};\n"
              f"}};\n\nstatic bool {name}_more(struct {tag} *w)\n{{\n"
              f"\treturn __sg_page_iter_next(&w->{it});\n}}\n\n")
    body = (f"\tstruct {tag} walk, *w = &walk;\n\n"
            f"\t__sg_page_iter_start(&w->{it}, t->sgl, t->nents, 0);\n"
            f"\twhile ({name}_more(w))\n\t\t{use}\n")
    return body, not dma, before


def _siblings(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    body = ""
    pages = True
    for _ in range(2):
        dma = chance.random() < 0.5
        pages &= not dma
        use = (_address if dma else _page)(chance, it)
        body += ("\t{\n" + _declare(chance, it, 2) + "\n"
                 + _loop(chance, it, use, 2) + "\t}\n")
    return body, pages, ""


def _shadowed(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    outer, inner = (chance.random() < 0.5 for _ in range(2))
    inside = (_declare(chance, it, 2)
              + "\n" + _loop(chance, it, (_address if inner else _page)(
                  chance, it), 2))
    after = _loop(chance, it, (_address if outer else _page)(chance, it))
    return (_declare(chance, it) + "\n\tif (n) {\n" + inside + "\t}\n" + after,
            not (outer or inner), "")


def _two_loops(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    first, second = (chance.random() < 0.5 for _ in range(2))
    body = _declare(chance, it) + "\n"
    for dma in (first, second):
        body += _loop(chance, it, (_address if dma else _page)(chance, it))
    return body, not (first or second), ""


def _declarators(chance: random.Random, name: str) -> tuple[str, bool, str]:
    a, b = chance.sample(_NAMES, 2)
    one, two = (chance.random() < 0.6 for _ in range(2))
    body = f"\tstruct sg_page_iter {a}, {b};\n\n"
    body += _loop(chance, a, (_address if one else _page)(chance, a))
    body += _loop(chance, b, (_address if two else _page)(chance, b))
    return body, not (one or two), ""


def _counting(chance: random.Random, name: str) -> tuple[str, bool, str]:
    a, b = chance.sample(_NAMES, 2)
    body = (f"\tstruct sg_page_iter {a};\n\tstruct sg_page_iter {b};\n\n"
            + f"\tfor_each_sg_page(t->sgl, &{a}, t->nents, 0)\n\t\tn++;\n"
            + _loop(chance, b, _address(chance, b)))
    return body, False, ""


def _helper(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    dma = chance.random() < 0.6
    give = chance.choice(("sg_page_iter_dma_address(p)",)) if dma else \
        "(u64)(unsigned long)sg_page_iter_page(p)"
    linkage = chance.choice(("static ", "static ", "static inline "))
    before = (f"{linkage}u64 {name}_one(u64 bits, struct sg_page_iter *p)\n"
              f"{{\n\treturn {give} | bits;\n}}\n\n")
    if chance.random() < 0.3:
        before += (f"static u64 {name}_two(struct sg_page_iter *p)\n{{\n"
                   f"\treturn p ? {name}_one(1, p) : 0;\n}}\n\n")
        call = f"*out++ = {name}_two(&{it});"
    else:
        call = f"*out++ = {name}_one(0, &{it});"
    return (_declare(chance, it) + "\n" + _loop(chance, it, call),
            not dma, before)


def _escaping(chance: random.Random, name: str) -> tuple[str, bool, str]:
    it = chance.choice(_NAMES)
    before = f"void {name}_keep(void *where);\n\n"
    return (_declare(chance, it) + "\n\t" + f"{name}_keep(&{it});\n"
            + _loop(chance, it, _address(chance, it)), False, before)


def _split(chance: random.Random, name: str) -> tuple[str, bool, str]:
    """An #ifdef runs through the walk."""
    it = chance.choice(_NAMES)
    use = _address(chance, it)
    header = f"\tfor_each_sg_page(t->sgl, &{it}, t->nents, 0) {{\n"
    other = f"\tfor_each_sg_page(t->sgl, &{it}, t->orig_nents, 0) {{\n"
    body = chance.choice((
        f"#ifdef CONFIG_A\n{header}#else\n{other}#endif\n\t\t{use}\n\t}}\n",
        f"{header}#ifdef CONFIG_A\n\t\t{use}\n#else\n\t\tn++;\n#endif\n\t}}\n",
        f"#ifdef CONFIG_A\n{header}\t\t{use}\n\t}}\n#endif\n"))
    return _declare(chance, it) + "\n" + body, False, ""


_FAMILIES = (_dma, _dma, _dma, _pages, _pages, _mixed, _by_hand, _siblings,
             _shadowed, _two_loops, _declarators, _counting, _helper,
             _helper, _escaping, _split, _member)


# --- counts: a walk after a mapping, and what can come between the two --------

# What mapping the list is worth, with MAP for the call.
_VALUES = ("MAP + 1", "MAP - 1", "MAP * 2", "MAP > 0", "MAP ? 1 : 0", "!!MAP",
           "(MAP, 1)", "-MAP")
# What stands between. COUNT is the count, FN the name of the function.
_BETWEEN = (
    "COUNT--;", "COUNT += 1;", "if (off)\n\t\tCOUNT = 1;", "FN_fix(&COUNT);",
    "t++;", "t = FN_next(t);", "t->sgl = sg_next(t->sgl);", "FN_fill(t);",
    "memset(t, 0, sizeof(*t));", "*t = *FN_next(t);",
    "dma_unmap_sg(dev, t->sgl, 1, DMA_TO_DEVICE);",
    "dma_map_sg(dev, t->sgl, 1, DMA_FROM_DEVICE);",
    "#ifdef CONFIG_A\n\tCOUNT = 1;\n#endif", "FN_SET(COUNT);", "FN_ONE();",
    "off = ({ COUNT = 1; 2; });", "asm(\"\" : \"+r\" (COUNT));",
    "for (COUNT = 0; COUNT < 3; COUNT++)\n\t\t*out++ = 0;",
    "switch (off) {\n\tcase 1:\n\t\tCOUNT = 1;\n\t\tbreak;\n\tdefault:\n"
    "\t\tbreak;\n\t}",
    "while (off--)\n\t\tCOUNT++;")
_HARMLESS = ("", "", "if (!COUNT)\n\t\treturn;", "*out++ = COUNT;",
             "if (COUNT > 4)\n\t\toff = 0;", "out[COUNT] = off;",
             "dma_sync_sg_for_device(dev, t->sgl, 1, DMA_TO_DEVICE);")


def _counted(chance: random.Random,
             name: str) -> tuple[str, str, Counted]:
    """Return body, code in front of it, and what holds for its count."""
    it, count = chance.choice(_NAMES), chance.choice(("n", "t->nents"))
    call = "dma_map_sg(dev, t->sgl, t->orig_nents, DMA_TO_DEVICE)"
    before = (f"void {name}_fix(unsigned int *count);\n"
              f"void {name}_fill(struct sg_table *t);\n"
              f"struct sg_table *{name}_next(struct sg_table *t);\n"
              f"#define {name}_SET(x) ((x) = 1)\n"
              f"#define {name}_ONE() ({count} = 1)\n\n")
    value, lead, between = "MAP", "", chance.choice(_HARMLESS)
    walk = (f"\tfor_each_sg_page(t->sgl, &{it}, {count}, 0)\n\t\t"
            + _address(chance, it) + "\n")
    trap = chance.randrange(9)
    if trap == 0:
        value = chance.choice(_VALUES)
    elif trap == 1:
        lead = chance.choice(("if (off)\n\t\t", "while (off--)\n\t\t",
                              "if (dev && off)\n\t\t"))
    elif trap == 2:
        walk = ("\t{\n\tstruct sg_table *t = FN_next(NULL);\n"
                "\tunsigned int n = 4;\n\n\t*out++ = n;\n" + walk + "\t}\n")
    elif trap in (3, 4, 5):
        between = chance.choice(_BETWEEN)
    mapping = f"\t{lead}{count} = {value.replace('MAP', call)};\n"
    if trap == 6:
        # The other way in: the mapping is not always run.
        mapping = "\tif (!off)\n\t\tgoto walk;\n" + mapping
        walk = "walk:\n" + walk
    if between:
        mapping += between if between.startswith("#") else f"\t{between}"
        mapping += "\n"
    body = (_declare(chance, it) + "\n" + mapping + walk).replace(
        "COUNT", count).replace("FN", name)
    return body, before, Counted(name, count, trap > 6)


# --- what gets at an iterator past the functions that take one ----------------

# FN is the name of the function, IT the iterator, I and T the parts of its
# name. Lines of a macro, and a statement of the loop that uses it.
_MACROS = (
    ("#define FN_PG() sg_page_iter_page(&IT)", "*pages++ = FN_PG();"),
    ("#define FN_PG sg_page_iter_page(&IT)", "*pages++ = FN_PG;"),
    ("#define FN_AT() sg_page_iter_dma_address(&IT)", "*out++ = FN_AT();"),
    ("#define FN_AT(x) (sg_page_iter_dma_address(&IT) | (x))",
     "*out++ = FN_AT(1);"),
    ("#define FN_cur IT", "*pages++ = sg_page_iter_page(&FN_cur);"),
    ("#define FN_cur (&IT)", "*out++ = sg_page_iter_dma_address(FN_cur);"),
    ("#define FN_LEFT (IT.__nents)", "n += FN_LEFT;"),
    ("#define FN_OFF(i) ((i).sg_pgoffset)", "n += FN_OFF(IT);"),
    ("#define FN_SG(i) ((i)->sg)", "n += FN_SG(&IT)->length;"),
    ("#define FN_of sg_page_iter_dma_address", "*out++ = FN_of(&IT);"),
    ("#define FN_of sg_page_iter_page", "*pages++ = FN_of(&IT);"),
    ("#define FN_PUT(p) (*pages++ = sg_page_iter_page(p))", "FN_PUT(&IT);"),
    ("#define FN_PUT(a) (*out++ = (a))",
     "FN_PUT(sg_page_iter_dma_address(&IT));"),
    ("#define FN_GET(how, i) sg_page_iter_##how(&i)",
     "*pages++ = FN_GET(page, IT);"),
    ("#define FN_CAT(a, b) a##b",
     "*pages++ = sg_page_iter_page(&FN_CAT(I, T));"),
    ("#define FN_CAT(a, b) a##b\n#define FN_IN(a, b) FN_CAT(a, b)",
     "n += FN_IN(I, T).sg_pgoffset;"),
    ("#define FN_LIST(X) X(IT)\n"
     "#define FN_EACH(i) *pages++ = sg_page_iter_page(&i);",
     "FN_LIST(FN_EACH)"),
    ("#define FN_PG() sg_page_iter_page(&IT)\n#define FN_TWO() FN_PG()",
     "*pages++ = FN_TWO();"),
    ("#define FN_STEP() __sg_page_iter_next(&IT)", "n += FN_STEP();"),
    ("#ifdef CONFIG_B\n#define FN_SEE() (*pages++ = sg_page_iter_page(&IT))\n"
     "#else\n#define FN_SEE() do { } while (0)\n#endif", "FN_SEE();"))
# In front of the function, the declaration, the loop's head.
_WALKS = (
    ("#define FN_walk for_each_sg_page\n", "struct sg_page_iter IT;",
     "FN_walk(t->sgl, &IT, t->nents, 0)"),
    ("#define FN_each(i) for_each_sg_page(t->sgl, i, t->nents, 0)\n",
     "struct sg_page_iter IT;", "FN_each(&IT)"),
    ("#define FN_each() for_each_sg_page(t->sgl, &IT, t->nents, 0)\n",
     "struct sg_page_iter IT;", "FN_each()"),
    ("#define FN_iter struct sg_page_iter\n", "FN_iter IT;", ""),
    ("#define FN_NEW(i) struct sg_page_iter i\n", "FN_NEW(IT);", ""),
    ("#define FN_type sg_page_iter\n", "struct FN_type IT;", ""),
    ("typedef struct sg_page_iter FN_t;\n", "FN_t IT;", ""),
    ("", "struct sg_page_iter IT = { .sg = NULL };", ""),
    ("", "struct sg_page_iter IT = { sg: NULL };", ""),
    ("", "struct sg_page_iter IT = { NULL, 0 };", ""),
    ("", "struct sg_page_iter IT = { 0 };", ""),
    ("", "struct sg_page_iter IT = { };", ""),
    ("", "struct sg_page_iter IT = { .sg = t->sgl, .sg_pgoffset = 1 };", ""),
    ("struct FN_w {\n\tstruct sg_page_iter IT;\n\tint left;\n};\n\n",
     "struct FN_w w = { .IT = { .sg = NULL }, .left = 1 };",
     "for_each_sg_page(t->sgl, &w.IT, t->nents, 0)"),
    ("struct FN_w {\n\tstruct sg_page_iter IT;\n\tint left;\n};\n\n",
     "struct FN_w w = { { NULL }, 1 };",
     "for_each_sg_page(t->sgl, &w.IT, t->nents, 0)"),
    ("struct sg_page_iter FN_IT;\n\n", "extern struct sg_page_iter FN_IT;",
     "for_each_sg_page(t->sgl, &FN_IT, t->nents, 0)"),
    ("", "struct sg_page_iter IT;",
     "for_each_sg_page(t->sgl, &IT,\n#ifdef CONFIG_A\n\t\t\t t->nents,\n"
     "#else\n\t\t\t t->orig_nents,\n#endif\n\t\t\t 0)"),
    ("", "struct sg_page_iter IT;",
     "for (__sg_page_iter_start(&IT, t->sgl,\n#ifdef CONFIG_B\n\t\tn,\n#else"
     "\n\t\tt->nents,\n#endif\n\t\t0); __sg_page_iter_next(&IT);)"),
    ("", "struct sg_page_iter\n#ifdef CONFIG_A\n\tIT;\n#else\n\tIT;\n#endif",
     ""))
# In front of the function, and a statement before the loop.
_TYPES = (
    ("", "memset(&IT, 0, sizeof(struct sg_page_iter));"),
    ("", "n += sizeof(struct sg_page_iter);"),
    ("", "n += sizeof(IT) == sizeof(struct sg_page_iter);"),
    ("_Static_assert(sizeof(struct sg_page_iter) > 4, \"\");\n\n", ""),
    ("", "_Static_assert(sizeof(struct sg_page_iter) > 4, \"\");"),
    ("", "n += __builtin_offsetof(struct sg_page_iter, sg_pgoffset);"),
    ("", "n += __builtin_offsetof(__typeof__(IT), sg_pgoffset);"),
    ("", "__typeof__(IT) next = IT;\n\n"
     "\tn += sg_page_iter_page(&next) != NULL;"),
    ("", "__typeof__(struct sg_page_iter) next = IT;\n\n"
     "\tn += next.sg != NULL;"),
    ("", "__typeof__(&IT) p = &IT;\n\n\tn += sg_page_iter_page(p) != NULL;"),
    ("", "struct sg_page_iter *p = &IT;\n\n"
     "\tn += sg_page_iter_page(p) != NULL;"),
    ("", "n += __builtin_types_compatible_p(__typeof__(IT),\n"
     "\t\t\tstruct sg_page_iter);"),
    ("", "n += _Generic(&IT, struct sg_page_iter *: 1);"))
# What an included file does in the loop, or in the place of it.
_FRAGMENTS = ("\t\t*pages++ = sg_page_iter_page(&IT);\n",
              "\t\t*out++ = sg_page_iter_dma_address(&IT);\n",
              "\t\tn += IT.sg_pgoffset;\n", "\t\tn++;\n")
_SUFFIXES = ("inc", "h", "tpl", "c_shipped", "def")


def _reached(chance: random.Random,
             name: str) -> tuple[str, str, dict[str, str]]:
    """Return body, code in front of it, and the files that it includes."""
    it = chance.choice(_NAMES)
    before, declare, more, first = "", "struct sg_page_iter IT;", "", ""
    head, use = "for_each_sg_page(t->sgl, &IT, t->nents, 0)", ""
    files: dict[str, str] = {}
    kind = chance.randrange(4)
    if kind == 0:
        macro, more = chance.choice(_MACROS)
        before = f"{macro}\n\n"
        if chance.random() < 0.3:
            files[f"{name}.h"] = f"{macro}\n"
            before = f"#include \"{name}.h\"\n\n"
        elif chance.random() < 0.2:
            before = f"#ifdef CONFIG_B\n{macro}\n#endif\n\n"
            more = f"\n#ifdef CONFIG_B\n\t\t{more}\n#endif"
    elif kind == 1:
        before, declare, new = chance.choice(_WALKS)
        head = new or head
        if "w." in head:
            use = _address(chance, "w.IT")
        elif "FN_IT" in head:
            use = _address(chance, "FN_IT")
    elif kind == 2:
        before, first = chance.choice(_TYPES)
    else:
        file = f"{name}.{chance.choice(_SUFFIXES)}"
        files[file] = chance.choice(_FRAGMENTS)
        more = f"\n#include \"{file}\""
        if chance.random() < 0.2:
            files[file] = f"\t{head}\n\t\t{_address(chance, it)}\n"
            head, use, more = "if (n)", ";", more[1:]
    use = use or _address(chance, "IT")
    walk = f"\t{head} {{\n\t\t{use}\n" + (
        f"\t\t{more}\n" if more[:1] not in ("", "\n", "#")
        else f"{more.lstrip()}\n" if more else "") + "\t}\n"
    body = f"\t{declare}\n" + (f"\t{first}\n" if first else "") + f"\n{walk}"
    return (_named(body, name, it), _named(before, name, it),
            {file: _named(text, name, it) for file, text in files.items()})


def _named(text: str, name: str, it: str) -> str:
    return text.replace("I, T", f"{it[:1]}, {it[1:]}").replace(
        "FN", name).replace("IT", it)


# --- guards --------------------------------------------------------------------

_OLD = "LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)"
_NEW = "LINUX_VERSION_CODE >= KERNEL_VERSION(5, 1, 0)"
# With @ for the function and % for one that walks with the new API. No kernel
# compiles the first ones, and the next are other kernels' or a person's.
_STAYS = ("#if 0\n@#endif\n", "#if !1\n@#endif\n",
          "#if defined(CONFIG_A) && !1\n@#endif\n",
          "#if 0\n#elif !1\n@#endif\n", "#if 1 == 2\n@#endif\n",
          "#if !0\n#else\n@#endif\n", "#ifdef CONFIG_A\n#if !1\n@#endif\n"
          "#endif\n", "#if 1 - 1\n%#elif 2 < 1\n@#endif\n",
          f"#if {_OLD}\n@#else\n%#endif\n", f"#if {_NEW}\n%#else\n@#endif\n",
          f"#if !({_NEW})\n@#else\n%#endif\n",
          f"#if {_OLD} && defined(CONFIG_A)\n@#elif {_NEW}\n%#endif\n",
          "#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 9, 0)\n@#endif\n",
          "#ifndef HAVE_SG_DMA_PAGE_ITER\n@#else\n%#endif\n")
_LIVE = ("#if !0\n@#endif\n", "#if 1 || CONFIG_A\n@#endif\n",
         "#if LINUX_VERSION_CODE >= KERNEL_VERSION(3, 9, 0)\n@#endif\n",
         "#if LINUX_VERSION_CODE < KERNEL_VERSION(3, 9, 0)\n%#else\n@#endif\n",
         "#ifdef CONFIG_A\n@#endif\n", "#ifndef HAVE_GUP_FAST\n@#endif\n")
_TWIN = (f"void FN({_PARAMETERS})\n{{\n\tstruct sg_dma_page_iter it;\n\n"
         "\tfor_each_sg_dma_page(t->sgl, &it, t->nents, 0)\n"
         "\t\t*out++ = sg_page_iter_dma_address(&it);\n}\n")


def _guarded(chance: random.Random, name: str) -> _Function:
    """Return a function with a condition around it."""
    body, pages_only, before = chance.choice(
        (_dma, _dma, _mixed, _by_hand, _helper))(chance, name)
    text = f"{before}void {name}({_PARAMETERS})\n{{\n{body}}}\n"
    live = chance.random() < 0.4
    guard = chance.choice(_LIVE if live else _STAYS)
    return _Function(guard.replace("@", text).replace(
        "%", _TWIN.replace("FN", name)), pages_only or not live)

# SPDX-License-Identifier: GPL-2.0-only
"""Compile what a change touches, before it and after each of its steps.

The tree is copied first, so that neither a configured tree stands in the way
of an out-of-tree build nor a build can write into it. One configuration is
made: the machine's defconfig and what the touched files need. Objects are
built with each function in a section of its own, which makes a difference in
a disassembly the difference of a function. A line counts as reached when the
preprocessor's output holds it, macro definitions included. A line of an inline
function in a header counts only where a file that is built calls the function,
since a compiler drops an inline function that nobody calls.

Data:   a tree, its files before, Steps -> Report.
Units:  section sizes in bytes; lines 1-based in the file as a step leaves it.
Errors: VerifyError, when nothing can be built here. Its message has the cause
        and paths of this machine, and is for the terminal; a mail can say no
        more than that nothing was built. A step that does not build is a
        Report, not an error.
Source: core.md's recipes in the design notes; v4.10, v4.20 and v6.1 with
        gcc 12.2 and binutils 2.40.
"""

from __future__ import annotations

import collections
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from host import gitsafe
from prove.builds import Built, Object, Report, Room, Step, VerifyError
from prove.kbuild import (configure, copy_tree, error_of, make_targets,
                          note_removed, pair, put_file, toolchain, warnings_of)
from prove.objects import Image, choose, object_of, source_of
from prove.reached import changed_lines, code_lines, unreached


def run(root: Path, version: str, before: Mapping[str, bytes],
        steps: Sequence[Step], folder: Path, jobs: int,
        untouched: Iterable[str] = ()) -> Report:
    """Build the tree's objects before and after each step.

    folder is kept between runs: it holds the copy and the configured build.
    untouched names C files whose objects no step may change.
    """
    compiler = toolchain(root)
    room = Room(folder.resolve(), jobs, os.uname().machine, pair(version))
    copy_tree(root, room)
    now = dict(before)
    note_removed(room, {*before, *(name for step in steps
                                   for name in step.contents)})
    for name, content in before.items():
        put_file(room, name, content)
    touched, coming = {}, dict(before)
    for step in steps:
        touched[step.name] = choose(room, before, coming, step)
        coming.update(step.contents)
    every = sorted(set().union(*touched.values()))
    watched = sorted({object_of(name) for name in untouched
                      if name.endswith(".c")} - set(every))
    configure(room, [source_of(name) for name in [*every, *watched]], steps,
              before)
    said = make_targets(room, [*every, *watched])
    first = {name: Image.read(room, name) for name in [*every, *watched]
             if (room.build / name).is_file()}
    unbuilt, unwatched = (
        tuple((name, error_of(said, name)) for name in names
              if name not in first) for names in (every, watched))
    warned = warnings_of(said)
    built = []
    for number, step in enumerate(steps):
        for name, content in step.contents.items():
            put_file(room, name, content)
        # A header the whole tree includes is watched through other files.
        look = [name for name in watched if name in first] \
            if number in (0, len(steps) - 1) else []
        objects = [name for name in touched[step.name] if name in first]
        one = _step(room, step, now, first, warned, objects, look)
        now.update(step.contents)
        built.append(one)
    return Report(room.machine, compiler, tuple(built), unbuilt, unwatched)


def since_head(root: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return C files that differ from HEAD: as they were, and as they are.

    Files that git does not track are not among them, nor are deleted ones.
    Without a repository there are none.
    """
    listed = gitsafe.run(root, "diff", "--name-only", "-z", "--relative",
                         "--no-renames", "--no-ext-diff", "--diff-filter=M",
                         "HEAD", "--")
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for name in listed.stdout.split(b"\0") if not listed.returncode else ():
        file = os.fsdecode(name)
        if not file.endswith((".c", ".h")) \
                or not (root / file).is_file() or (root / file).is_symlink():
            continue
        old = gitsafe.run(root, "cat-file", "blob", f"HEAD:./{file}")
        if old.returncode:
            raise VerifyError(f"{file}: git cannot read it in HEAD: "
                              + old.stderr.decode("utf-8", "replace").strip())
        before[file] = old.stdout
        after[file] = (root / file).read_bytes()
    return before, after


def text(report: Report) -> str:
    """Return the report as people read it."""
    lines = [f"built for {report.machine} with {report.compiler}"]
    for one in report.steps:
        lines.append(f"{one.step}:")
        for each in one.objects:
            sizes = ", ".join(
                f"{name} {old} -> {new}" for name, (old, new) in zip(
                    ("text", "data", "bss"), each.sizes) if old != new)
            code = ", ".join(
                f"{name}()" + (" new" if name in each.added else
                               " gone" if name in each.gone else "")
                for name in each.functions)
            same = "byte-identical" if each.identical else "same code"
            lines.append(f"  {each.name}: {code or same}"
                         + (f"; {sizes}" if sizes else ""))
        lines += [f"  new {warning}" for warning in one.warnings]
        lines += [f"  {name}: does not build: {why}"
                  for name, why in one.failed]
        if one.same:
            lines.append(f"  untouched, byte-identical: "
                         f"{', '.join(one.same)}")
        lines += [f"  {name}: untouched, but not identical"
                  for name in one.differ]
        lines.append(f"  {one.changed - len(one.unreached)} of {one.changed} "
                     "changed lines of code were compiled")
        lines += [f"  {file}:{line}: reached by no build"
                  for file, line in one.unreached]
    lines += [f"{name}: does not build before the change either: {why}"
              for name, why in report.unbuilt]
    lines += [f"{name}: not touched, and not compared, since it does not "
              f"build here: {why}" for name, why in report.unwatched]
    return "\n".join(lines) + "\n"


def _step(room: Room, step: Step, now: Mapping[str, bytes],
          first: dict[str, Image], warned: collections.Counter[str],
          objects: Sequence[str], look: Sequence[str]) -> Built:
    """Build one step whose files are in place, and compare."""
    # What the preprocessor makes of the changed files is asked for as well;
    # of those that include a changed header only where that is not enough.
    near = [name for name in objects if source_of(name) in step.contents] \
        or list(objects[:2])
    said = make_targets(room, [*objects, *look,
                               *(name[:-2] + ".i" for name in near)])
    done, failed, same, differ = [], [], [], []
    for name in objects:
        if not (room.build / name).is_file():
            failed.append((name, error_of(said, name)))
            continue
        image, old = Image.read(room, name), first[name]
        done.append(Object(
            name, tuple(sorted(
                each for each in {*image.code, *old.code}
                if image.code.get(each) != old.code.get(each))),
            tuple(sorted({*image.code} - {*old.code})),
            tuple(sorted({*old.code} - {*image.code})),
            tuple(zip(old.sizes, image.sizes)), image.digest == old.digest))
        # The next step is compared with what this one left.
        first[name] = image
    for name in look:
        path = room.build / name
        if path.is_file() and first[name].digest == hashlib.sha256(
                path.read_bytes()).hexdigest():
            same.append(name)
        elif path.is_file():
            differ.append(name)
        else:
            failed.append((name, error_of(said, name)))
    new = warnings_of(said) - warned
    changed = {name: code_lines(content, changed_lines(now.get(name, b""),
                                                       content))
               for name, content in step.contents.items()}
    missed = unreached(room, near, step.contents, changed)
    if missed and len(near) < len(done):
        every = [each.name for each in done]
        make_targets(room, [name[:-2] + ".i" for name in every
                            if name not in near])
        missed = unreached(room, every, step.contents, changed)
    return Built(step.name, tuple(done), tuple(sorted(new.elements())),
                 tuple(failed), tuple(same), tuple(differ),
                 sum(map(len, changed.values())), missed)

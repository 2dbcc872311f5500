# SPDX-License-Identifier: GPL-2.0-only
"""Hold JSON to a JSON schema, with nothing but the standard library.

The part of draft 7 that the schemas here are written in, and no more: a
keyword that is not known is an error, so that no check is passed by silence.

Data:   value + schema -> complaints, none when it fits.
Errors: ValueError for a schema with a keyword that is not known here.
Source: JSON Schema draft 7; python3-jsonschema agrees where it is installed.
"""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,),
    "integer": (int,), "boolean": (bool,)}
_WORDS = {"$schema", "$comment", "$ref", "title", "description", "definitions",
          "type", "const", "enum", "pattern", "minimum", "maxItems",
          "minItems", "required", "properties", "additionalProperties",
          "items", "uniqueItems"}


def complaints(value: Any, schema: Any, root: Any = None,
               at: str = "$") -> list[str]:
    """Return what is wrong with a value, each with its place."""
    root = schema if root is None else root
    if unknown := set(schema) - _WORDS:
        raise ValueError(f"{at}: unknown keyword: {', '.join(unknown)}")
    if "$ref" in schema:
        found = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return complaints(value, found, root, at)
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind])
                 or kind == "integer" and isinstance(value, bool)):
        return [f"{at}: not of type {kind}"]
    wrong = []
    if "const" in schema and value != schema["const"]:
        wrong.append(f"{at}: not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        wrong.append(f"{at}: {value!r} does not fit {schema['pattern']}")
    if "minimum" in schema and value < schema["minimum"]:
        wrong.append(f"{at}: {value} is below {schema['minimum']}")
    if isinstance(value, list):
        wrong += _list(value, schema, root, at)
    if isinstance(value, dict):
        wrong += _object(value, schema, root, at)
    return wrong


def _list(value: list[Any], schema: Any, root: Any, at: str) -> list[str]:
    wrong = []
    if len(value) > schema.get("maxItems", len(value)):
        wrong.append(f"{at}: more than {schema['maxItems']} items")
    if len(value) < schema.get("minItems", 0):
        wrong.append(f"{at}: fewer than {schema['minItems']} items")
    if schema.get("uniqueItems") and len(value) != len(
            {repr(item) for item in value}):
        wrong.append(f"{at}: two items are the same")
    if "items" in schema:
        for number, item in enumerate(value):
            wrong += complaints(item, schema["items"], root,
                                f"{at}[{number}]")
    return wrong


def _object(value: dict[str, Any], schema: Any, root: Any,
            at: str) -> list[str]:
    wrong = [f"{at}: no {name}" for name in schema.get("required", ())
             if name not in value]
    known = schema.get("properties", {})
    for name, item in value.items():
        if name in known:
            wrong += complaints(item, known[name], root, f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            wrong.append(f"{at}: {name} is not known")
    return wrong

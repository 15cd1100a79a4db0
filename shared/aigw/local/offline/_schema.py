"""JSON that obeys a JSON schema, with its values taken from a prompt.

Required properties are always there; optional ones only when the prompt tells their value. What the prompt does not
tell and the schema demands is the schema's default, null, or a value that says nothing.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, Literal

from aigw.local.offline._formats import (
    find_formatted,
    fit_length,
    in_range,
    is_formatted,
    number_in_range,
    obeys,
    sample,
)
from aigw.local.offline._passages import split_sentences
from aigw.local.offline._schema_check import Work
from aigw.local.offline._schema_read import Schema, SchemaReader, types_of, within
from aigw.local.offline._values import Finder, Hint
from aigw.local.offline._words import stems

MAX_DEPTH: Final = 8
_OPTIONAL_DEPTH: Final = 4
_MAX_ITEMS: Final = 20
_CLAUSE: Final = re.compile(r";\s*|,?\s+and\s+|\n+")


class Missing(Enum):
    """The value of a property that the prompt does not tell."""

    VALUE = 0


MISSING: Final = Missing.VALUE
Found = Any | Literal[Missing.VALUE]


def fill_schema(schema: Any, finder: Finder, hint: Hint | None = None) -> Any:
    """Give a JSON value that obeys `schema`, with what `finder` finds.

    Understood: type (also several), properties, required, additionalProperties, enum, const, anyOf, oneOf, allOf, $ref
    within the schema, items, prefixItems, minItems, maxItems, uniqueItems, the limits of numbers and strings, default.
    Not understood: not, if/then/else, dependentSchemas, patternProperties, contains.

    Args:
        schema: A schema that `check_schema` let pass.
        finder: What looks into the prompt.
        hint: What the value is called.

    Raises:
        InvalidRequest: The schema refers to itself without an end, or to something that is no schema.
    """
    return _Filler(schema, finder, Work()).value(schema, hint or Hint(""), 0, must=True)


class _Filler:
    """One walk over a schema; `hits` counts the values that the prompt told."""

    def __init__(self, root: Any, finder: Finder, work: Work) -> None:
        self.root = root
        self.finder = finder
        self.work = work
        self.reader = SchemaReader(root, work)
        self.hits = 0
        self.by_type: dict[str, Callable[[Schema, Hint, int, bool], Found]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": self._boolean,
        }

    def value(self, schema: Any, hint: Hint, depth: int, *, must: bool) -> Found:
        with self.work.step():
            return self._value(self.reader.resolve(schema), hint, depth, must)

    def _value(self, resolved: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: FBT001 - see _told
        hint = Hint(hint.name or str(resolved.get("title", "")), str(resolved.get("description", hint.description)))
        value = self._told(resolved, hint, depth, must)
        if value is not MISSING or not must:
            return value
        return resolved["default"] if "default" in resolved else self._silent(resolved, depth)

    def _told(self, schema: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: FBT001 - a column of by_type
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._member(schema)
        if branches := self.reader.branches(schema):
            return self._union(schema, branches, hint, depth, must)
        types = types_of(schema)
        if depth > MAX_DEPTH or (depth > _OPTIONAL_DEPTH and not must):
            return MISSING
        for name in types:
            if name in self.by_type:
                value = self.by_type[name](
                    schema, hint, depth, must and "null" not in types and "default" not in schema
                )
                if value is not MISSING:
                    return value
        return MISSING

    def _silent(self, schema: Schema, depth: int) -> Any:
        """Give a value that the schema allows and that claims as little as it can."""
        if "enum" in schema:
            return None if None in schema["enum"] else schema["enum"][0]
        if branches := self.reader.branches(schema):
            return self._silent_union(branches, depth)
        types = types_of(schema)
        if "null" in types:
            return None
        empty: dict[str, Any] = {"object": {}, "array": [], "boolean": False}
        if types[0] in empty:
            return empty[types[0]]
        if types[0] in {"integer", "number"}:
            return _as_number(number_in_range(schema, whole=types[0] == "integer"), types)
        return sample(schema) if is_formatted(schema) else fit_length("", schema)

    def _silent_union(self, branches: list[Schema], depth: int) -> Any:
        if any("null" in types_of(branch) for branch in branches):
            return None
        return self.value(branches[0], Hint(""), depth + 1, must=True)

    def _member(self, schema: Schema) -> Found:
        found = self.finder.members(schema["enum"])
        self.hits += bool(found)
        return found[0] if found else MISSING

    def _union(self, schema: Schema, branches: list[Schema], hint: Hint, depth: int, must: bool) -> Found:  # noqa: FBT001 - see _told
        nullable = any(types_of(branch) == ("null",) for branch in branches)
        real = [branch for branch in branches if types_of(branch) != ("null",)]
        for branch in sorted(real, key=lambda branch: -self._mentions(branch)):
            value = self._attempt(branch, hint, depth)
            if value is not MISSING:
                return value
        if nullable or not must or not real or "default" in schema:
            return MISSING
        return self.value(max(real, key=self._mentions), hint, depth + 1, must=True)

    def _attempt(self, schema: Schema, hint: Hint, depth: int) -> Found:
        """Fill one branch; take what it used back when the prompt tells nothing of it."""
        used, hits = self.finder.used, self.hits
        value = self.value(schema, hint, depth + 1, must=False)
        if value is MISSING:
            self.finder.used, self.hits = used, hits
        return value

    def _mentions(self, schema: Schema) -> int:
        """Count the words of the prompt that tell one branch from the others: its constants, title and properties."""
        properties = schema.get("properties") or {}
        constants = [str(sub["const"]) for sub in properties.values() if isinstance(sub, dict) and "const" in sub]
        own = stems(" ".join((str(schema.get("title", "")), *constants)).replace("_", " "))
        return 3 * len(own & self.finder.stems) + len(stems(" ".join(properties)) & self.finder.stems)

    def _object(self, schema: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: ARG002, FBT001 - see _told
        used, hits = self.finder.used, self.hits
        properties: dict[str, Any] = schema.get("properties") or {}
        required: list[str] = list(schema.get("required") or ())
        filled = {
            name: value
            for name, sub in properties.items()
            if (value := self.value(sub, Hint(name), depth + 1, must=name in required)) is not MISSING
        }
        filled |= {
            name: self.value({}, Hint(name), depth + 1, must=True) for name in required if name not in properties
        }
        if not properties:
            filled |= self._free_properties(schema)
        if self.hits == hits and not must:
            self.finder.used = used
            return MISSING
        return filled

    def _free_properties(self, schema: Schema) -> dict[str, Any]:
        extra = schema.get("additionalProperties", True)
        if extra is False:
            return {}
        pairs = self.finder.pairs()
        self.hits += bool(pairs)
        filled = {key: self._free_value(extra, key, text) for key, text in pairs.items()}
        lacking = max(0, schema.get("minProperties", 0) - len(filled))
        return filled | {f"key{at}": self.value(extra, Hint(""), 1, must=True) for at in range(lacking)}

    def _free_value(self, schema: Any, key: str, text: str) -> Any:
        filler = _Filler(within(schema, self.root), Finder(text), self.work)
        return filler.value(filler.root, Hint(key), 0, must=True)

    def _array(self, schema: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: FBT001 - see _told
        heads = [self.value(sub, Hint(hint.name), depth + 1, must=True) for sub in schema.get("prefixItems") or ()]
        item = schema.get("items", {} if not heads else False)
        if item is False:
            return heads
        values = self._items(self.reader.resolve(item), hint, depth, must)
        if not values and not must and not heads:
            return MISSING
        longest = schema.get("maxItems", _MAX_ITEMS)
        values = (heads + (_distinct(values) if schema.get("uniqueItems") else values))[:longest]
        return self._lengthen(values, schema, item, depth)

    def _items(self, item: Schema, hint: Hint, depth: int, must: bool) -> list[Any]:  # noqa: FBT001 - see _told
        values = self._told_items(item, hint, must)
        if not values and must and depth < MAX_DEPTH:
            only = self.value(item, hint, depth + 1, must=types_of(item) != ("object",) or depth < _OPTIONAL_DEPTH)
            values = [] if only is MISSING else [only]
        else:
            self.hits += bool(values)
        return values

    def _told_items(self, item: Schema, hint: Hint, must: bool) -> list[Any]:  # noqa: FBT001 - see _told
        if "enum" in item:
            return self.finder.members(item["enum"])
        kind = types_of(item)[0]
        if kind == "string":
            return [value for text in self.finder.strings(hint) if obeys(value := fit_length(text, item), item)]
        if kind in {"integer", "number"} and (must or hint.stems & self.finder.stems):
            return [_as_number(value, types_of(item)) for value in self.finder.numbers(_accepts(item, kind))]
        return list(self._objects(item)) if kind == "object" and item.get("properties") else []

    def _objects(self, item: Schema) -> Iterator[Any]:
        """Give one object for every sentence, line or clause of the prompt that tells most of its properties."""
        sentences = [part for line in self.finder.text.splitlines() for part in split_sentences(line)]
        enough = max(1, (len(item["properties"]) + 1) // 2)
        for parts in (sentences, [part for sentence in sentences for part in _CLAUSE.split(sentence)]):
            fillers = [_Filler(self.root, Finder(part), self.work) for part in parts[:_MAX_ITEMS]]
            filled = [(filler.value(item, Hint(""), MAX_DEPTH - 2, must=True), filler.hits) for filler in fillers]
            told = [value for value, hits in filled if hits >= enough]
            if len(told) > 1:
                yield from told
                return

    def _lengthen(self, values: list[Any], schema: Schema, item: Any, depth: int) -> list[Any]:
        while len(values) < schema.get("minItems", 0) and depth <= MAX_DEPTH:
            more = self.value(item, Hint(""), depth + 1, must=True)
            if schema.get("uniqueItems") and more in values:
                more = more + 1 if isinstance(more, int | float) else f"{more} {len(values) + 1}"
            values = [*values, more]
        return values

    def _string(self, schema: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: ARG002, FBT001 - see _told
        if is_formatted(schema):
            found = find_formatted(self.finder.text, schema)
        else:
            found = self.finder.string(hint, lambda text: obeys(fit_length(text, schema), schema), must=must)
        if found is None:
            return MISSING
        self.hits += 1
        return fit_length(found, schema)

    def _number(self, schema: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: ARG002, FBT001 - see _told
        types = types_of(schema)
        found = self.finder.number(hint, _accepts(schema, types[0]), must=must)
        if found is None:
            return MISSING
        self.hits += 1
        return _as_number(found, types)

    def _boolean(self, schema: Schema, hint: Hint, depth: int, must: bool) -> Found:  # noqa: ARG002, FBT001 - see _told
        found = self.finder.boolean(hint)
        self.hits += found is not None
        return MISSING if found is None else found


def _accepts(schema: Schema, kind: str) -> Callable[[float], bool]:
    return lambda value: in_range(value, schema) and (kind != "integer" or value.is_integer())


def _as_number(value: float, types: tuple[str, ...]) -> float:
    return int(value) if "integer" in types or float(value).is_integer() else value


def _distinct(values: list[Any]) -> list[Any]:
    return [value for at, value in enumerate(values) if value not in values[:at]]

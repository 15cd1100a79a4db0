"""Tools: whether a message calls for one, which, and with what arguments.

A tool fits a message by the words they share: a word of the tool's name counts 2, a word of its description 1, of its
parameters 0.5. A tool is called unasked when the sum is at least `MIN_FIT`, or when it reaches 1 and the shared words
are half of what the message says.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aigw._given import shown
from aigw.local.offline._errors import InvalidRequest
from aigw.local.offline._schema import fill_schema
from aigw.local.offline._schema_check import check_schema
from aigw.local.offline._values import Finder
from aigw.local.offline._words import name_words, stems

MIN_FIT: Final = 2.0
_NAME_WEIGHT: Final = 2.0
_DESCRIPTION_WEIGHT: Final = 1.0
_PARAMETER_WEIGHT: Final = 0.5
_SECOND_BEST: Final = 0.5

_GENERIC: Final = stems(
    "tool tools function call called return returns given input output value result user useful fetch run retrieve"
    " perform provide information question answer int string number numbers integer integers two parameter"
    " argument args"
)
_OPERATIONS: Final = (
    (
        re.compile(r"\d\s*\+\s*\d|\bplus\b|\bsum\b|\badd(?:ed|ing)?\b|\badds\b", re.IGNORECASE),
        "add adder addition plus sum",
    ),
    (
        re.compile(r"\d\s*[*\u00d7x]\s*\d|\btimes\b|\bmultipl\w+\b|\bproduct of\b", re.IGNORECASE),
        "multiply multiplication multiplier times product",
    ),
    (
        re.compile(r"\d\s+[-\u2212]\s*\d|\bminus\b|\bsubtract\w*\b|\bdifference between\b", re.IGNORECASE),
        "subtract subtraction minus difference",
    ),
    (re.compile(r"\d\s*[/\u00f7]\s*\d|\bdivided?\b|\bquotient\b", re.IGNORECASE), "divide division quotient"),
    (re.compile(r"\d\s*(?:\*\*|\^)\s*\d|\bto the power\b|\braised\b", re.IGNORECASE), "power exponent exponentiate"),
    (
        re.compile(r"\d\s*[-+*/\u00d7^]\s*\d|\b\d+ (?:plus|minus|times|divided by) \d", re.IGNORECASE),
        "calculate calculator math arithmetic compute",
    ),
)
_CLAUSE: Final = re.compile(r"[?.!;]\s+|,?\s+(?:and|then)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tool:
    """One function the request offers: its name, what it is for, and the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool; `arguments` is a JSON object, as text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What the request says about tools: `mode` is none, auto or required; `name` is the one that must be called."""

    mode: str
    name: str = ""
    is_parallel: bool = True


def read_tools(value: Any) -> tuple[Tool, ...]:
    """Read the `tools` of a chat request; none when they are left out.

    Raises:
        InvalidRequest: The list is empty or an entry is no function with a name and a schema.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise InvalidRequest("tools must be a list of at least one tool; leave it out to offer none", "tools")
    return tuple(_read_tool(item, f"tools[{index}]") for index, item in enumerate(value))


def read_choice(body: Mapping[str, Any], tools: Sequence[Tool]) -> ToolChoice:
    """Read `tool_choice` and `parallel_tool_calls`.

    Raises:
        InvalidRequest: The choice is unknown, names a tool that is not offered, or demands one when none are.
    """
    choice = body.get("tool_choice") or ("auto" if tools else "none")
    parallel = body.get("parallel_tool_calls") is not False
    if choice in ("none", "auto"):
        return ToolChoice(choice if tools else "none", is_parallel=parallel)
    if choice in ("required", "any"):
        _demand_tools(tools)
        return ToolChoice("required", is_parallel=parallel)
    name = (choice.get("function") or choice).get("name") if isinstance(choice, dict) else None
    if not isinstance(name, str):
        raise InvalidRequest(
            "tool_choice must be 'none', 'auto', 'required' or an object that names a function", "tool_choice"
        )
    _demand_tools(tools)
    if name not in {tool.name for tool in tools}:
        raise InvalidRequest(f"tool_choice names {shown(name)}, which is not among the tools", "tool_choice")
    return ToolChoice("required", name, parallel)


def choose_tools(prompt: str, tools: Sequence[Tool], choice: ToolChoice, called: frozenset[str]) -> list[Tool]:
    """Choose the tools to call for a prompt, most fitting first.

    Args:
        prompt: What the user asked.
        tools: The tools on offer.
        choice: What the request demands.
        called: The tools whose results are there already; they are called again only if nothing else is on offer.
    """
    if choice.name:
        return [tool for tool in tools if tool.name == choice.name]
    if choice.mode == "none" or (choice.mode == "auto" and called):
        return []
    open_tools = [tool for tool in tools if tool.name not in called] or list(tools)
    wanted = _wanted(prompt)
    fits = sorted(
        ((fit(wanted, tool), -at, tool) for at, tool in enumerate(open_tools)), key=lambda item: item[:2], reverse=True
    )
    best, _, first = fits[0]
    if choice.mode == "auto" and not _is_clear(best, wanted, first):
        return []
    more = [tool for score, _, tool in fits[1:] if score >= max(MIN_FIT, _SECOND_BEST * best)]
    return [first, *_complementary(wanted, first, more)] if choice.is_parallel else [first]


def fit(wanted: frozenset[str], tool: Tool) -> float:
    """Say how well a tool fits the words of a prompt; the module says how it is counted."""
    name, description, parameters = _tool_words(tool)
    return (
        _NAME_WEIGHT * len(wanted & name)
        + _DESCRIPTION_WEIGHT * len(wanted & description - name)
        + _PARAMETER_WEIGHT * len(wanted & parameters - name - description)
    )


def call_tool(tool: Tool, prompt: str, others: Sequence[Tool], material: str, reply: str) -> Call:
    """Call a tool with arguments from the part of the prompt that is about it, or from the material after it."""
    clause = _clause_for(tool, prompt, others)
    text = f"{clause}\n\n{material}" if material and material not in clause else clause
    arguments = fill_schema({"type": "object", **tool.parameters}, Finder(text, reply))
    return Call(tool.name, json.dumps(arguments, ensure_ascii=False))


def _read_tool(value: Any, param: str) -> Tool:
    if not isinstance(value, dict) or value.get("type", "function") != "function":
        raise InvalidRequest(f"{param} must be an object of type 'function'", f"{param}.type")
    spec = value.get("function", value)
    if not isinstance(spec, dict) or not isinstance(spec.get("name"), str) or not spec["name"]:
        raise InvalidRequest(f"{param}.function must have a name", f"{param}.function.name")
    parameters = spec.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest(
            f"{param}.function.parameters must be a JSON schema object", f"{param}.function.parameters"
        )
    check_schema(parameters, f"{param}.function.parameters")
    return Tool(spec["name"], str(spec.get("description") or ""), parameters)


def _demand_tools(tools: Sequence[Tool]) -> None:
    if not tools:
        raise InvalidRequest("tool_choice demands a tool, but the request offers none", "tool_choice")


def _wanted(prompt: str) -> frozenset[str]:
    operations = " ".join(names for found, names in _OPERATIONS if found.search(prompt))
    return stems(f"{prompt} {operations}") - _GENERIC


def _tool_words(tool: Tool) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    properties = tool.parameters.get("properties") or {}
    described = " ".join(str(sub.get("description", "")) for sub in properties.values() if isinstance(sub, dict))
    named = " ".join(word for name in properties for word in name_words(name))
    parts = (" ".join(name_words(tool.name)), tool.description, f"{named} {described}")
    name, description, parameters = (stems(part) - _GENERIC for part in parts)
    return name, description, parameters


def _is_clear(score: float, wanted: frozenset[str], tool: Tool) -> bool:
    name, description, _ = _tool_words(tool)
    shared = len(wanted & (name | description))
    return score >= MIN_FIT or (score >= 1.0 and 2 * shared >= len(wanted))


def _complementary(wanted: frozenset[str], first: Tool, more: Sequence[Tool]) -> list[Tool]:
    """Keep the tools that answer to words of the prompt to which no tool before them answers."""
    chosen: list[Tool] = []
    taken = _tool_words(first)[0] | _tool_words(first)[1]
    for tool in more:
        own = wanted & _tool_words(tool)[0]
        if own - taken:
            chosen.append(tool)
            taken |= own
    return chosen


def _clause_for(tool: Tool, prompt: str, others: Sequence[Tool]) -> str:
    """When several tools are called, give the clause that is about this one."""
    clauses = [clause for clause in _CLAUSE.split(prompt) if clause.strip()]
    if not others or len(clauses) < 2:
        return prompt
    own = [
        clause
        for clause in clauses
        if fit(_wanted(clause), tool) > max(fit(_wanted(clause), other) for other in others)
    ]
    return " ".join(own) or prompt

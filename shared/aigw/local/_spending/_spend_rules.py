"""Spend limit rules, read from a gateway's settings: which calls a rule is about, and which bucket each falls into.

Sources tell the dimensions differently; all forms are read: `"partition"`, `{"mode": "partition"}`,
`{"mode": "filter", "values": [...]}`, `{"mode": "match", "value": ...}` and `{"match": ...}`. A partition gives every
value a bucket of its own, a filter leaves out the calls with another value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigw.local._logs._record import Scalar, scalar_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local._routing._model_names import ModelName
    from aigw.local._settings._gateway_settings import Technique


@dataclass(frozen=True, slots=True)
class SpendRule:
    """One rule.

    Attributes:
        id: Its id; its place among the rules when it has none.
        limit: Dollars in a window.
        window: Seconds.
        technique: How the window moves.
        metadata: The metadata keys it looks at, and how.
        model: How it looks at the model; `None` for not at all.
        provider: How it looks at the provider.
    """

    id: str
    limit: float
    window: int
    technique: Technique
    metadata: Mapping[str, Any]
    model: Any
    provider: Any

    def bucket(self, model: ModelName, metadata: Mapping[str, Scalar] | None) -> tuple[str, ...] | None:
        """Give the bucket a call falls into; `None` when the rule is not about it."""
        labels = {key: scalar_text(value) for key, value in (metadata or {}).items()}
        found = [_part(how, (labels[key],) if key in labels else ()) for key, how in self.metadata.items()]
        found += [_part(self.model, (model.logged, model.asked, _bare(model))), _part(self.provider, (model.provider,))]
        return None if None in found else (self.id, *(part for part in found if part is not None))

    def refusal(self, model: ModelName) -> str:
        """Say that the limit is reached, in the pattern seen of the real gateway."""
        limit = f"cost limit {self.limit:g} per {self.window}s, {self.technique}"
        return f"Spend limit exceeded: rule '{self.id}' ({limit}) for {model.provider} {_bare(model)}"


def read_spend_rules(limits: Mapping[str, Any] | None) -> list[SpendRule]:
    """Read the rules that are on from a gateway's checked `spend_limits`."""
    if not limits or limits.get("enabled") is False:
        return []
    rules = enumerate(limits.get("rules") or ())
    return [_read(index, rule) for index, rule in rules if rule.get("enabled") is not False]


def _read(index: int, rule: Mapping[str, Any]) -> SpendRule:
    return SpendRule(
        id=rule.get("id") or str(index),
        limit=rule["limit"],
        window=rule["window"],
        technique=rule.get("technique") or "fixed",
        metadata=rule.get("metadata") or {},
        model=rule.get("model"),
        provider=rule.get("provider"),
    )


def _part(how: Any, values: tuple[str, ...]) -> str | None:
    if how is None:
        return ""
    if how == "partition" or (isinstance(how, dict) and how.get("mode") == "partition"):
        return values[0] if values else ""
    wanted: Any = how.get("values", how.get("value", how.get("match"))) if isinstance(how, dict) else how
    texts = {scalar_text(value) for value in (wanted if isinstance(wanted, list) else [wanted])}
    return next((value for value in values if value in texts), None)


def _bare(model: ModelName) -> str:
    return model.logged if model.logged.startswith("@") else model.logged.partition("/")[2] or model.logged

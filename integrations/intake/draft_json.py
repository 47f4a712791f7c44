"""Drafts as JSON, for waiting records: fields that a draft does not provide are left out, and missing again when
read.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from integrations.connectors.drafts import CommitDraft, Draft
from integrations.enums import Kind
from integrations.intake.tables import TABLES


def dump_draft(draft: Draft) -> dict[str, Any]:
    provided = set(draft.provided())
    everything: dict[str, Any] = _adapter(draft.kind).dump_python(draft, mode="json")
    return {name: value for name, value in everything.items() if name in provided}


def load_draft(kind: Kind, document: dict[str, Any]) -> Draft:
    draft: Draft = _adapter(kind).validate_python(document)
    return draft


@cache
def _adapter(kind: Kind) -> TypeAdapter[Any]:
    return TypeAdapter(CommitDraft if kind == Kind.COMMIT else TABLES[kind].draft)

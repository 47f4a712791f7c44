"""Provider payloads for admins: their structure, without personal data.

Names, logins, addresses and free text are replaced by the kind of value; ids, states and times, which a problem usually
concerns, stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Objects that are people, by providers' names of the fields.
_PEOPLE = frozenset(
    {
        "user",
        "author",
        "assignee",
        "assignees",
        "reviewer",
        "reviewers",
        "requested_reviewer",
        "requested_reviewers",
        "sender",
        "pusher",
        "committer",
        "creator",
        "actor",
        "owner",
        "reporter",
        "member",
        "merged_by",
        "closed_by",
        "triggering_actor",
        "deployed_by",
        "requested_by",
        "author_email",
        "login",
        "email",
        "avatar_url",
        "gravatar_id",
    }
)
_WRITTEN = frozenset({"title", "body", "message", "description", "text", "comment", "summary", "display_title"})
_NAMES = frozenset({"login", "name", "username", "user_name", "display_name", "full_name", "nickname"})
_ADDRESS = re.compile(r"[^\s@<>\"'()]+@[^\s@<>\"'()]+")
SHORTEST_NAME = 3  # a shorter one would blot out half of every text
LONGEST_TEXT = 200
MOST_ITEMS = 5
DEEPEST = 12


def masked(payload: Any) -> Any:
    """The payload with people's fields masked, wherever their names occur, and long texts and lists truncated."""
    names = sorted(set(_names_in(payload, depth=0)), key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names)
    return _masked(payload, re.compile(pattern, re.IGNORECASE) if names else None, depth=0)


def _masked(payload: Any, names: re.Pattern[str] | None, *, depth: int) -> Any:
    if depth == DEEPEST:
        return _kind_of(payload)
    if isinstance(payload, Mapping):
        return {
            str(name): _kind_of(value) if _is_masked(str(name)) else _masked(value, names, depth=depth + 1)
            for name, value in payload.items()
        }
    if isinstance(payload, list):
        shown = [_masked(item, names, depth=depth + 1) for item in payload[:MOST_ITEMS]]
        return [*shown, f"(and {len(payload) - MOST_ITEMS} more)"] if len(payload) > MOST_ITEMS else shown
    if isinstance(payload, str):
        text = _ADDRESS.sub("(address)", payload[: 2 * LONGEST_TEXT])
        text = names.sub("(name)", text) if names else text
        return f"{text[:LONGEST_TEXT]}… ({len(payload)} characters)" if len(payload) > LONGEST_TEXT else text
    return payload


def _names_in(payload: Any, *, depth: int, of_person: bool = False) -> Iterator[str]:
    """The names of people in their own objects: they may also occur in branches, links and labels."""
    if depth == DEEPEST:
        return
    if isinstance(payload, Mapping):
        for name, value in payload.items():
            key = _snake(str(name))
            if isinstance(value, str):
                if (key == "login" or (of_person and key in _NAMES)) and len(value) >= SHORTEST_NAME:
                    yield value
            else:
                yield from _names_in(value, depth=depth + 1, of_person=key in _PEOPLE)
    elif isinstance(payload, list):
        for item in payload:
            yield from _names_in(item, depth=depth + 1, of_person=of_person)


def _is_masked(name: str) -> bool:
    name = _snake(name)
    return name in _PEOPLE or name in _WRITTEN or name.endswith(("_email", "_login"))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _kind_of(value: Any) -> str:
    """The kind of a value, without the value."""
    if isinstance(value, str):
        return f"(text of {len(value)} characters)"
    if isinstance(value, list):
        return f"({len(value)} items)"
    if isinstance(value, Mapping):
        return f"(object with {', '.join(map(str, value))})"[:LONGEST_TEXT]
    return "(nothing)" if value is None else "(value)"

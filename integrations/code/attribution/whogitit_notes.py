"""Notes of whogitit, version 3, converted to git-ai's layout: lines of one session, of people, and unknown ones.

https://github.com/dotsetlabs/whogitit/blob/main/docs/src/reference/data-formats.md  A note also holds prompts and code,
which are not stored.  It names every line of a file; only those that the commit adds count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

SESSION, PERSON, UNKNOWN = "session", "human", "unknown"
# A line of the agent that a person changed is nobody's: who wrote which part of it is not told.
KEYS = {"AI": SESSION, "Human": PERSON, "AIModified": UNKNOWN, "Unknown": UNKNOWN}
AGENT = "claude_code"  # the only one that it records


def in_layout_of_git_ai(text: str) -> tuple[str, dict[str, tuple[str, str, str]]]:
    """Attestations, and the session that their key refers to.  Raises ValueError with a sentence."""
    try:
        note: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("The note is not JSON.") from None
    if not isinstance(note, dict) or note.get("version") != 3:
        raise ValueError("The note is JSON, but not whogitit's version 3.")
    session, files = note.get("session"), note.get("files")
    if not isinstance(session, dict) or not isinstance(files, list):
        raise ValueError("The note of whogitit has no session or no files.")
    model = session.get("model")
    name = str(model.get("id") or "") if isinstance(model, dict) else ""
    who = AGENT, name[:120], str(session.get("session_id") or "")[:200]
    return "\n".join(_attestations(files)), {SESSION: who}


def _attestations(files: list[Any]) -> Iterator[str]:
    for file in files:
        path, lines = (file.get("path"), file.get("lines")) if isinstance(file, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(lines, list):
            raise ValueError("The note of whogitit has a file without path or lines.")
        yield json.dumps(path, ensure_ascii=False)
        numbers: dict[str, list[str]] = {}
        for line in lines:
            source = line.get("source") if isinstance(line, dict) else None
            kind = source.get("type") if isinstance(source, dict) else None
            if key := KEYS.get(kind if isinstance(kind, str) else ""):
                numbers.setdefault(key, []).append(str(line.get("line_number")))
        for key, own in numbers.items():
            yield f"  {key} {','.join(own)}"

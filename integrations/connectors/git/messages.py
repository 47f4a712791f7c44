"""The trailers of a commit message; nothing else beside the subject is kept."""

from __future__ import annotations

import re

from integrations.connectors.git.history import LONGEST_TRAILER, Trailer

_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*)\s*:\s*(?P<value>\S.*)")


def trailers_of(message: str) -> tuple[Trailer, ...]:
    """The trailers in the last paragraph of a message, with their continued lines; none in the subject."""
    paragraphs = re.split(r"\n\s*\n", message.strip().replace("\r\n", "\n"))
    if len(paragraphs) < 2:
        return ()
    unfolded = re.sub(r"\n[ \t]+", " ", paragraphs[-1])
    matches = [_TRAILER.fullmatch(line.strip()) for line in unfolded.split("\n")]
    return tuple(Trailer(match["key"], match["value"].strip()[:LONGEST_TRAILER]) for match in matches if match)

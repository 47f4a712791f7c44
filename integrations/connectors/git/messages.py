"""The trailers of a commit message, and the writer's own lines in it; only the subject is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

LONGEST_TRAILER = 500
MOST_TRAILERS = 1000  # per message: a generated list of names is no list of authors

_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*)\s*:\s*(?P<value>\S.*)")
_REVERT = re.compile(r"^(?:Revert|Reapply) \"|^This reverts commit [0-9a-f]{7,64}", re.MULTILINE)
_ORIGINAL = re.compile(r"\W*original (?:commit|change|message|description|pr)\b.*:\W*", re.IGNORECASE)
_FENCE = re.compile(r"(?:```|~~~)")
# Lines that hosts and git write when they join the messages of several commits.
_MERGED = re.compile(r"\((?:pull request )?[#!]\d+\)$|^Merged PR \d+|^Merged in \S", re.IGNORECASE)
_PART = re.compile(r"\* \S")
_RULE = re.compile(r"-{5,}")
_COMMIT = re.compile(r"commit [0-9a-f]{40,64}")
_SQUASHED = "Squashed commit of the following:"
_INDENT = "    "
Begins = Callable[[str, str], bool]
"""Whether a part begins, by the line before and the line itself."""


@dataclass(frozen=True, slots=True)
class Trailer:
    key: str
    value: str


def trailers_of(message: str) -> tuple[Trailer, ...]:
    """The trailers in the last paragraph of a message, with their continuation lines; none in the subject."""
    paragraphs = re.split(r"\n\s*\n", message.strip().replace("\r\n", "\n"))
    if len(paragraphs) < 2:
        return ()
    unfolded = re.sub(r"\n[ \t]+", " ", paragraphs[-1])
    trailers = (trailer_in(line) for line in unfolded.split("\n"))
    return tuple(dict.fromkeys(filter(None, trailers)))[:MOST_TRAILERS]


def trailer_in(line: str) -> Trailer | None:
    """The line as a trailer; None if it does not have the form of one."""
    match = _TRAILER.fullmatch(line.strip())
    return Trailer(match["key"], match["value"].strip()[:LONGEST_TRAILER]) if match else None


def own_lines(message: str) -> list[str]:
    """The lines below the subject that describe this commit itself.

    Quoted lines are left out: after ">", indented, between fences, below "Original commit message:", or in a revert,
    which describes another commit.  git itself indents the messages that it squashes.
    """
    message = message.strip().replace("\r\n", "\n")
    if _REVERT.search(message):
        return []
    subject, *lines = message.split("\n")
    squashed = subject == _SQUASHED
    fenced, own = False, []
    for line in lines:
        if _ORIGINAL.fullmatch(line):
            break
        squashed = squashed or line == _SQUASHED
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            own.append(line.removeprefix(_INDENT) if squashed else line)
    return [line for line in own if not line.startswith((">", " ", "\t"))]


@dataclass(frozen=True, slots=True)
class Parts:
    """The lines of each of several commits in one message; `closed` if the end of the last one is known."""

    lines: list[Sequence[str]]
    closed: bool


def parts_of(message: str) -> Parts:
    """The commits whose messages a host or git joined; none of any other message.

    Text that the host adds itself, below a rule of dashes, is no part.
    """
    lines = own_lines(message)
    subject = message.strip().partition("\n")[0].strip()
    if subject == _SQUASHED or _SQUASHED in lines:
        return Parts(list(_split(lines, lambda _, line: bool(_COMMIT.fullmatch(line)))), closed=True)
    if not _MERGED.search(subject):
        return Parts([], closed=False)
    cut = next((position for position, line in enumerate(lines) if _RULE.fullmatch(line)), len(lines))
    parts = _split(lines[:cut], lambda before, line: not before and bool(_PART.match(line)))
    return Parts(list(parts), closed=cut < len(lines))


def _split(lines: Sequence[str], begins: Begins) -> Iterator[Sequence[str]]:
    part: list[str] | None = None
    before = ""
    for line in lines:
        if begins(before, line):
            if part is not None:
                yield part
            part = []
        if part is not None:
            part.append(line)
        before = line.strip()
    if part is not None:
        yield part

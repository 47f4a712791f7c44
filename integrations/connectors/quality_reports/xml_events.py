"""Reads XML as a stream of elements and attributes, without a tree, without entities, and without following references.

A document type may be named, as Cobertura's is, but not declare entities: from a few of them a parser would build
gigabytes (“billion laughs”).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.parsers import expat  # entities are refused below, and no reference is followed

DEEPEST = 100
ENTITIES = "The XML declares entities, from which a small file can grow without bound. Send it without them."


class UnreadableReportError(ValueError):
    """A report that cannot be read; the message says why and what to send."""


Attributes = Mapping[str, str]


def read_xml(text: bytes, begin: Callable[[str, Attributes], None], end: Callable[[str], None]) -> None:
    """Call `begin` and `end` for each element, by its name without a namespace.  Raises UnreadableReportError."""
    depth = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise UnreadableReportError(f"The XML is nested more than {DEEPEST} levels deep.")
        begin(_local(name), attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(_local(name))

    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.EntityDeclHandler = _refuse_entities
    try:
        parser.Parse(text, True)
    except expat.ExpatError as problem:
        raise UnreadableReportError(
            f"The body is not XML: line {problem.lineno}, column {problem.offset + 1}: "
            f"{expat.ErrorString(problem.code)}."
        ) from None
    except UnreadableReportError:
        raise
    except (LookupError, ValueError):
        raise UnreadableReportError("The XML names an encoding that is not known. Send UTF-8.") from None


def _refuse_entities(*_: object) -> None:
    raise UnreadableReportError(ENTITIES)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def whole_number(attributes: Attributes, name: str) -> int | None:
    """The attribute as a count; None if it is missing or not a count."""
    written = attributes.get(name, "").strip().replace(",", "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def seconds(attributes: Attributes) -> float | None:
    """The attribute `time` in seconds, also with a comma between thousands; None if it is missing or impossible."""
    try:
        taken = float(attributes.get("time", "").strip().replace(",", ""))
    except ValueError:
        return None
    return taken if 0 <= taken < 1e8 else None

"""An executive report as Markdown, with the link of each figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from insights.ui.scope_bar import unit_name
from insights.ui.wording import moment
from programs.report.services.document import Fact, Point, Recommendation, ReportDocument, Sentence

SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
LinkOf = Callable[[Fact], str]
JUDGEMENTS = {"better": "better", "worse": "worse", "steady": "no change"}


def as_markdown(document: ReportDocument, link: LinkOf) -> str:
    """The report; `link` returns the address of a fact, or an empty text."""
    return "\n".join(_lines(document, link)).rstrip() + "\n"


def escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _lines(document: ReportDocument, link: LinkOf) -> Iterator[str]:
    def said(sentence: Sentence) -> str:
        return "".join(
            escaped_part(part) if isinstance(part, str) else _linked(part, link) for part in sentence.parts()
        )

    def listed(title: str, points: Sequence[Point], nothing: str) -> Iterator[str]:
        yield from (f"## {title}", "")
        for point in points:
            figure = f"**{said(point.figure)}** " if point.figure else ""
            judged = f" ({JUDGEMENTS[point.judgement]})" if title == DELIVERY and point.judgement else ""
            yield f"- {figure}{said(point.title)}{judged}. {said(point.text)} {said(point.consequence)}".rstrip()
        if not points:
            yield nothing
        yield ""

    frozen = f" Frozen {moment(document.frozen_at)}, SHA-256 {document.sha256}." if document.frozen_at else ""
    yield f"# {said(document.headline)}"
    yield from ("", f"Executive report, {document.quarter.name}: {escaped(unit_name(document.unit))}.{frozen}", "")
    yield from listed("Highlights", document.highlights, "Nothing improved clearly enough to report.")
    yield from listed(DELIVERY, document.delivery, "No figures.")
    yield from listed("Bottlenecks", document.bottlenecks, "No bottleneck can be named.")
    yield from listed("Early warnings", document.warnings, "No early warnings of a team’s health.")
    yield from ("## Recommendations", "", said(document.recommended), "")
    for number, point in enumerate(document.recommendations, 1):
        yield from _recommendation(number, point, said)
    for sentence in document.examined:
        yield f"- {said(sentence)}"
    yield ""
    yield from listed("Data caveats", document.caveats, "None.")
    if document.hidden:
        yield f"{document.hidden} of its points rest on figures that are hidden from you."


DELIVERY = "Delivery in words"


def _recommendation(number: int, point: Recommendation, said: Callable[[Sentence], str]) -> Iterator[str]:
    yield f"{number}. **{said(point.title)}.** {said(point.text)} **{said(point.effect)}.**"
    for label, sentence in (
        ("Effort", point.effort_why),
        ("Evidence", point.evidence),
        ("Capacity", point.capacity),
        ("Constraints", point.constraints),
        ("Consequence", point.consequence),
    ):
        yield f"   - {label}: {said(sentence)}"
    yield ""


def escaped_part(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def _linked(fact: Fact, link: LinkOf) -> str:
    address = link(fact)
    return f"[{escaped(fact.text)}]({address})" if address else escaped(fact.text)

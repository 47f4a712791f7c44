"""Cobertura XML as coverage tools write it: coverage.py, JaCoCo converters, Istanbul, gcovr, Coverlet …"""

from __future__ import annotations

from dataclasses import dataclass, field

from integrations.connectors.quality_reports.xml_events import (
    Attributes,
    UnreadableReportError,
    read_xml,
    whole_number,
)

MOST_LINES = 2_000_000


@dataclass(frozen=True, slots=True)
class CoberturaReport:
    lines_valid: int
    lines_covered: int


@dataclass(slots=True)
class _Reading:
    stated: tuple[int | None, int | None] | None = None
    file: str = ""
    lines: dict[tuple[str, int], bool] = field(default_factory=dict)  # methods and classes list the same line

    def begin(self, name: str, attributes: Attributes) -> None:
        if self.stated is None:
            if name != "coverage":
                raise UnreadableReportError(f"This is not Cobertura XML: its root is {name[:60]!r}, not coverage.")
            self.stated = (whole_number(attributes, "lines-valid"), whole_number(attributes, "lines-covered"))
        elif name == "class":
            self.file = attributes.get("filename") or attributes.get("name", "")
        elif name == "line" and None in self.stated and (number := whole_number(attributes, "number")) is not None:
            key = (self.file, number)
            self.lines[key] = self.lines.get(key, False) or bool(whole_number(attributes, "hits"))
            if len(self.lines) > MOST_LINES:
                raise UnreadableReportError(f"A report may list {MOST_LINES:,} lines. Send one per part of the code.")

    def end(self, name: str) -> None:
        if name == "class":
            self.file = ""


def read_cobertura(text: bytes) -> CoberturaReport:
    """The number of lines in a report: as it states them, otherwise as it lists them.  Raises UnreadableReportError."""
    reading = _Reading()
    read_xml(text, reading.begin, reading.end)
    valid, covered = reading.stated or (None, None)
    if valid is None or covered is None:
        valid, covered = len(reading.lines), sum(reading.lines.values())
    if covered > valid:
        raise UnreadableReportError(f"The report says that {covered:,} of {valid:,} lines are covered.")
    return CoberturaReport(valid, covered)

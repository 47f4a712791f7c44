"""Compares two business reviews figure by figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from programs.qbr.services.reading import Figure, QbrDocument


@dataclass(frozen=True)
class ComparedFigure:
    """The same metric in two reviews; None where one of them does not have it."""

    section: str
    figure: Figure  # as it is named now, else as it was
    now: Figure | None
    earlier: Figure | None

    @property
    def is_of_another_formula(self) -> bool:
        return bool(self.now and self.earlier and self.now.version != self.earlier.version)


def compare_figures(now: QbrDocument, earlier: QbrDocument) -> Sequence[ComparedFigure]:
    """By section as it is now, then what only the earlier one had; each metric once."""
    compared: dict[str, ComparedFigure] = {}
    for document in (now, earlier):
        for section in document.sections:
            for figure in section.figures:
                compared.setdefault(
                    figure.key,
                    ComparedFigure(section.name, figure, now.figures.get(figure.key), earlier.figures.get(figure.key)),
                )
    return list(compared.values())

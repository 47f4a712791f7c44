"""Made-up lines of source files.  Every line is written once in a repository, so that git counts what was planned."""

from __future__ import annotations

from pathlib import PurePosixPath
from random import Random

_WORDS = (
    *("basket", "branch", "bushel", "canopy", "crate", "graft", "grove", "harvest", "ladder", "nursery", "orchard"),
    *("parcel", "picker", "press", "pruning", "quince", "root", "row", "season", "shed", "sapling", "stem", "trellis"),
)
_PLAIN = "{word} {other} {number}"
_TEMPLATES = {
    ".py": "    {word}_{number} = weigh_{other}({other}, {number})",
    ".ts": "  const {word}{number} = weigh(state.{other}, {number});",
    ".tsx": '  <Row key="{word}-{number}" label="{other}" />',
    ".go": "\t{word}{number} := weigh({other}, {number})",
    ".sql": "  {word}_{number} as {other}_{number},",
    ".yaml": "  {word}-{number}: {other}",
    ".md": "The {word} goes before the {other}, as in rule {number}.",
    ".sh": "weigh --{word} {other}-{number}",
    ".json": '  "{word}-{number}": "{other}",',
}


class Filler:
    """Lines for the files of one repository, the same ones for the same random number generator."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._written = 0

    def lines(self, path: str, count: int) -> list[str]:
        template = _TEMPLATES.get(PurePosixPath(path).suffix, _PLAIN)
        return [self._line(template) for _ in range(count)]

    def name(self) -> str:
        """A name for a file; no two are alike."""
        self._written += 1
        return f"{self._word()}_{self._word()}_{self._written}"

    def sentence(self) -> str:
        return (
            f"{self._rng.choice(('Weigh', 'Sort', 'Count', 'Label', 'Move', 'Store'))} {self._word()} by {self._word()}"
        )

    def _line(self, template: str) -> str:
        self._written += 1
        return template.format(word=self._word(), other=self._word(), number=self._written)

    def _word(self) -> str:
        return _WORDS[int(self._rng.random() * len(_WORDS))]

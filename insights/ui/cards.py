"""The schema of a page: sections of cards that name metrics, splits and choices.

A section is plain data.  Its queries, cards, charts and files follow from it (insights/pages/presenter.py); the words
are the metrics' own.  Cards with an address, for their charts and CSV files, have a `name`.
"""

from __future__ import annotations

from dataclasses import dataclass

from insights.catalogue.agents import AGENT_NAMES
from insights.engine.compared_lines import ANY_AGENT
from insights.query.query import Dimension
from insights.ui.charts import Kind
from insights.ui.filters import Choice
from insights.ui.tiles import Span

# The line of a comparison that stands out next to work without an agent.
LINE = Choice("line", {ANY_AGENT: "Any agent", **AGENT_NAMES})


@dataclass(frozen=True)
class Tile:
    """A metric's figure; `sample_of` is the metric whose sample it shows, by default its own.

    Adjacent tiles share a row; one with a `span` is a card of that width.
    """

    metric: str | Choice
    sample_of: str | Choice = ""
    span: Span | None = None
    name: str = ""


@dataclass(frozen=True)
class Trend:
    """A metric over time, on one line or split `by` a dimension, with those in `beside` on lines of their own.

    A choice of dimensions can have the option `all`: not split.  There is something to draw if one of the metrics in
    `needs` is more than 0, or is a share of something; by default the metric itself, which may be 0.  With `counted`
    each value shows the number of facts behind it.
    """

    name: str
    metric: str | Choice
    title: str = ""  # by default the metric's name; {weekly} is Weekly, Monthly or Quarterly
    kind: Kind = "line"
    span: Span = 4
    by: Dimension | Choice | None = None
    beside: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    counted: bool = False


@dataclass(frozen=True)
class Breakdown:
    """A sum by the values of a dimension, as a donut; `explained_by` is the metric that explains it.

    `needs` are metrics as in a trend, by default the sum itself.
    """

    name: str
    metric: str
    by: Dimension | Choice
    title: str = ""
    span: Span = 4
    explained_by: str = ""
    needs: tuple[str, ...] = ()
    caveat: str = ""


@dataclass(frozen=True)
class LastActive:
    """The people of a share by when they were last active: in the latest bucket, earlier, or not in this window."""

    name: str
    metric: str | Choice
    title: str = ""
    span: Span = 4


@dataclass(frozen=True)
class Distribution:
    """A histogram of the values of a metric's facts."""

    name: str
    metric: str | Choice
    title: str = ""  # {metric} is the picked option, else the metric's name
    span: Span = 5


@dataclass(frozen=True)
class Figures:
    """Metrics as rows of a table, with their change, trend and sample."""

    title: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Units:
    """The page's table of units."""


@dataclass(frozen=True)
class UnitTable:
    """The units below the scope, with a column for each metric; `Units` is the table of the page's own columns."""

    name: str
    metrics: tuple[str, ...]
    title: str = ""
    span: Span = 12


@dataclass(frozen=True)
class SplitTable:
    """The values of a dimension, with a column for each metric; the first sorts it."""

    name: str
    metrics: tuple[str, ...]
    by: Dimension
    title: str = ""
    span: Span = 12
    most: int = 30  # rows: the CSV file has the others


@dataclass(frozen=True)
class Lines:
    """A metric over time on a line for each agent and one for work without; the picked `line` stands out.

    `statistic` is a choice of the metric's.  A brief card has no words about its lines, and its figures are read only
    when it is drawn.
    """

    name: str
    metric: str
    line: Choice
    title: str = ""  # by default the metric's label
    span: Span = 6
    statistic: Choice | None = None
    is_brief: bool = False


@dataclass(frozen=True)
class Comparison:
    """Each metric of work with an agent next to work without: both values, their difference and its interval.

    `rows` lead to the facts of metrics, each with its label; `opens` is the tab with more detail.  `reading` adds to
    the `note` and is folded below it.  `is_of_everything` ignores facets that its facts do not have.
    """

    name: str
    metrics: tuple[str, ...]
    title: str = ""  # {line} is the picked agent
    span: Span = 12
    line: Choice | None = None  # by default any agent
    note: str = ""
    reading: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    opens: str = ""
    is_of_everything: bool = False
    is_folded: bool = False


@dataclass(frozen=True)
class Slowest:
    """The `most` facts with the greatest values of a metric, with links to their pages; its CSV file has all."""

    name: str
    metric: str | Choice
    title: str = ""
    span: Span = 6
    most: int = 5


@dataclass(frozen=True)
class Text:
    """A paragraph that explains how to read the cards next to it."""

    name: str
    text: str
    title: str = ""
    span: Span = 4


@dataclass(frozen=True)
class Later:
    """A card that loads after the page, from the part `name`; `csv` are the names of its tables, with their labels.

    A folded card loads when it is opened.
    """

    name: str
    title: str
    text: str  # the text of the link to it without a script
    span: Span = 12
    csv: tuple[tuple[str, str], ...] = ()
    is_live: bool = True  # reloads when there are new facts
    is_folded: bool = False


@dataclass(frozen=True)
class Look:
    """The points of *What to look at*, from the rules of all tabs; its section repeats none of its own metrics."""

    span: Span = 4


@dataclass(frozen=True)
class Own:
    """A card that its page presents itself, by its `name` in presenter.Additions; `metrics` are those that it shows."""

    name: str
    span: Span = 12
    metrics: tuple[str | Choice, ...] = ()


Table = UnitTable | SplitTable | Comparison | Slowest  # loads after the page
Chart = Trend | Lines | Breakdown | LastActive | Distribution
Card = Tile | Chart | Figures | Units | Table | Text | Later | Look | Own


@dataclass(frozen=True)
class Section:
    """Cards below a heading, and what the rules of their metrics say to look for.

    `picks` are choices of the whole section, each with its label; `narrows` is a choice whose values, except the first,
    are those of a facet that narrows the section; `look_for` are metrics whose rules apply although no tile or table
    here shows them; `links` lead to other pages, each by its label and route.
    """

    key: str
    title: str
    lede: str
    cards: tuple[Card, ...]
    look_for: tuple[str, ...] = ()
    picks: tuple[tuple[str, Choice], ...] = ()
    narrows: tuple[Choice, Dimension] | None = None
    links: tuple[tuple[str, str], ...] = ()
    fills_screen: bool = False  # the page's title is its heading

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All choices of the section and of its cards, each once."""
        fields = ("metric", "by", "sample_of", "line", "statistic")
        of_cards = [getattr(card, name, None) for card in self.cards for name in fields]
        offered = [*(choice for _, choice in self.picks), *of_cards]
        distinct: list[Choice] = []
        for choice in offered:
            if isinstance(choice, Choice) and choice not in distinct:
                distinct.append(choice)
        return tuple(distinct)

    @property
    def figures(self) -> tuple[str | Choice, ...]:
        """The metrics of its tiles, tables and own cards."""
        return tuple(
            metric
            for card in self.cards
            for metric in (
                (card.metric,) if isinstance(card, Tile) else card.metrics if isinstance(card, Figures | Own) else ()
            )
        )

    @property
    def has_table(self) -> bool:
        """Whether its figures are offered as one CSV file."""
        return any(isinstance(card, Figures) for card in self.cards)

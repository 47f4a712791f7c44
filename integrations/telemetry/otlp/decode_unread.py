"""Store records that are not fully understood, with their attributes, and list the unknown names.

A vocabulary knows which attributes it reads and which it ignores.  Other attributes may be renamed ones, such as token
counts of a later version of the agent.  Such a record is stored with all attributes that are not content, so that it
can be reprocessed once the names are known (reread.py).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping

from integrations.telemetry.agents.content import PLACEHOLDERS, is_content, is_plain
from integrations.telemetry.agents.values import Attributes, BadRecordError, Value
from integrations.telemetry.agents.vocabulary import UNKNOWN
from integrations.telemetry.otlp.decoded import Counted, Origin
from integrations.telemetry.otlp.messages import EventMessage, PointMessage, readable
from integrations.telemetry.otlp.store_rows import storable_name
from integrations.telemetry.otlp.store_tallies import OTHERS

MOST_ATTRIBUTE_BYTES = 16_384  # of a record
MOST_NAMES = 50  # names of unknown attributes per record that are listed and stored
# Excludes addresses, sentences and the pseudo-attributes below.
_NAME = re.compile(r"[\w.:/$#\[\]-]{1,200}")
# Pseudo-attributes that are needed for reprocessing.
SIGNAL = "(signal)"
AGENT = "(agent)"  # for a record without a session
VALUE, SERIES, START = "(value)", "(series)", "(start in microseconds since 2000)"  # for a point
IS_CUMULATIVE, IS_HISTOGRAM, IS_READ = "(cumulative)", "(histogram)", "(read in part)"


class Unread:
    """A record that its vocabulary does not fully understand."""

    def __init__(
        self, origin: Origin, message: EventMessage | PointMessage, attributes: Attributes, digest: bytes
    ) -> None:
        """Wrap a record; `attributes` are the known ones, merged over the resource's."""
        self._origin = origin
        self.digest = digest
        self._attributes = attributes
        self._own = readable(message.attributes)
        unknown = sorted(name for name in origin.unknown_among(self._own) if _NAME.fullmatch(name))
        self.unknown = unknown[:MOST_NAMES]

    def list(self, name: str, *, as_a_whole: bool) -> None:
        """Count the record under its name, if nothing in it is read, and under each of its unknown attributes."""
        if as_a_whole:
            self._origin.count_with_row(self.digest, Counted.UNREAD, name)
        for attribute in self.unknown:
            self._origin.count_with_row(self.digest, Counted.UNREAD, name, attribute)

    def attributes_to_store(self, *, with_author: bool, beside: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """All attributes except content; unknown ones that are dropped are counted.

        `with_author` includes the author, for a record without a session.  If all of them are too large together, only
        those with figures are stored.  Raises BadRecordError if these are too large as well.
        """
        stored: dict[str, Value] = dict(self._figures(with_author=with_author))
        stored |= {SIGNAL: str(self._origin.signal), **(beside or {})}
        if with_author:
            stored[AGENT] = self._origin.vocabulary.agent
        if self.unknown:
            stored[UNKNOWN] = self.unknown
        for attributes in (dict(self._others()) | stored, stored):
            if _bytes_as_json(attributes) <= MOST_ATTRIBUTE_BYTES:
                return attributes
        raise BadRecordError(f"Its attributes take more than {MOST_ATTRIBUTE_BYTES:,} bytes.")

    def _figures(self, *, with_author: bool) -> Iterator[tuple[str, Value]]:
        """The attributes with figures, and the author."""
        vocabulary = self._origin.vocabulary
        if vocabulary.figures_from_content is not None:
            yield from vocabulary.figures_from_content(self._attributes).items()
        naming = vocabulary.naming
        names = vocabulary.figure_names | set(naming) if with_author else vocabulary.figure_names.difference(naming)
        for name, value in self._attributes.items():
            if name in names and isinstance(value, str | int | float) and not is_content(name, value):
                yield name, _storable(value)

    def _others(self) -> Iterator[tuple[str, Value]]:
        vocabulary = self._origin.vocabulary
        for name, value in self._own.items():
            if name in vocabulary.figure_names or name in vocabulary.naming:
                continue
            is_known = vocabulary.knows(name)
            if is_plain(name, value) and (is_known or name in self.unknown):
                yield storable_name(name), _storable(value)
            elif value not in PLACEHOLDERS and not is_known:
                self._origin.count_with_row(self.digest, Counted.DROPPED, name if name in self.unknown else OTHERS)


def _bytes_as_json(attributes: Mapping[str, Value]) -> int:
    return len(json.dumps(attributes, ensure_ascii=False).encode())


def _storable(value: Value) -> Value:
    """The value as jsonb accepts it: NaN and infinities as text, no NUL."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and "\x00" in value:
        raise BadRecordError("An attribute contains a NUL character.")
    return value

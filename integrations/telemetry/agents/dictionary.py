"""Mappings by administrators for names that a vocabulary does not know.

An agent may rename its token counts before a Headway release knows the new names.  Until then, an administrator maps
for example `inputTokenCount` to `input_tokens`.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from operator import attrgetter

from cachetools import TTLCache, cached
from django.db import transaction

from integrations.models import UnreadEvent
from integrations.telemetry.agents import vocabulary_of_agent
from integrations.telemetry.agents.place import OWN_REPOSITORY
from integrations.telemetry.agents.vocabulary import NOTHING, SPAN_CONTEXT, Vocabulary
from orgtree.models import Organisation


class UnknownMeaningError(ValueError):
    """A meaning that the agent's vocabulary does not have; the message is shown to the user."""


@cached(TTLCache(1000, ttl=60), key=attrgetter("agent", "is_generic"), lock=threading.Lock())
def learned(vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary with the administrators' mappings added, cached for a minute."""
    mapped = UnreadEvent.objects.filter(agent=vocabulary.agent).exclude(means="")
    rows = mapped.values_list("attribute", "name", "means")
    attributes = dict.fromkeys(_attributes_of_repositories() - vocabulary.looked_at, OWN_REPOSITORY)
    attributes |= {attribute: means for attribute, _, means in rows if attribute}
    names = {name: means for attribute, name, means in rows if not attribute}
    return replace(vocabulary, attribute_means={**vocabulary.attribute_means, **attributes}, name_means=names)


def _attributes_of_repositories() -> set[str]:
    """The organisation's own attribute names for repositories."""
    return set(Organisation.current().repository_attributes.replace(",", " ").split())


def forget_dictionary() -> None:
    """Invalidate the cache."""
    learned.cache_clear()


def possible_meanings(unread: UnreadEvent) -> list[str]:
    """The possible meanings of an unread name: the names that the agent's vocabulary reads."""
    vocabulary = vocabulary_of_agent(unread.agent)
    if unread.attribute:
        return sorted((vocabulary.figure_names | set(vocabulary.naming)) - SPAN_CONTEXT - {"", OWN_REPOSITORY})
    return sorted({*vocabulary.events, *vocabulary.spans, *vocabulary.metrics})


def set_value_mapping(unread: UnreadEvent, means: str) -> None:
    """Store a meaning, NOTHING, or none ("") for an unknown name, and mark stored records for reprocessing.

    An attribute has the same meaning in every event.  Raises UnknownMeaningError.
    """
    if means and means != NOTHING and means not in possible_meanings(unread):
        raise UnknownMeaningError(f"The vocabulary of {unread.agent} has no {means}.")
    of_agent = UnreadEvent.objects.filter(agent=unread.agent)
    same_word = of_agent.filter(attribute=unread.attribute)
    if not unread.attribute:
        same_word = same_word.filter(name=unread.name)
    with transaction.atomic():
        of_agent.update(tried_with="")
        same_word.update(means=means, known=False)
        transaction.on_commit(forget_dictionary)
    unread.means, unread.known, unread.tried_with = means, False, ""

"""Has a language model reword a frozen report: what is sent, which answers are accepted, and where they are stored.

The request has the built-in sentences as visible to somebody who sees only aggregates; titles that people wrote are
replaced by marks. A rewording is accepted only as a whole: each sentence has to keep all facts of the built-in one in
their order, the directions, negations and bounds between them, its caveats and its units of measure, and must not add
any number, name, direction or cause.
"""

from __future__ import annotations

import json
import logging
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import httpx
from celery import signature
from django.conf import settings
from django.utils import timezone

from core.authorship import changes_by
from core.nudges import nudge_on_commit
from core.queue import run_one_by_one
from core.write_errors import FieldError, MayNotWriteError
from integrations.connectors.addresses import GuardedTransport, RefusedAddressError
from orgtree.access.access import Access, aggregates_access
from orgtree.models import Unit
from programs.closing.services.frozen import stored_document
from programs.models import LanguageModel, Report, ReportRewrite
from programs.models.reports import API_KEY
from programs.report.services.document import Fact, Point, ReportDocument, Sentence
from programs.report.services.freezing import ONLY_LEADERS, may_freeze
from programs.requests.visible import account_of

logger = logging.getLogger(__name__)
WORD_REPORTS = signature("programs.tasks.word_reports")  # by name, to avoid an import cycle
HEADLINE = "headline"
SECTIONS = ("highlights", "delivery", "bottlenecks", "warnings", "recommendations")
FIELDS = ("title", "text", "consequence")
WRITTEN_BY_PEOPLE = ("name", "title", "objective")  # facts whose texts somebody typed
SECONDS = 30.0  # for the whole answer; a transaction stays open that long
MOST_BYTES = 1_000_000
ROOM = 60  # characters that a sentence may have beyond one and a half times the built-in one
OFF = "No language model is set up: an admin does it under Language model."
INSTRUCTIONS = (
    "Reword each sentence of an engineering report for executives without technical background: plain, short, "
    "friendly. "
    "Keep every number, name, date and mark such as ITEM1 exactly as it is written, all of them and in their order. "
    "Do not add numbers, names, causes or judgements, and do not change whether something rose or fell, got better or "
    'worse. Answer with one JSON object {"sentences": {id: text}} and nothing else; plain text, no markup.'
)
_UP = (
    "more most higher highest rose rise rises risen rising increase increased increases increasing grew grow grows "
    "grown growing up upward upwards above raise raised raises climbed soared surged jumped spiked gained expanded"
)
_DOWN = (
    "less least fewer fewest lower lowest fell fall falls fallen falling decrease decreased decreases decreasing "
    "shrank shrinks shrinking drop dropped drops dropping down downward downwards below reduced reduces cut plunged "
    "plummeted tumbled dipped slipped sank lost contracted"
)
_GOOD = (
    "better best improved improve improves improving improvement faster fastest sooner quicker quickest earlier "
    "shorter shortest success successful healthy"
)
_BAD = (
    "worse worst worsened worsens worsening slower slowest later longer longest late declined declining declines "
    "slowed degraded deteriorated bad poor poorly failed failing alarming"
)
_SAME = "unchanged steady stable flat same constant"
DIRECTIONS: Mapping[str, str] = {
    word: direction
    for direction, words in (("up", _UP), ("down", _DOWN), ("good", _GOOD), ("bad", _BAD), ("same", _SAME))
    for word in words.split()
}
_BOUNDS = "only just over under almost nearly about around roughly approximately exactly up-to at-least at-most"
BOUNDS = frozenset(_BOUNDS.split())  # hyphenated phrases of two words
CAVEATS: Mapping[str, str] = {
    word: caveat
    for caveat, words in (
        ("may", "may might could can possibly perhaps probably likely maybe"),
        ("if", "if unless whether assumes assuming assumed provided"),
        ("known", "known unknown tell linked measured"),
        ("expected", "expected expect expects forecast estimated estimate"),
    )
    for word in words.split()
}
UNITS: Mapping[str, str] = {
    word: unit
    for unit, words in (
        *((unit, f"{unit} {unit}s") for unit in ("second", "minute", "day", "week", "month", "quarter", "year")),
        ("hour", "hour hours h"),
        ("point", "point points pts"),
        ("percent", "percent percentage"),
        ("person", "person persons people developer developers engineer engineers colleague colleagues"),
        ("team", "team teams"),
        ("dollar", "dollar dollars usd"),
        ("euro", "euro euros eur"),
    )
    for word in words.split()
}
# Words before a fact that name its side of a comparison.
SIDES = frozenset(("from", "to", "than", "until", "since", "before", "after", "against", "beside"))
NEGATIONS = frozenset(
    ("no", "not", "never", "none", "nothing", "neither", "nor", "without", "cannot", "hardly", "barely")
)
NUMBERS = frozenset(
    (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty"),
        *("forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "hundreds", "thousand", "thousands"),
        *("million", "millions", "billion", "dozen", "dozens", "couple", "pair", "single", "several", "once", "twice"),
        *("thrice", "half", "halved", "halves", "double", "doubled", "doubles", "triple", "tripled", "quadruple"),
        *("quadrupled", "third", "thirds", "quarter", "quarters", "fifth", "fifths", "tenth", "tenths", "percent"),
        *("majority", "minority", "all", "every", "everybody", "everyone", "nobody"),
    )
)
CAUSES = re.compile(
    r"\b(because|caused?|causes|causing|due to|thanks to|owing to|driven by|led to|leads to|leading to|therefore|thus|"
    r"results? (of|from|in)|resulting|resulted|as a (result|consequence)|hence|reasons?|stems? from|explains?|"
    r"explained by)\b",
    re.IGNORECASE,
)
MARKUP = re.compile(r"[<>`\[\]{}|*_#\\]|&\w+;|https?:|www\.|[\x00-\x1f\x7f]")
WORD = re.compile(r"[A-Za-zÀ-ɏ][\w’'-]*")


class ModelError(Exception):
    """The model gave no usable answer; the message says why."""


@dataclass(frozen=True)
class _Numbered:
    """A built-in sentence with its id; `marks` replace the texts that people wrote."""

    key: str
    sentence: Sentence
    marks: Mapping[str, str]

    def shown(self, fact: Fact, name: str) -> str:
        return self.marks.get(name, fact.text)

    @property
    def names(self) -> list[str]:
        """The names of its facts, in order."""
        facts = {id(fact): name for name, fact in self.sentence.facts.items()}
        return [facts[id(part)] for part in self.sentence.parts() if isinstance(part, Fact)]

    @property
    def texts(self) -> list[str]:
        return [self.shown(self.sentence.facts[name], name) for name in self.names]

    def __str__(self) -> str:
        texts = iter(self.texts)
        return "".join(part if isinstance(part, str) else next(texts) for part in self.sentence.parts())


def request_of(report: Report) -> dict[str, Any]:
    """The complete body that is sent."""
    sentences = {one.key: str(one) for one in _numbered(_public(report))}
    return {
        "model": LanguageModel.current().model,
        "temperature": 0,
        "messages": [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": json.dumps({"sentences": sentences}, ensure_ascii=False)},
        ],
    }


def request_rewrite(access: Access, report: Report) -> ReportRewrite:
    """Has a worker ask the model for a rewording.  Idempotent while an answer is pending.

    Raises FieldError if no model is on, MayNotWriteError.
    """
    if not may_freeze(access, report.unit):
        raise MayNotWriteError(ONLY_LEADERS)
    account, model = account_of(access), LanguageModel.current()
    if not model.is_usable:
        raise FieldError("", OFF)
    values = {
        "model": model.model,
        "base_url": model.base_url,
        "texts": {},
        "reason": "",
        "requested_by": account,
        "requested_at": timezone.now(),
        "answered_at": None,
    }
    with changes_by(account):
        requested, is_new = ReportRewrite.objects.get_or_create(report=report, defaults=values)
        if not is_new:
            answered = ReportRewrite.objects.filter(pk=requested.pk, answered_at__isnull=False)
            if answered.update(**values):
                requested.refresh_from_db()
        nudge_on_commit(WORD_REPORTS)
    return requested


def word_reports() -> int:
    """Asks for each pending rewording, checks it, and stores it or the reason why the built-in one stays.

    A row is locked while the model answers: other workers skip it, and if the worker is killed it is pending again.
    """
    waiting = ReportRewrite.objects.filter(answered_at=None).order_by("requested_at", "pk")
    return run_one_by_one(waiting.select_related("report__document", "report__unit"), _word, failed=_give_up)


def _word(requested: ReportRewrite) -> None:
    model, report = LanguageModel.current(), requested.report
    try:
        if not model.is_usable:
            raise ModelError(OFF)
        if (model.model, model.base_url) != (requested.model, requested.base_url):
            raise ModelError("Another language model was set up since: look at what is sent, and ask again.")
        answer = ask(model, request_of(report), seconds=SECONDS)
        texts, reason = accepted(_numbered(_public(report)), answer), ""
    except ModelError as problem:
        texts, reason = {}, str(problem)[:500]
    _answer(requested, texts, reason)


def _give_up(requested: ReportRewrite, problem: Exception) -> None:
    logger.error("The wording of %s broke off", requested.report, exc_info=problem)
    _answer(requested, {}, "Headway could not read the answer; its log says why.")


def _answer(requested: ReportRewrite, texts: Mapping[str, str], reason: str) -> None:
    requested.texts, requested.reason, requested.answered_at = dict(texts), reason, timezone.now()
    requested.save(update_fields=["texts", "reason", "answered_at"])


def ask(model: LanguageModel, body: Mapping[str, Any], *, seconds: float) -> Mapping[str, str]:
    """The sentences of the model's answer, by id.  Raises ModelError."""
    headers = {"Authorization": f"Bearer {key}"} if (key := model.secrets.get(API_KEY, "")) else {}
    transport = GuardedTransport(allow_private=settings.PROVIDERS_MAY_BE_PRIVATE)
    address, deadline, read = f"{model.base_url.rstrip('/')}/chat/completions", time.monotonic() + seconds, b""
    try:
        with (
            httpx.Client(transport=transport, timeout=seconds, follow_redirects=False) as client,
            client.stream("POST", address, json=body, headers=headers) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ModelError(f"The language model answered with status {answer.status_code}.")
            for part in answer.iter_bytes():
                read += part
                if len(read) > MOST_BYTES:
                    raise ModelError("The language model’s answer is too long.")
                if time.monotonic() > deadline:
                    raise ModelError("The language model did not answer in time.")
    except httpx.TimeoutException:
        raise ModelError("The language model did not answer in time.") from None
    except RefusedAddressError as problem:
        raise ModelError(f"{problem.host} leads to an address where Headway does not connect to.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise ModelError("The language model could not be reached.") from None
    return _sentences(read)


def _sentences(body: bytes) -> Mapping[str, str]:
    """The sentences in the model's answer.  Raises ModelError."""
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
        sentences = json.loads(content)["sentences"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise ModelError("The language model’s answer is not the JSON that was asked for.") from None
    is_text = isinstance(sentences, dict) and all(isinstance(text, str) for text in sentences.values())
    if not is_text or not sentences:
        raise ModelError("The language model’s answer is not the JSON that was asked for.")
    found: Mapping[str, str] = sentences
    return found


def accepted(built_in: Sequence[_Numbered], answer: Mapping[str, str]) -> dict[str, str]:
    """The accepted texts by sentence id, with braces for their facts.  Raises ModelError with the first problem."""
    known = {one.key: one for one in built_in}
    if unknown := answer.keys() - known.keys():
        raise ModelError(f"The language model worded a sentence that there is not: {min(unknown)[:80]}.")
    units = [*Unit.objects.values_list("name", flat=True)]
    return {key: _checked(known[key], text.strip(), units) for key, text in answer.items()}


def _checked(one: _Numbered, text: str, units: Sequence[str]) -> str:
    original = str(one)
    where = f"in “{original[:80]}”"
    if not text or MARKUP.search(text):
        raise ModelError(f"The wording is empty or has markup {where}.")
    if len(text) > 1.5 * len(original) + ROOM:
        raise ModelError(f"The wording is much longer than the built-in text {where}.")
    if odd := next((sign for sign in text if _is_odd(sign) and sign not in original), ""):
        raise ModelError(f"The wording has a sign of another script, U+{ord(odd):04X}, {where}.")
    template, between = _with_braces(one, text, where)
    between_before = _between(one)
    _check_numbers_and_names(" ".join(between), " ".join(between_before), units, where)
    _check_meaning(between, between_before, where)
    return template


def _check_numbers_and_names(rest: str, before: str, units: Sequence[str], where: str) -> None:
    """Compares the rest of the wording, without its facts, with the built-in text.  Raises ModelError."""
    if number := re.search(r"\d[\d.,]*", rest) or next(filter(str.isnumeric, rest), None):
        raise ModelError(f"The number {number[0]} does not stand in the facts {where}.")
    if (cause := CAUSES.search(rest)) and cause[0].casefold() not in before.casefold():
        raise ModelError(f"The wording says “{cause[0]}”, which no fact shows, {where}.")
    for unit in units:
        if (
            re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", rest, re.IGNORECASE)
            and unit.casefold() not in before.casefold()
        ):
            raise ModelError(f"The name {unit} does not stand in the facts {where}.")
    known = {*_words(before)}
    for word in _words(rest):
        if (word in NUMBERS or word.endswith("fold")) and word not in known:
            raise ModelError(f"The number “{word}” does not stand in the facts {where}.")
    for name in _names_within(rest):
        if not {*_words(name)} <= known:
            raise ModelError(f"The name {name} does not stand in the facts {where}.")


def _check_meaning(between: Sequence[str], before: Sequence[str], where: str) -> None:
    """Compares the texts before, between and after the facts with the built-in ones.  Raises ModelError."""
    words, words_before = (_words(" ".join(texts)) for texts in (between, before))
    if [*map(_directions, between)] != [*map(_directions, before)]:
        raise ModelError(f"The wording has another direction {where}.")
    if [*map(_side, between[:-1])] != [*map(_side, before[:-1])]:
        raise ModelError(f"The wording turns a comparison round {where}.")
    if _kinds(words, UNITS) != _kinds(words_before, UNITS):
        raise ModelError(f"The wording has another unit of measure {where}.")
    if dropped := _kinds(words_before, CAVEATS) - _kinds(words, CAVEATS):
        raise ModelError(f"The wording drops a caveat (“{min(dropped)}”) {where}.")


def _is_odd(sign: str) -> bool:
    """Whether it is a letter of a non-Latin script, or an invisible character."""
    if sign.isalpha():
        return "LATIN" not in unicodedata.name(sign, "")
    return unicodedata.category(sign) in ("Cf", "Co", "Cn", "Cs", "Mn")


def _words(text: str) -> list[str]:
    """Lower-case words, with hyphenated ones split."""
    return [part for word in WORD.findall(text) for part in word.casefold().replace("’", "'").split("-") if part]


def _kinds(words: Sequence[str], kinds: Mapping[str, str]) -> Counter[str]:
    return Counter(kinds[word] for word in words if word in kinds)


def _side(text: str) -> str:
    """The side of a comparison of the fact after the text; empty if there is none."""
    words = _words(text)
    return words[-1] if words and words[-1] in SIDES else ""


def _with_braces(one: _Numbered, text: str, where: str) -> tuple[str, list[str]]:
    """The text with braces in place of its facts, and the texts between them.  Raises ModelError."""
    template, between, at = "", [], 0
    for name, fact in zip(one.names, one.texts, strict=True):
        found = re.compile(rf"(?<![\w.,+−-]){re.escape(fact)}(?![\w%]|[.,]\d)").search(text, at) or re.compile(
            rf"(?<![\w.,]){re.escape(fact)}(?![\w%]|[.,]\d)"
        ).search(text, at)
        if found is None:
            raise ModelError(f"“{fact[:60]}” is missing, or not in its place, {where}.")
        template += f"{text[at : found.start()]}{{{name}}}"
        between.append(text[at : found.start()])
        at = found.end()
    return template + text[at:], [*between, text[at:]]


def _between(one: _Numbered) -> list[str]:
    """The built-in text before, between and after its facts."""
    between = [""]
    for part in one.sentence.parts():
        if isinstance(part, str):
            between[-1] += part
        else:
            between.append("")
    return between


def _directions(text: str) -> list[str]:
    """Directions, negations and bounds, in order."""
    found = []
    for word, after in pairwise([*_words(text), ""]):
        if word in NEGATIONS or word.endswith("n't"):
            found.append("not")
        elif f"{word}-{after}" in BOUNDS:
            found.append(f"{word} {after}")
        elif word in BOUNDS:
            found.append(word)
        elif word in DIRECTIONS:
            found.append(DIRECTIONS[word])
    return found


def _names_within(text: str) -> Iterator[str]:
    """Capitalised words that do not begin a sentence."""
    for found in WORD.finditer(text):
        before = text[: found.start()].rstrip()
        if found[0][0].isupper() and before and before[-1] not in ".:!?“”" and found[0] != "I":
            yield found[0]


def _public(report: Report) -> ReportDocument:
    return stored_document(ReportDocument, report.document).visible(aggregates_access())


def _numbered(document: ReportDocument) -> list[_Numbered]:
    pairs = [(HEADLINE, document.headline)]
    for section in SECTIONS:
        for point in getattr(document, section):
            pairs += [(f"{point.key}/{name}", getattr(point, name)) for name in FIELDS]
    found, number = [], 0
    for key, sentence in pairs:
        if not sentence:
            continue
        marks = {}
        for name in sentence.facts:
            if name in WRITTEN_BY_PEOPLE:
                number += 1
                marks[name] = f"ITEM{number}"
        found.append(_Numbered(key, sentence, marks))
    return found


def worded(document: ReportDocument, texts: Mapping[str, str]) -> ReportDocument:
    """The document with these texts; sentences without one keep the built-in text."""

    def of_point(point: Point) -> Point:
        changed = {
            name: replace(getattr(point, name), text=texts[f"{point.key}/{name}"])
            for name in FIELDS
            if f"{point.key}/{name}" in texts
        }
        return replace(point, **changed) if changed else point

    headline = document.headline
    if headline and HEADLINE in texts:
        headline = replace(headline, text=texts[HEADLINE])
    return replace(document.with_points(of_point), headline=headline)

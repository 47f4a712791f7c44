"""`manage.py metric KEY`: prints a metric's values, as `/api/v1/metrics/KEY/series/` returns them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from core.commands import JsonCommand
from insights.api.documents import series_document
from insights.catalogue.registry import get
from insights.engine.read import read_together
from insights.query.errors import QueryError
from insights.query.parameters import Parameters
from insights.query.query import Answer, MetricValue
from insights.ui.shortfalls import queries_behind, shortfalls
from orgtree.access.access import aggregates_access
from orgtree.models import Person


class Command(JsonCommand):
    help = "Print a metric for a window: in total and for each of its weeks, months or quarters."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help="for example ai.sessions; all are listed at /insights/metrics/")
        parser.add_argument("--unit", metavar="SLUG", default="")
        parser.add_argument("--person", metavar="EMAIL", default="")
        parser.add_argument("--where", metavar="ATTRIBUTE=VALUE", action="extend", nargs="+", default=[])
        parser.add_argument("--facet", metavar="NAME=VALUE", action="extend", nargs="+", default=[])
        parser.add_argument("--from", metavar="DATE", dest="start", default="", help="the first day; 12 weeks ago")
        parser.add_argument("--to", metavar="DATE", dest="end", default="", help="the day after the last; tomorrow")
        parser.add_argument("--granularity", metavar="day|week|month|quarter", default="")
        parser.add_argument("--segment", metavar="NAME", action="extend", nargs="+", default=[])
        parser.add_argument("--statistic", metavar="median|mean|p75|p85|p90|p95", default="")

    def handle(self, *args: object, **options: Any) -> None:
        parameters = Parameters(
            unit=options["unit"],
            person_id=_person_id(options["person"]) if options["person"] else None,
            where=options["where"],
            facet=options["facet"],
            start=options["start"],
            end=options["end"],
            granularity=options["granularity"],
            segment=options["segment"],
            statistic=options["statistic"],
        )
        try:
            query = parameters.query(options["key"])
            behind = queries_behind([get(query.key)], query)
            answers = read_together(series=[query], totals=behind)
        except QueryError as problem:
            raise CommandError(f"{problem.field}: {problem.message}") from problem
        known = {lacking.key: answer.total[0].value for lacking, answer in zip(behind, answers.totals, strict=True)}
        lacking = shortfalls([get(query.key)], query, aggregates_access(), known=known)
        self.print_result(options, series_document(answers.series[0], lacking), _lines(answers.series[0]))


def _person_id(email: str) -> int:
    person = Person.objects.filter(email__iexact=email).values_list("pk", flat=True).first()
    if person is None:
        raise CommandError(f"person: There is nobody with the address {email}.")
    return person


def _lines(answer: Answer) -> Iterator[str]:
    metric = get(answer.query.key)
    yield f"{metric.name} ({metric.unit})"
    yield from map(_line, answer.series)
    yield ""
    yield from (f"{_line(figure)}  total" for figure in answer.total)


def _line(figure: MetricValue) -> str:
    segment = " ".join(f"{name}={value}" for name, value in figure.segment.items())
    value = f"{figure.value:,.2f}" if figure.value is not None else f"no data: {figure.reason}"
    to_date = "to date" if figure.to_date else ""
    parts = (f"{figure.window.start} – {figure.window.end}", segment, value, f"n = {figure.sample_size}", to_date)
    return "  ".join(filter(None, parts))

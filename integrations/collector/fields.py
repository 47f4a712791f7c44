"""Reads the fields of a machine's report; an error message names the field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from integrations.code.attribution.git_ai_notes import storable
from integrations.telemetry.agents.values import LARGEST_COUNT


@dataclass(eq=False)
class RefusedReportError(Exception):
    """A report that is rejected as a whole; the message names the field."""

    message: str
    status: int = 400


def object_in(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedReportError(f"{where} is not an object.")
    return value


def list_in(value: Any, where: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise RefusedReportError(f"{where} is not a list of at most {most} entries.")
    return value


def text_in(value: Any, where: str, longest: int, *, empty: bool = False) -> str:
    if not isinstance(value, str) or len(value) > longest or not (value or empty):
        raise RefusedReportError(f"{where} is not a string of {0 if empty else 1} to {longest} characters.")
    return storable(value)


def count_in(value: Any, where: str, most: int = LARGEST_COUNT) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise RefusedReportError(f"{where} is not a whole number from 0 to {most:,}.")
    return value


def time_in(value: Any, where: str) -> datetime:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or not moment.tzinfo:
        raise RefusedReportError(f"{where} is not a time with an offset from UTC.")
    return moment

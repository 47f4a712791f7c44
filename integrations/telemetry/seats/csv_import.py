"""Import seats from CSV: one row per person with a seat, or per number of paid seats.

Columns: agent, plan, monthly_price, email, seats, start, end.  A row with an e-mail address assigns a seat from `start`
to the day before `end`; a row without one sets the number of paid seats of the plan.  The import adds and updates:
people missing from the file keep their seat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from core.csv_import import CsvFileError, read_rows, text_of
from integrations.models import SeatAssignment, SeatPlan
from integrations.models.seats import HIGHEST_SEAT_PRICE
from integrations.telemetry.seats.changed_days import announcing_seats
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import IdentityKind

COLUMNS = {name: name for name in ("agent", "plan", "monthly_price", "email", "seats", "start", "end")}
REQUIRED = ("agent", "plan", "monthly_price", "start")
MOST_BYTES = 50_000_000
MOST_ROWS = 200_000
MOST_SEATS = 10_000_000


@dataclass(frozen=True)
class SeatProblem:
    row: int  # as a spreadsheet numbers them; 0: the file
    column: str
    message: str


@dataclass
class ImportedSeats:
    applied: bool = False
    plans: int = 0  # added or changed
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[SeatProblem] = field(default_factory=list)


class _BadCellError(ValueError):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


@dataclass(frozen=True)
class _Row:
    number: int
    agent: str
    plan: str
    price: Decimal
    email: str
    seats: int | None
    during: DateRange


def import_seats(content: bytes, *, dry_run: bool = False) -> ImportedSeats:
    """Import a file of seats; with errors nothing is stored.  Idempotent."""
    result = ImportedSeats()
    rows = _read(content, result.errors)
    if result.errors:
        return result
    with transaction.atomic():
        with announcing_seats():
            _store(rows, result)
        result.applied = not (result.errors or dry_run)
        if not result.applied or not (result.plans or result.added or result.changed):
            transaction.set_rollback(True)
    return result


def _read(content: bytes, errors: list[SeatProblem]) -> list[_Row]:
    rows: list[_Row] = []
    try:
        text = text_of(content, most_bytes=MOST_BYTES)
        for number, cells in read_rows(text, COLUMNS, needed=REQUIRED, most=MOST_ROWS, may_have_others=False):
            try:
                rows.append(_row(number, {name: cells.get(name, "") for name in COLUMNS}))
            except _BadCellError as bad:
                errors.append(SeatProblem(number, bad.column, bad.message))
    except CsvFileError as problem:
        errors.append(SeatProblem(problem.row or 0, "", problem.message))
    return rows


def _row(number: int, cells: Mapping[str, str]) -> _Row:
    for name in REQUIRED:
        if not cells[name]:
            raise _BadCellError(name, "It is empty.")
    email = cells["email"].lower()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise _BadCellError("email", f"“{email}” is not an e-mail address.") from None
    if bool(email) == bool(cells["seats"]):
        raise _BadCellError("email", "Give either an address or a number of seats.")
    start = _day("start", cells["start"])
    end = _day("end", cells["end"]) if cells["end"] else None
    if end is not None and end <= start:
        raise _BadCellError("end", "It must lie after the start: it is the first day without the seat.")
    return _Row(
        number, cells["agent"].lower()[:40], cells["plan"][:80], _price(cells["monthly_price"]), email,
        _seats(cells["seats"]), DateRange(start, end),
    )  # fmt: skip


def _day(column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _BadCellError(column, f"“{text}” is not a day such as 2026-01-31.") from None


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise _BadCellError("monthly_price", f"“{text}” is not a price such as 30 or 19.50.") from None
    if not price.is_finite() or not 0 <= price <= HIGHEST_SEAT_PRICE:
        raise _BadCellError("monthly_price", f"“{text}” is not a possible price of a seat.")
    return price.quantize(Decimal("0.01"))


def _seats(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text) > MOST_SEATS:
        raise _BadCellError("seats", f"“{text}” is not a number of seats.")
    return int(text)


def _store(rows: list[_Row], result: ImportedSeats) -> None:
    emails = sorted({row.email for row in rows if row.email})
    names = [[IdentityName(IdentityKind.EMAIL, "", email)] for email in emails]
    identities = dict(zip(emails, identify(names), strict=True)) if emails else {}
    for row in rows:
        plan = _plan_of(row, result)
        if plan is not None and row.email:
            _assign(plan, identities[row.email], row, result)


def _plan_of(row: _Row, result: ImportedSeats) -> SeatPlan | None:
    """The plan for the row's days, created if missing; None and an error if its price differs on some days."""
    of_name = SeatPlan.objects.filter(agent=row.agent, name=row.plan).order_by("during")
    held = of_name.filter(during__overlap=row.during)[:2]
    if len(held) > 1:
        later = held[1]
        result.errors.append(
            SeatProblem(
                row.number,
                "start",
                f"{later} costs {later.monthly_price} from {later.during.lower} on. End this row there, and start "
                "another one.",
            )
        )
        return None
    plan = held[0] if held else None
    if plan is None:
        following = of_name.filter(during__fully_gt=row.during).first()
        end = row.during.upper if row.seats is not None else following and following.during.lower
        plan = SeatPlan.objects.create(
            agent=row.agent,
            name=row.plan,
            monthly_price=row.price,
            seats=row.seats,
            during=DateRange(row.during.lower, end),
        )
        result.plans += 1
        return plan
    if plan.monthly_price != row.price:
        result.errors.append(
            SeatProblem(
                row.number,
                "monthly_price",
                f"{plan} costs {plan.monthly_price} on these days. End that plan first, or start this row later.",
            )
        )
        return None
    if row.seats is not None and (plan.seats, plan.during) != (row.seats, row.during):
        plan.seats, plan.during = row.seats, row.during
        plan.save()
        result.plans += 1
    elif row.email and plan.during.lower and row.during.lower < plan.during.lower and plan.seats is None:
        plan.during = DateRange(row.during.lower, plan.during.upper)
        plan.save()
        result.plans += 1
    return plan


def _assign(plan: SeatPlan, identity: int, row: _Row, result: ImportedSeats) -> None:
    held = list(SeatAssignment.objects.filter(plan=plan, identity_id=identity, during__overlap=row.during))
    if not held:
        SeatAssignment.objects.create(plan=plan, identity_id=identity, during=row.during)
        result.added += 1
    elif held[0].during == row.during:
        result.unchanged += 1
    elif held[0].during.lower == row.during.lower and len(held) == 1:
        held[0].during = row.during
        held[0].save()
        result.changed += 1
    else:
        result.errors.append(
            SeatProblem(row.number, "start", f"{row.email} has a seat of {plan} on some of these days.")
        )

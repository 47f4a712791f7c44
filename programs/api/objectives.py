"""/api/v1/objectives/: objectives and what is said of them, read and written with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from insights import windows
from insights.api import schema
from insights.api.errors import document as error_document
from insights.metrics.errors import QueryError
from orgtree.api.parameters import DEFAULT_SIZE, LARGEST_SIZE, LAST_PAGE, only, whole_number
from orgtree.models import Person
from orgtree.services.access import Access, access_of
from programs.api.given import day, given_fields, number, text
from programs.api.objective_documents import (
    CheckInSerializer,
    CheckInsSerializer,
    CheckInWriteSerializer,
    DropSerializer,
    EndingSerializer,
    ObjectiveConflictSerializer,
    ObjectiveSerializer,
    ObjectivesSerializer,
    ObjectiveWriteSerializer,
    OverrideSerializer,
    QuartersSerializer,
    check_in_documents,
    objective_documents,
    quarter_documents,
)
from programs.api.tokens import ProgramView
from programs.models import Objective, Quarter, Standing
from programs.queries.objectives import ObjectiveFilter, filtered
from programs.services.objectives.check_ins import check_in
from programs.services.objectives.deciding import decide
from programs.services.objectives.drafts import (
    KeyResultDraft,
    MayNotWriteObjectiveError,
    ObjectiveDraft,
    ObjectiveError,
    key_results_of,
)
from programs.services.objectives.writing import (
    ConflictError,
    add_objective,
    change_objective,
    drop_objective,
    override_standing,
)
from programs.services.quarters import current_quarter, quarter_at

Written = TypeVar("Written")
ERRORS = dict.fromkeys((400, 401, 403, 404), schema.ErrorsSerializer)
FIELDS = (
    *("quarter", "unit", "title", "description", "owner", "is_mandatory", "parent", "template"),
    *("publish", "key_results"),
)
KEY_RESULT_FIELDS = (
    *("id", "title", "metric", "statistic", "unit_of_measure", "better", "target_kind"),
    *("target", "change_percent", "baseline"),
)
FILTERS = ("quarter", "unit", "standing", "owner", "q", "drafts", "dropped", "page", "size")


class ObjectivesView(ProgramView):
    @extend_schema(
        operation_id="v1_objectives_list",
        parameters=[
            OpenApiParameter("quarter", str, description="A day in it, 2026-08-01; without it this quarter."),
            OpenApiParameter("unit", str, description="Slug: its objectives and those of all below it."),
            OpenApiParameter("standing", str, enum=Standing.values),
            OpenApiParameter("owner", str, description="E-mail address."),
            OpenApiParameter("q", str, description="Text in title, the unit's or the owner's name."),
            OpenApiParameter("drafts", str, enum=["yes"], description="Drafts that one may see, and nothing else."),
            OpenApiParameter("dropped", str, enum=["yes"], description="Those that were given up, too."),
            OpenApiParameter("page", int, description="From 1."),
            OpenApiParameter("size", int, description="Objectives a page, at most 1,000; by default 100."),
        ],
        responses={200: ObjectivesSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The objectives of a quarter that one may see."""
        only(request, *FILTERS)
        access = access_of(request.user)
        page = whole_number(request, "page", 1, LAST_PAGE)
        size = whole_number(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        quarter = _quarter_shown(_parameter(request, "quarter"))
        if quarter is None:
            return Response({"total": 0, "objectives": []})
        standing = _parameter(request, "standing")
        if standing and standing not in Standing.values:
            raise QueryError("standing", f"One of: {', '.join(Standing.values)}.")
        asked = ObjectiveFilter(
            quarter,
            unit=_parameter(request, "unit") or None,
            standing=standing,
            search=_parameter(request, "q"),
            drafts=_is_asked(request, "drafts"),
            dropped=_is_asked(request, "dropped"),
        )
        found = filtered(asked, access, today=windows.local_today())
        if owner := _parameter(request, "owner"):
            found = found.filter(owner__email__iexact=owner)
        rows = list(found[(page - 1) * size : page * size])
        return Response({"total": found.count(), "objectives": objective_documents(rows, access)})

    @extend_schema(
        operation_id="v1_objectives_add",
        request=ObjectiveWriteSerializer,
        responses={201: ObjectiveSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Write an objective; a draft unless it is to be published."""
        access = access_of(request.user)
        given = given_fields(request, FIELDS, needed=("title",))
        draft = _draft(given, _quarter_written(given.get("quarter")))
        added = _obeyed(lambda: add_objective(access, draft))
        return Response(_document(added.pk, access), status=status.HTTP_201_CREATED)


class ObjectiveView(ProgramView):
    @extend_schema(operation_id="v1_objective", responses={200: ObjectiveSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One objective."""
        return Response(_document(pk, access_of(request.user)))

    @extend_schema(
        operation_id="v1_objective_change",
        request=ObjectiveWriteSerializer,
        responses={200: ObjectiveSerializer, 409: ObjectiveConflictSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; `version` is that of the objective which the change was made from."""
        access = access_of(request.user)
        found = _visible(pk, access)
        given = given_fields(request, (*FIELDS, "version"), needed=("version",))
        version = number("version", given["version"])
        quarter = _quarter_written(given["quarter"]) if given.get("quarter") else found.quarter
        draft = _draft(given, quarter, known=found)
        try:
            _obeyed(lambda: change_objective(access, found, draft, of_version=version or 0))
        except ConflictError as conflict:
            problem = error_document("version", f"{conflict} `stored` is what it says now.")
            return Response({**problem, "stored": _document(pk, access)}, status=status.HTTP_409_CONFLICT)
        return Response(_document(pk, access))


class ObjectiveDropView(ProgramView):
    @extend_schema(
        operation_id="v1_objective_drop", request=DropSerializer, responses={200: ObjectiveSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give it up during the quarter, with a reason."""
        access = access_of(request.user)
        found = _visible(pk, access)
        why = text("why", given_fields(request, ("why",), needed=("why",))["why"])
        _obeyed(lambda: drop_objective(access, found, why))
        return Response(_document(pk, access))


class ObjectiveStandingView(ProgramView):
    @extend_schema(
        operation_id="v1_objective_standing", request=OverrideSerializer, responses={200: ObjectiveSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say how it goes in place of what is computed, with a reason; an empty standing takes that back."""
        access = access_of(request.user)
        found = _visible(pk, access)
        given = given_fields(request, ("standing", "reason"))
        standing, reason = text("standing", given.get("standing")), text("reason", given.get("reason"))
        _obeyed(lambda: override_standing(access, found, standing, reason))
        return Response(_document(pk, access))


class CheckInsView(ProgramView):
    @extend_schema(operation_id="v1_objective_check_ins", responses={200: CheckInsSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """What was said of an objective, the latest first."""
        found = _visible(pk, access_of(request.user))
        return Response({"check_ins": check_in_documents(list(found.check_ins.select_related("by")))})

    @extend_schema(
        operation_id="v1_objective_check_in",
        request=CheckInWriteSerializer,
        responses={201: CheckInSerializer, **ERRORS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say how sure one is, and the value of a key result that is entered by hand."""
        access = access_of(request.user)
        found = _visible(pk, access)
        given = given_fields(request, ("confidence", "note", "key_result", "value"), needed=("confidence",))
        confidence, note = text("confidence", given["confidence"]), text("note", given.get("note"))
        key_result, value = number("key_result", given.get("key_result")), _amount("value", given.get("value"))
        said = _obeyed(
            lambda: check_in(access, found, confidence=confidence, note=note, key_result=key_result, value=value)
        )
        return Response(check_in_documents([said])[0], status=status.HTTP_201_CREATED)


class ObjectiveEndingView(ProgramView):
    @extend_schema(
        operation_id="v1_objective_ending", request=EndingSerializer, responses={200: ObjectiveSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide what becomes of it when its quarter is closed, and what was learned."""
        access = access_of(request.user)
        found = _visible(pk, access)
        given = given_fields(request, ("carry_over", "retrospective"), needed=("carry_over",))
        word, lesson = text("carry_over", given["carry_over"]), text("retrospective", given.get("retrospective"))
        if "retrospective" not in given:
            lesson = found.retrospective
        _obeyed(lambda: decide(access, found, word, lesson))
        return Response(_document(pk, access))


class QuartersView(ProgramView):
    @extend_schema(operation_id="v1_quarters_list", responses={200: QuartersSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """The quarters that hold objectives, or are closed; the latest first."""
        only(request)
        known = Quarter.objects.filter(objectives__isnull=False) | Quarter.objects.filter(closed_at__isnull=False)
        found = known.distinct().select_related("document").order_by("-start")
        return Response({"quarters": quarter_documents(list(found))})


def _visible(pk: int, access: Access) -> Objective:
    seen = Objective.objects.within(access.sight).select_related("quarter", "unit", "owner", "measure")
    found = seen.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _document(pk: int, access: Access) -> dict[str, Any]:
    return objective_documents([_visible(pk, access)], access)[0]


def _obeyed(write: Callable[[], Written]) -> Written:
    """What the service answers; its refusals as the API tells them."""
    try:
        return write()
    except MayNotWriteObjectiveError as refusal:
        raise PermissionDenied(str(refusal)) from None
    except ObjectiveError as problem:
        raise QueryError(problem.field, problem.message) from None


def _draft(given: Mapping[str, Any], quarter: Quarter, *, known: Objective | None = None) -> ObjectiveDraft:
    """What is not named is what the known objective says, or nothing."""

    def said(name: str, otherwise: Any) -> Any:
        return given.get(name, otherwise)

    return ObjectiveDraft(
        quarter=quarter,
        unit=text("unit", said("unit", known.unit.slug if known and known.unit else None)) or None,
        title=text("title", said("title", known.title if known else "")),
        description=text("description", said("description", known.description if known else "")),
        owner=_person(text("owner", given["owner"])) if "owner" in given else (known.owner_id if known else None),
        is_mandatory=_yes_or_no("is_mandatory", said("is_mandatory", known.is_mandatory if known else False)),
        parent=number("parent", said("parent", known.parent_id if known else None)),
        template=text("template", said("template", known.template if known else "")),
        publish=_yes_or_no("publish", said("publish", bool(known and known.published_at))),
        key_results=_key_results(given["key_results"])
        if "key_results" in given
        else (key_results_of(known) if known else ()),
    )


def _key_results(given: object) -> tuple[KeyResultDraft, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise QueryError("key_results", "It must be a list.")
    return tuple(_key_result(row, each) for row, each in enumerate(given))


def _key_result(row: int, given: object) -> KeyResultDraft:
    if not isinstance(given, Mapping):
        raise QueryError(f"key_results.{row}", "It must be an object.")
    for name in given:
        if name not in KEY_RESULT_FIELDS:
            raise QueryError(
                f"key_results.{row}.{str(name)[:40]}", f"There is no such field. Use {', '.join(KEY_RESULT_FIELDS)}."
            )
    at = f"key_results.{row}"
    words = {
        name: text(f"{at}.{name}", given.get(name))
        for name in ("title", "metric", "statistic", "unit_of_measure", "better")
    }
    return KeyResultDraft(
        **words,
        target_kind=text(f"{at}.target_kind", given.get("target_kind")) or "absolute",
        target=_amount(f"{at}.target", given.get("target")),
        change_percent=_amount(f"{at}.change_percent", given.get("change_percent")),
        baseline=_amount(f"{at}.baseline", given.get("baseline")),
        id=number(f"{at}.id", given.get("id")),
    )


def _person(address: str) -> int | None:
    if not address:
        return None
    found = None if "\x00" in address else Person.objects.filter(email__iexact=address.strip()).first()
    if found is None:
        raise QueryError("owner", "Nobody with this address is known. People lists everybody.")
    return found.pk


def _amount(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise QueryError(name, "It must be a number.")
    return float(value)


def _yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise QueryError(name, "It must be true or false.")
    return value


def _quarter_shown(word: str) -> Quarter | None:
    """The quarter with that day; asking makes none."""
    asked = day("quarter", word) or windows.local_today()
    return Quarter.objects.filter(start__lte=asked, end__gt=asked).first()


def _quarter_written(word: object) -> Quarter:
    asked = day("quarter", word)
    if asked is None:
        return current_quarter()
    today = windows.local_today()
    if abs(asked.year - today.year) > 1:
        raise QueryError("quarter", "Objectives are written for quarters of last year, this one and the next.")
    return quarter_at(asked)


def _is_asked(request: Request, name: str) -> bool:
    said = _parameter(request, name)
    if said not in ("", "yes"):
        raise QueryError(name, "yes, or leave it out.")
    return bool(said)


def _parameter(request: Request, name: str) -> str:
    return request.query_params.get(name, "").replace("\x00", "").strip()

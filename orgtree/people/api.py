"""/api/v1/people/: read people, and store one or many, like an import."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import paging_fields
from core.api.errors import BadRequest, Busy
from core.api.parameters import DEFAULT_SIZE, EFFECTIVE, LARGEST_SIZE, LAST_PAGE, effective_day, only, whole_number
from core.list_filters import filter_parameters
from core.write_errors import FieldError
from orgtree.access.permissions import MayWritePeople, TokenScopeAllows
from orgtree.models import Attribute, Person, TokenScope
from orgtree.organisation.people_version import PeopleBusyError
from orgtree.people.documents import (
    PeopleResultsSerializer,
    PeopleSerializer,
    PersonSerializer,
    PersonWriteSerializer,
)
from orgtree.people.filters import PeopleFilters
from orgtree.people.people_as_of import people_as_of
from orgtree.people_import.columns import KNOWN_ATTRIBUTES
from orgtree.people_import.drafts import MISSING, Outcome, PersonDraft, RowError
from orgtree.people_import.store import store_valid_people

MOST_RECORDS = 1000
NON_FIELD_ERRORS = "non_field_errors"  # DRF's key
_stores = partial(
    extend_schema, parameters=[EFFECTIVE], responses={200: PeopleResultsSerializer, 400: PeopleResultsSerializer}
)


class PeopleView(APIView):
    token_scope = TokenScope.PEOPLE
    permission_classes = (IsAuthenticated, TokenScopeAllows, MayWritePeople)

    @extend_schema(
        operation_id="v1_people_list",
        parameters=[
            *filter_parameters(PeopleFilters),
            OpenApiParameter("page", int, description="From 1."),
            OpenApiParameter("size", int, description="People a page, at most 1,000; by default 100."),
        ],
        responses={200: PeopleSerializer},
    )
    def get(self, request: Request) -> Response:
        """All known people with their values of today, in the order of names."""
        only(request, *PeopleFilters.base_filters, "page", "size")
        today = timezone.localdate()
        try:
            matching = PeopleFilters(request.query_params, None, today=today).qs
        except FieldError as problem:
            raise BadRequest(f"{problem.field}: {problem.message}") from None
        number = whole_number(request, "page", 1, LAST_PAGE)
        size = whole_number(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        total = matching.count()
        people = matching[(number - 1) * size : number * size]
        return Response(
            {
                **paging_fields(request, number, size, total),
                "people": PersonSerializer(people_as_of(list(people), on=today), many=True).data,
            }
        )

    @_stores(operation_id="v1_people_upsert", request=PersonWriteSerializer(many=True))
    def post(self, request: Request) -> Response:
        """Store a person, or a list of them.  Omitted fields keep their value; results are in the order of the
        request.
        """
        return _stored(request, request.data)

    @_stores(operation_id="v1_people_replace_many", request=PersonWriteSerializer(many=True))
    def put(self, request: Request) -> Response:
        """Store a person, or a list of them.  Omitted fields are cleared, except name, start and identities."""
        return _stored(request, request.data, replacing=True)

    @_stores(operation_id="v1_people_update_many", request=PersonWriteSerializer(many=True))
    def patch(self, request: Request) -> Response:
        """Store a person, or a list of them; same as POST."""
        return _stored(request, request.data)


class PersonView(APIView):
    token_scope = TokenScope.PEOPLE
    permission_classes = (IsAuthenticated, TokenScopeAllows, MayWritePeople)

    @extend_schema(operation_id="v1_person", responses={200: PersonSerializer})
    def get(self, request: Request, key: str) -> Response:
        """One person, by id or by e-mail address."""
        only(request)
        (record,) = people_as_of([_person(key)], on=timezone.localdate())
        return Response(PersonSerializer(record).data)

    @_stores(operation_id="v1_person_replace", request=PersonWriteSerializer)
    def put(self, request: Request, key: str) -> Response:
        """Replace the person: omitted fields are cleared, except name, address, start and identities."""
        return _stored(request, _of(_person(key), request.data), replacing=True)

    @_stores(operation_id="v1_person_update", request=PersonWriteSerializer)
    def patch(self, request: Request, key: str) -> Response:
        """Change the given fields."""
        return _stored(request, _of(_person(key), request.data))

    @_stores(operation_id="v1_person_leave")
    def delete(self, request: Request, key: str) -> Response:
        """Record that the person leaves on the effective day, by default today."""
        only(request, "effective")
        person, day = _person(key), effective_day(request) or timezone.localdate()
        draft = PersonDraft(row=0, email="", public_id=person.public_id, ends_on=day)
        return _answer([draft], 1, effective=None)


def _stored(request: Request, data: Any, *, replacing: bool = False) -> Response:
    only(request, "effective")
    records = data if isinstance(data, list) else [data]
    if not 1 <= len(records) <= MOST_RECORDS:
        raise BadRequest(f"Send 1 to {MOST_RECORDS:,} people at a time.")
    slugs = list(Attribute.objects.values_list("slug", flat=True)) if replacing else None
    drafts: list[PersonDraft | RowError] = []
    for position, record in enumerate(records):
        serializer = PersonWriteSerializer(data=record)
        if serializer.is_valid():
            drafts.append(_draft(position, serializer.validated_data, emptied=slugs))
        for name, texts in serializer.errors.items():
            column = "record" if name == NON_FIELD_ERRORS else str(name)
            drafts += [RowError(position, column, str(text)) for text in _flat(texts)]
    return _answer(drafts, len(records), effective=effective_day(request))


def _draft(position: int, given: Mapping[str, Any], *, emptied: Sequence[str] | None) -> PersonDraft:
    """The draft of a record; `emptied`: attributes to clear if not given, None: clear nothing."""
    attributes: dict[str, str | None] = dict.fromkeys(emptied or ())
    attributes |= {slug: given[slug] for slug in KNOWN_ATTRIBUTES if slug in given}
    attributes |= given.get("attributes", {})
    unnamed = MISSING if emptied is None else None
    return PersonDraft(
        row=position,
        email=given.get("email") or "",
        full_name=given.get("full_name") or "",
        manager_email=given.get("manager_email", unnamed),
        attributes=attributes,
        identities=given.get("identities", ()),
        starts_on=given.get("start"),
        ends_on=given.get("end", unnamed),
        public_id=given.get("id"),
    )


def _answer(drafts: Sequence[PersonDraft | RowError], records: int, *, effective: date | None) -> Response:
    """Store the valid drafts, and return the result of each record in order."""
    try:
        changes = store_valid_people(drafts, effective=effective)
    except PeopleBusyError as busy:
        raise Busy(str(busy)) from None
    refused: dict[int | None, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for error in changes.errors:
        refused[error.row][error.column or "record"].append(error.message)
    stored_as = {person.row: "created" if person.outcome is Outcome.ADDED else "updated" for person in changes.people}
    by_row = {draft.row: draft for draft in drafts if isinstance(draft, PersonDraft)}
    stored = [draft for row, draft in by_row.items() if row not in refused]
    named = Q(public_id__in=[draft.public_id for draft in stored if draft.public_id]) | Q(
        email__in=[draft.email for draft in stored if draft.email]
    )
    people: dict[UUID | str, Person] = {}
    for person in Person.objects.filter(named):
        people |= {person.public_id: person, (person.email or "").lower(): person}
    results = []
    for row in range(records):
        draft = by_row.get(row)
        known = people.get(draft.public_id or draft.email) if draft and row not in refused else None
        results.append(
            {
                "id": str(known.public_id) if known else None,
                "email": known.email if known else (draft and draft.email) or None,
                "status": "rejected" if row in refused else stored_as.get(row, "unchanged"),
                "errors": refused.get(row),
            }
        )
    return Response({"results": results}, status=400 if len(refused) == records else 200)


def _person(key: str) -> Person:
    """The person with this id or e-mail address."""
    try:
        person = Person.objects.filter(public_id=UUID(key)).first()
    except ValueError:
        person = Person.objects.filter(email__iexact=key).first()
    if person is None:
        raise NotFound
    return person


def _of(person: Person, data: Any) -> Any:
    """The record with the person's id."""
    if not isinstance(data, Mapping):
        raise BadRequest("Send one object with the fields of the person.")
    if data.get("id") not in (None, str(person.public_id)):
        raise BadRequest("The id in the record differs from the id in the URL.")
    return {**data, "id": str(person.public_id)}


def _flat(texts: Any) -> list[Any]:
    """DRF's nested messages, flattened to one list per field."""
    if isinstance(texts, Mapping):
        return [f"{name}: {text}" for name, inner in texts.items() for text in _flat(inner)]
    return [text for item in texts for text in (_flat(item) if isinstance(item, list | Mapping) else [item])]

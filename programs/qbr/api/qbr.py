"""/api/v1/qbr/: business reviews, with the permissions of their pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body, changed_version, sent_object
from core.api.errors import ErrorsSerializer, error_document
from core.api.operations import CSV_ANSWERS, CsvNegotiation, answer_change, operation
from core.api.parameters import page_parameters, requested_slice
from core.csv_export import csv_response
from core.list_filters import filter_parameters
from core.write_errors import ConflictError
from insights.api.program_view import ProgramView
from insights.query import windows
from orgtree.access.access import Access
from programs.models import QbrAudience, QbrDecision
from programs.qbr.api.documents import (
    ComparedFigureSerializer,
    ComparisonSerializer,
    DecisionChangeSerializer,
    DecisionConflictSerializer,
    DecisionSerializer,
    OneQbrSerializer,
    QbrArrangeSerializer,
    QbrCreateSerializer,
    QbrReopenSerializer,
    QbrSectionConflictSerializer,
    QbrSectionSerializer,
    QbrSectionWriteSerializer,
    QbrSerializer,
    QbrSignSerializer,
    QbrsSerializer,
    content_document,
    names_for,
)
from programs.qbr.queries import QbrFilters, decision_of, following_revision, preceding_qbr
from programs.qbr.services.comparing import compare_figures, figure_rows, restated_figures
from programs.qbr.services.content import document_of
from programs.qbr.services.decisions import (
    DecisionWriteSerializer,
    add_decision,
    change_decision,
    remove_decision,
)
from programs.qbr.services.freezing import freeze_qbr, reopen_qbr, sign_qbr
from programs.qbr.services.sections import SECTIONS
from programs.qbr.services.writing import (
    arrange_sections,
    create_qbr,
    discard_qbr,
    write_section,
)
from programs.requests.visible import visible_qbr


class QbrsView(ProgramView):
    @operation(
        "v1_qbrs",
        QbrsSerializer,
        parameters=[
            *filter_parameters(QbrFilters),
            *page_parameters("Reviews"),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the reviews that the viewer may see, each in its newest revision, latest period first."""
        found = QbrFilters.of_request(request.query_params, self.access, today=windows.local_today()).qs
        rows = list(found[requested_slice(request)])
        listed = QbrSerializer(rows, many=True, context={"names": names_for(rows, self.access)})
        return Response({"total": found.count(), "qbrs": listed.data})

    @operation("v1_qbr_create", {201: OneQbrSerializer}, request=QbrCreateSerializer)
    def post(self, request: Request) -> Response:
        """Create a draft with all sections."""
        added = create_qbr(self.access, **body(request, QbrCreateSerializer))
        return Response(_document(added.pk, self.access), status=status.HTTP_201_CREATED)


class QbrView(ProgramView):
    @operation("v1_qbr", OneQbrSerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """Get a review with its document; a draft has today's figures."""
        return Response(_document(pk, self.access))

    @operation("v1_qbr_discard", {204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Discard a draft."""
        qbr = visible_qbr(pk, self.access)
        discard_qbr(self.access, qbr)
        return Response(status=status.HTTP_204_NO_CONTENT)


class QbrSectionView(ProgramView):
    @operation(
        "v1_qbr_section_write",
        {200: QbrSectionSerializer, 409: QbrSectionConflictSerializer},
        request=QbrSectionWriteSerializer,
    )
    def patch(self, request: Request, pk: int, key: str) -> Response:
        """Change the given fields of a draft's section."""
        qbr = visible_qbr(pk, self.access)
        given, version = changed_version(request)
        if key not in SECTIONS or not qbr.sections.filter(key=key).exists():
            raise NotFound
        return answer_change(
            lambda: write_section(self.access, qbr, key, given, of_version=version),
            lambda written: QbrSectionSerializer(written).data,
        )


def _decision(decision: QbrDecision, access: Access) -> dict[str, Any]:
    return dict(DecisionSerializer(decision, context={"access": access}).data)


class QbrDecisionsView(ProgramView):
    @operation("v1_qbr_decide", {201: DecisionSerializer}, request=DecisionWriteSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Add a decision, which becomes a ticket when the review is signed."""
        added = add_decision(self.access, visible_qbr(pk, self.access), sent_object(request))
        return Response(_decision(added, self.access), status=status.HTTP_201_CREATED)


class QbrDecisionView(ProgramView):
    @operation(
        "v1_qbr_decision_write",
        {200: DecisionSerializer, 409: DecisionConflictSerializer},
        request=DecisionChangeSerializer,
    )
    def patch(self, request: Request, pk: int, decision: int) -> Response:
        """Change the given fields of a decision, until the review is signed."""
        stored = decision_of(visible_qbr(pk, self.access), decision)
        given, version = changed_version(request)
        return answer_change(
            lambda: change_decision(self.access, stored, given, of_version=version),
            lambda changed: _decision(changed, self.access),
        )

    @operation("v1_qbr_decision_remove", {204: None})
    def delete(self, request: Request, pk: int, decision: int) -> Response:
        """Remove a decision, until the review is signed."""
        remove_decision(self.access, decision_of(visible_qbr(pk, self.access), decision))
        return Response(status=status.HTTP_204_NO_CONTENT)


class QbrArrangeView(ProgramView):
    @operation("v1_qbr_arrange", {200: OneQbrSerializer, 409: ErrorsSerializer}, request=QbrArrangeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Set the sections of a draft and their order."""
        qbr = visible_qbr(pk, self.access)
        given = body(request, QbrArrangeSerializer)
        try:
            arrange_sections(self.access, qbr, given["order"], given["included"], of_version=given["version"])
        except ConflictError as conflict:
            return Response(error_document("version", str(conflict)), status=status.HTTP_409_CONFLICT)
        return Response(_document(pk, self.access))


class QbrFreezeView(ProgramView):
    @operation("v1_qbr_freeze", OneQbrSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Freeze the review's figures and texts; freezing a frozen one changes nothing."""
        qbr = visible_qbr(pk, self.access)
        body(request)
        freeze_qbr(self.access, qbr)
        return Response(_document(pk, self.access))


class QbrSignView(ProgramView):
    @operation("v1_qbr_sign", OneQbrSerializer, request=QbrSignSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Sign a frozen review, which publishes it to its audience; signing it again changes the audience."""
        qbr = visible_qbr(pk, self.access)
        given = body(request, QbrSignSerializer)
        sign_qbr(self.access, qbr, audience=QbrAudience(given.get("audience", qbr.audience)))
        return Response(_document(pk, self.access))


class QbrReopenView(ProgramView):
    @operation("v1_qbr_reopen", {201: OneQbrSerializer}, request=QbrReopenSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Reopen a frozen review as a draft of its next revision; the frozen one stays as it is."""
        qbr = visible_qbr(pk, self.access)
        draft = reopen_qbr(self.access, qbr, **body(request, QbrReopenSerializer))
        return Response(_document(draft.pk, self.access), status=status.HTTP_201_CREATED)


class QbrCompareView(ProgramView):
    @operation("v1_qbr_compare", ComparisonSerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """Compare each figure with the unit's previous frozen review; 404 if there is none."""
        qbr = visible_qbr(pk, self.access)
        earlier = preceding_qbr(qbr, self.access.visibility)
        if earlier is None:
            raise NotFound
        today = windows.local_today()
        compared = compare_figures(
            document_of(qbr, self.access, today=today), document_of(earlier, self.access, today=today)
        )
        listed = QbrSerializer(earlier, context={"names": names_for([earlier], self.access)})
        return Response({"earlier": listed.data, "figures": ComparedFigureSerializer(compared, many=True).data})


class QbrCsvView(ProgramView):
    content_negotiation_class = CsvNegotiation

    @operation("v1_qbr_csv", CSV_ANSWERS, parameters=(), errors={})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Download the figures of a review as CSV."""
        document = document_of(visible_qbr(pk, self.access), self.access, today=windows.local_today())
        return csv_response(f"qbr-{pk}", figure_rows(document, restated_figures(document, self.access)))


def _document(pk: int, access: Access) -> dict[str, Any]:
    qbr = visible_qbr(pk, access)
    document = document_of(qbr, access, today=windows.local_today())
    context = {
        "access": access,
        "names": names_for([qbr], access),
        "followed_by": following_revision(qbr, access.visibility),
        "document": content_document(document, restated_figures(document, access), access),
    }
    return dict(OneQbrSerializer(qbr, context=context).data)

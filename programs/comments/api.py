"""/api/v1/findings/{id}/comments/, and the JSON of comments on tickets and findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import BodySerializer, ReadSerializer, Text
from core.api.operations import operation
from insights.api.program_view import ProgramView
from insights.findings.deciding import find_finding
from orgtree.access.who_sees import names_of
from programs.comments.writing import comment_on
from programs.models import Comment
from programs.requests.model_fields import AccountField
from programs.requests.visible import check_is_of_account


class CommentSerializer(ReadSerializer[Comment]):
    by = AccountField(source="by_id", help_text="Null: a deleted account.")

    class Meta:
        model = Comment
        fields = ("id", "text", "by", "at")


class CommentsSerializer(serializers.Serializer[object]):
    comments = CommentSerializer(many=True)


class CommentWriteSerializer(BodySerializer):
    text = Text()


def comment_documents(comments: Sequence[Comment]) -> list[dict[str, Any]]:
    """Comments, oldest first, with the names that everybody may see."""
    names = names_of(list(User.objects.filter(pk__in={comment.by_id for comment in comments if comment.by_id})))
    return [dict(document) for document in CommentSerializer(comments, many=True, context={"names": names}).data]


class FindingCommentsView(ProgramView):
    @operation("v1_finding_comments", CommentsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """List the comments on a finding, oldest first."""
        check_is_of_account(self.access)
        finding = find_finding(pk, self.access)
        return Response({"comments": comment_documents([*Comment.objects.filter(finding=finding)])})

    @operation("v1_finding_comment", {201: CommentSerializer}, request=CommentWriteSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Comment on a finding; @ada@example.com mentions a person."""
        finding = find_finding(pk, self.access)
        comment = comment_on(self.access, finding, body(request, CommentWriteSerializer)["text"])
        return Response(comment_documents([comment])[0], status=status.HTTP_201_CREATED)

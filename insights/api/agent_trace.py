"""/api/v1/commits/{sha}/agent-trace/: the evidence for a commit as Agent Trace records.  https://agent-trace.dev"""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.operations import operation
from integrations.code.attribution.commit_evidence import agent_lines_of, evidence_of
from integrations.code.attribution.trace_records import trace_records
from integrations.code.commits.listing import may_name_session, visible_commits
from orgtree.access.access import access_of


class TraceRevisionSerializer(serializers.Serializer[object]):
    type = serializers.CharField(help_text="git")
    revision = serializers.CharField(help_text="The commit that the evidence is about.")


class TraceToolSerializer(serializers.Serializer[object]):
    name = serializers.CharField(help_text="Agent.")
    version = serializers.CharField(required=False, help_text="Version of the agent, if known.")


class TraceContributorSerializer(serializers.Serializer[object]):
    type = serializers.CharField(help_text="ai: lines of people are not recorded.")
    model_id = serializers.CharField(required=False, help_text="maker/model, if known.")


class TraceRangeSerializer(serializers.Serializer[object]):
    start_line = serializers.IntegerField()
    end_line = serializers.IntegerField()


class TraceConversationSerializer(serializers.Serializer[object]):
    contributor = TraceContributorSerializer()
    ranges = TraceRangeSerializer(many=True, help_text="Empty: how many lines is known, but not which.")


class TraceFileSerializer(serializers.Serializer[object]):
    path = serializers.CharField()
    conversations = TraceConversationSerializer(many=True)


class TraceRecordSerializer(serializers.Serializer[object]):
    """A record in the Agent Trace 0.1.0 format."""

    version = serializers.CharField()
    id = serializers.UUIDField()
    timestamp = serializers.DateTimeField(help_text="Arrival of the evidence.")
    vcs = TraceRevisionSerializer()
    tool = TraceToolSerializer()
    files = TraceFileSerializer(many=True, help_text="Empty: the evidence is about the commit as a whole.")
    metadata = serializers.JSONField(
        help_text="`session_id` where you may know it, and `org.headway` with method, level, confidence, model and "
        "`lines_by_path`."
    )


class CommitTraceSerializer(serializers.Serializer[object]):
    commit = serializers.CharField()
    records = TraceRecordSerializer(many=True)
    evidence_left_out = serializers.IntegerField(help_text="Rows of evidence beyond the 200 that are read.")


class AgentTraceView(APIView):
    @operation("v1_agent_trace", CommitTraceSerializer, parameters=[])
    def get(self, request: Request, sha: str) -> Response:
        """Return the evidence by which lines of a commit were attributed to an agent, as Agent Trace records."""
        access = access_of(request.user)
        visible = visible_commits(access)
        commit = get_object_or_404(visible, sha=sha.lower())
        seen, count = evidence_of(commit, agent_lines_of(commit))
        shown = set(visible.filter(pk__in={evidence.row.commit_id for evidence in seen}).values_list("pk", flat=True))
        named = {evidence.row.pk for evidence in seen if may_name_session(access, evidence.session)}
        records = trace_records([one for one in seen if one.row.commit_id in shown], named_sessions=named)
        return Response({"commit": commit.sha, "records": records, "evidence_left_out": count - len(seen)})

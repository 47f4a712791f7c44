"""One sentence about the page's activity that no person is matched to."""

from __future__ import annotations

from insights.pages.answers import Answers
from insights.privacy.visible import visible_unmatched
from insights.query.query import Scope
from insights.ui import wording
from insights.ui.filters import Filters


def unmatched_sentence(filters: Filters, answers: Answers) -> str:
    """Shares of commits, sessions and spend; empty where everything is matched, or for a part of the organisation."""
    if filters.scope != Scope() or filters.facets:
        return ""
    commits = answers.answer("ai.committed_code_share").unmatched or 0
    sessions = answers.answer("ai.sessions").unmatched or 0
    spend = answers.figure("ai.spend").value or 0
    nobodys = visible_unmatched(filters.query("ai.spend"), filters.access) if sessions else 0.0
    shares = [(commits, 1, "commits"), (sessions, 1, "sessions"), (nobodys, spend, "the spend")]
    parts = [f"{wording.percent_of(part, whole)} of {what}" for part, whole, what in shares if part and whole]
    if not parts:
        return ""
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"No person is matched to {listed}: they count for the organisation, but for no person."

"""Silences in words: for the integrations page, notices, and the lines below figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insights.catalogue.agents import agent_name
from insights.catalogue.registry import get
from insights.ui import wording
from integrations.models import Silence
from integrations.silence.signals import SIGNALS
from orgtree.access.access import Access

REMEDIES = {
    "agent": "Check that its ingest token is valid, and that its settings and the network still reach Headway.",
    "bill": "Reconciliation shows the difference by cause: people without telemetry, machines that do not report.",
    "connection": "Check its history: its credential may have lost access. If there is no activity any more, pause it.",
    "lines": "See on the page of machines whether hooks run: a new version may have dropped them, or ask for trust.",
    "token": "Check where it is configured, and whether it expired. If you no longer need it, revoke it.",
}


def open_silences(access: Access) -> Sequence[dict[str, Any]]:
    """Open silences, newest first; only for admins."""
    return [
        {
            "title": silence_title(silence),
            "since": wording.day(silence.since),
            "detail": _detail(silence, access),
            "figures": wording.listed([get(key).name for key in lacking(silence)]),
            "remedy": _remedy(silence),
        }
        for silence in Silence.objects.open()
    ]


def silence_title(silence: Silence) -> str:
    """The title of a silence: Claude Code 2.1.0 sends no generated lines; Jenkins sends nothing."""
    if silence.sender_kind == "bill":
        return f"Telemetry explains less of the bill of {agent_name(silence.sender_key)}"
    if silence.sender_kind == "lines":
        return f"No line checkpoints of {agent_name(silence.sender_key)} arrive"
    if silence.sender:
        name = agent_name(silence.sender_key) if silence.sender_kind == "agent" else silence.sender_name
        return f"{name} sends nothing"
    version = f" {silence.version}" if silence.version else ", where it names no version,"
    signal = SIGNALS.get(silence.signal)
    return f"{agent_name(silence.agent)}{version} sends no {signal.name if signal else silence.signal}"


def lacking(silence: Silence) -> tuple[str, ...]:
    """Keys of metrics that lack the missing data."""
    if silence.sender_kind == "bill":
        return ("ai.bill_explained", "ai.billed_spend")
    if silence.sender_kind == "lines":
        return ("ai.committed_code_share", "ai.lines_committed")
    signal = SIGNALS.get(silence.signal)
    return signal.metrics if signal else ()


def text_of_notice(silence: Silence) -> str:
    """The details of a silence, without a number of sessions: any recipient reads the notice."""
    if silence.ended_at is not None:
        return f"{silence.get_end_display()}."
    return f"Since {wording.day(silence.since)}. {_remedy(silence)}"


def _detail(silence: Silence, access: Access) -> str:
    if silence.sender_kind == "bill":
        return f"In the four weeks before, it explained {wording.percent_of(silence.share_before or 0, 1)}."
    if silence.sender:
        who = "Machines" if silence.sender_kind == "lines" else "It"
        return f"{who} sent data on each of the previous five working days."
    sessions = "A few sessions" if access.is_few(silence.people) else wording.count(silence.sessions, "session")
    before = f"version {silence.version_before}" if silence.version_before != silence.version else "the same version"
    share = wording.percent_of(silence.share_before or 0, 1)
    return f"{sessions} since then lacked it; before that, {share} of the sessions of {before} had it."


def _remedy(silence: Silence) -> str:
    if silence.sender:
        return REMEDIES[silence.sender_kind]
    return SIGNALS[silence.signal].remedy if silence.signal in SIGNALS else ""

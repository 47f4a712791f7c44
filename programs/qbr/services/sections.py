"""Sections of a business review: their automatic content, and the prompts for authors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rest_framework import serializers

from core.api.model_serializers import Text, WriteSerializer
from insights.catalogue.lead_time_stages import STAGES
from insights.catalogue.registry import metrics
from programs.models import QbrPeriod, QbrSection, SectionKey
from programs.models.qbr import MOST_ADDED_METRICS

WEEK = "by_week"
UNITS = "by_unit"
AGENTS = "by_agent"
STAGES_CHART = "stages"
PERIODS = "by_period"
CATEGORIES = "by_category"
LONGEST_COMMENTARY = 20_000  # characters


@dataclass(frozen=True)
class Section:
    """`metrics` are those in its row of figures, `charts` (kind, metric) those drawn below; `prompt` helps the writers.

    With `requires`, the section is available only if that metric exists.  `part` is a part of the executive report,
    which a quarter's review includes if its writers choose it.
    """

    key: SectionKey
    metrics: tuple[str, ...] = ()
    charts: tuple[tuple[str, str], ...] = ()
    prompt: str = ""
    requires: str = ""
    part: str = ""


SECTIONS: Mapping[str, Section] = {
    section.key.value: section
    for section in (
        Section(
            SectionKey.HIGHLIGHTS,
            (
                "ai.adoption_rate",
                "dora.recovery_time",
                "dora.deployment_frequency",
                "pr.pickup_time",
                "ai.spend_wasted",
            ),
            prompt="The review in one sentence, as the headline below the title.",
        ),
        Section(
            SectionKey.DECIDED,
            prompt="What became of it, and what is still open?",
        ),
        Section(
            SectionKey.DORA,
            (
                *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
                "dora.rework_rate",
            ),
            ((STAGES_CHART, "dora.lead_time"), (UNITS, "pr.pickup_time")),
            "Why did they move? What does the longest stage wait for?",
        ),
        Section(
            SectionKey.BOTTLENECKS,
            charts=((STAGES_CHART, "dora.lead_time"),),
            prompt="Why do changes wait there, and what will you do about the longest wait?",
        ),
        Section(
            SectionKey.FINDINGS,
            prompt="Which of them did you act on, which were wrong, and what will you do about those that are open?",
        ),
        Section(
            SectionKey.TREND,
            charts=tuple(
                (PERIODS, key)
                for key in (
                    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate"),
                    *("dora.recovery_time", "ai.adoption_rate", "ai.committed_code_share"),
                )
            ),
            prompt="Which way does it go over several periods, and since what?",
        ),
        Section(
            SectionKey.PLANNING,
            (
                *("sprint.delivered_vs_planned", "sprint.delivered", "sprint.scope_creep", "sprint.carry_over"),
                "sprint.predictability",
            ),
            ((WEEK, "sprint.delivered"), (UNITS, "sprint.delivered_vs_planned")),
            "What was not delivered as planned, and why? Which dates will you move, and what will you leave out?",
        ),
        Section(
            SectionKey.OBJECTIVES,
            prompt="What was reached, what was not, and what was learned.",
        ),
        Section(
            SectionKey.ACTION_PLANS,
            prompt="Which actions do you keep, share with other teams, or stop?",
        ),
        Section(
            SectionKey.AI,
            ("ai.adoption_rate", "ai.committed_code_share", "ai.ship_rate", "ai.spend", "ai.spend_wasted"),
            ((WEEK, "ai.active_developers"), (AGENTS, "ai.spend")),
            "Does it help, whom does it help, and is it worth its cost?",
        ),
        Section(
            SectionKey.QUALITY,
            ("incident.count", "incident.mttr", "bug.ratio", "pr.revert_rate", "pr.unreviewed_rate"),
            ((WEEK, "incident.count"), (UNITS, "dora.change_failure_rate")),
            "What affected users, and what prevents it from happening again?",
        ),
        Section(
            SectionKey.ALLOCATION,
            (
                *("allocation.new_share", "allocation.improvement_share", "allocation.maintenance_share"),
                *("allocation.productivity_share", "allocation.unlinked_share"),
            ),
            ((CATEGORIES, "allocation.time"), (UNITS, "allocation.maintenance_share")),
            "Did time go where it was planned to go?",
            requires="allocation.share",
        ),
        Section(
            SectionKey.RISKS,
            prompt="What could put the next plan at risk? Off-target items are listed.",
        ),
        Section(
            SectionKey.WARNINGS,
            prompt="What do the teams themselves say, and who talks with them?",
            part="warnings",
        ),
        Section(
            SectionKey.RECOMMENDATIONS,
            prompt="Which of them will you try, and where first?",
            part="recommendations",
        ),
        Section(
            SectionKey.CAVEATS,
            prompt="Which figures should be read with care, and until when?",
            part="caveats",
        ),
        Section(
            SectionKey.ASKS,
            prompt="What leadership should know before it decides. Add the decisions on the review’s page.",
        ),
        Section(
            SectionKey.NEXT,
            prompt="What the next period is about.",
        ),
    )
}
# The words next to a figure among the highlights.
HIGHLIGHT_PHRASES: Mapping[str, str] = {
    "ai.adoption_rate": "of developers used an agent",
    "dora.recovery_time": "to recover from a failed change",
    "dora.deployment_frequency": "deployments to production a day",
    "pr.pickup_time": "waiting for a first review",
    "ai.spend_wasted": "of agent spend did not ship",
}
# The figures that the first page names as the review's data.
SOURCES = ("ai.active_developers", "ai.sessions", "pr.throughput", "incident.count")
STAGE_METRICS = tuple(metric for metric, _, _ in STAGES.values())


class SectionWriteSerializer(WriteSerializer[QbrSection]):
    metrics = serializers.ListField(child=Text(), required=False)

    class Meta:
        model = QbrSection
        fields: tuple[str, ...] = ("headline", "commentary", "metrics")
        extra_kwargs = {
            "headline": {"help_text": ""},
            "commentary": {"max_length": LONGEST_COMMENTARY},
        }

    def validate_headline(self, headline: str) -> str:
        return " ".join(headline.split())

    def validate_metrics(self, keys: list[str]) -> list[str]:
        known = addable_metrics()
        unknown = next((key for key in keys if key not in known), None)
        if unknown is not None:
            raise serializers.ValidationError(f"There is no metric {unknown[:80]!r} to show here.")
        if len(metrics := list(dict.fromkeys(keys))) > MOST_ADDED_METRICS:
            raise serializers.ValidationError(
                f"At most {MOST_ADDED_METRICS} more, so that the row of figures stays readable."
            )
        return metrics


def available_sections(period: str) -> list[Section]:
    """The sections in default order whose metrics exist; a month has no executive report."""
    known = {metric.key for metric in metrics()}
    has_report = period == QbrPeriod.QUARTER
    return [
        section
        for section in SECTIONS.values()
        if (not section.requires or section.requires in known) and (has_report or not section.part)
    ]


def addable_metrics() -> Mapping[str, str]:
    """Names, by key, of the metrics that a section can show in addition: those with a single value."""
    return {metric.key: metric.name for metric in metrics() if not metric.always_by}

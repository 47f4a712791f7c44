"""Nine places where teams are held up, by process, tooling and people, and what in the data is a sign of each.

A sign is a hypothesis.  People rarely turn out to be the cause: the columns of process and tooling stand first, and a
sign among people is shown beside those that may explain it.
"""

from __future__ import annotations

from dataclasses import dataclass

from programs.models import BottleneckKind


@dataclass(frozen=True)
class Bottleneck:
    """One of the nine.  `keys` are the metrics that tell of it; of reorganisations Org Trees tell."""

    key: str
    kind: BottleneckKind
    name: str
    asks: str
    keys: tuple[str, ...]


REORGANISATION = "reorganisation"
BOTTLENECKS = (
    Bottleneck(
        "repetitive-work",
        BottleneckKind.PROCESS,
        "Repetitive, low-value work",
        "How much of what is finished repairs what was there?",
        ("bug.ratio", "dora.rework_rate"),
    ),
    Bottleneck(
        "planning",
        BottleneckKind.PROCESS,
        "Planning and context switching",
        "How much is begun at the same time, and how long does it lie?",
        ("wip.count", "wip.age"),
    ),
    Bottleneck(
        "communication",
        BottleneckKind.PROCESS,
        "Communication",
        "How long does work wait for somebody else's answer?",
        ("pr.pickup_time", "pr.review_time"),
    ),
    Bottleneck(
        "manual-effort",
        BottleneckKind.TOOLING,
        "Manual effort",
        "How long do finished changes wait for machines and for steps by hand?",
        ("ci.wait_per_pull_request", "pr.merge_time"),
    ),
    Bottleneck(
        "reliability",
        BottleneckKind.TOOLING,
        "Security, reliability, governance",
        "How often does a change go wrong, or past its review?",
        ("dora.change_failure_rate", "pr.unreviewed_rate"),
    ),
    Bottleneck(
        "disconnected-tools",
        BottleneckKind.TOOLING,
        "Tools that don't work together",
        "Does one tool know of the work in the other, and can its answer be trusted?",
        ("pr.linked_rate", "ci.flaky_rate"),
    ),
    Bottleneck(
        "allocation",
        BottleneckKind.PEOPLE,
        "Allocation of people",
        "Do a few carry what many wait for?",
        ("review.load_concentration",),
    ),
    Bottleneck(
        "capability",
        BottleneckKind.PEOPLE,
        "Capability and output",
        "How much of what is written is written again soon?",
        ("code.rework_rate",),
    ),
    Bottleneck(
        REORGANISATION,
        BottleneckKind.PEOPLE,
        "Reorganisation",
        "How many changed their team?",
        (),
    ),
)
METRICS = tuple(dict.fromkeys(key for each in BOTTLENECKS for key in each.keys))

"""Labels and sentences of attribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from insights.ui import wording
from integrations.models import Commit, CommitExclusion, CommitFile, EvidenceLevel, Method
from orgtree.access.access import Access

METHODS: Mapping[str, str] = {
    Method.LINE_CHECKPOINT: "Line checkpoints",
    Method.NOTE: "git-ai note",
    Method.RECORD: "Record in the repository",
    Method.VENDOR: "Vendor's record",
    Method.NAMED: "Named by the agent",
    Method.TRAILER: "Trailer or signature",
    Method.LABEL: "Label of a pull request",
    Method.OVERLAP: "Session overlap",
}
LEVELS: Mapping[str, str] = {
    EvidenceLevel.LINE: "Lines",
    EvidenceLevel.COMMIT: "Whole commit, upper bound",
}
EXCLUSION_REASONS: Mapping[str, str] = {
    CommitExclusion.MERGE: "Merge",
    CommitExclusion.DUPLICATE: "Duplicate",
    CommitExclusion.SQUASHED: "Squashed",
    CommitExclusion.BULK: "Bulk",
    CommitExclusion.BOT: "Bot",
    CommitExclusion.GONE: "Deleted",
}
WHY_EXCLUDED: Mapping[str, str] = {
    CommitExclusion.MERGE: "It is a merge: its lines count in the commits that it merges.",
    CommitExclusion.DUPLICATE: (
        "Another commit contains the same change, after a rebase or a cherry-pick. Each change counts once: as the "
        "commit on the default branch, else as the first one committed."
    ),
    CommitExclusion.SQUASHED: "It was part of a branch that was squashed into one commit on the default branch. The "
    "squash counts, with the evidence of all its parts.",
    CommitExclusion.BULK: "It changes more lines or files than people write in one commit, such as an initial import.",
    CommitExclusion.BOT: "It was signed by a bot that is not a coding agent. Bots are not people.",
    CommitExclusion.GONE: "It is on no branch of any connected repository any more.",
}
FILE_EXCLUSION_REASONS: Mapping[str, str] = dict(CommitFile.ExclusionReason.choices)
FILE_TYPES: Mapping[str, str] = dict(CommitFile.Type.choices)


def why(commit: Commit) -> str:
    """The sentence that says whether the commit counts, and why."""
    if commit.exclusion_reason:
        return WHY_EXCLUDED.get(commit.exclusion_reason, str(commit.get_exclusion_reason_display()))
    if not commit.lines_known:
        return (
            "It counts as a commit. Its lines are unknown, not zero: git could not read its objects here, as in a "
            "partial clone."
        )
    return "It counts, with the added lines of its counted files."


def mix_in_words(mix: Mapping[str, float]) -> str:
    """The mix of evidence in words: "Evidence: git-ai note 12%, trailer or signature 88%"; empty without evidence."""
    order = [method.value for method in Method]
    known = sorted(((name, share) for name, share in mix.items() if share), key=lambda item: order.index(item[0]))
    parts = [f"{in_a_sentence(method_name(name))} {wording.percent_of(share, 1)}" for name, share in known]
    return f"Evidence: {wording.listed(parts)}" if parts else ""


def in_a_sentence(name: str) -> str:
    return name[:1].lower() + name[1:]


def method_name(method: str) -> str:
    return METHODS.get(method, method)


def labels_of(access: Access, commits: Iterable[Commit]) -> Mapping[int, str]:
    """Commit id → label of the person that it counts for."""
    listed = list(commits)
    credited = [commit.credited.person for commit in listed if commit.credited and commit.credited.person]
    labels = access.labels({person.pk: person for person in credited}.values())
    return {commit.pk: _label(commit, labels) for commit in listed}


def _label(commit: Commit, labels: Mapping[int, str]) -> str:
    if commit.credited is None:
        return "Autonomous agent" if commit.by_agent else f"{commit.author.value} (bot)"
    if commit.by_bot:
        return f"{commit.credited.value} (bot)"
    person = commit.credited.person
    return labels[person.pk] if person else f"{commit.credited.value} (unmatched)"

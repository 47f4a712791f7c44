"""Working agreements by owned object and range of days, as SQL for classifying changes, deployments and the work of
sprints."""

from __future__ import annotations

from typing import Final, LiteralString

from integrations.facts.ownership import OWNER_PLACEMENTS

AGREED: Final[LiteralString] = f"""
    SELECT placed.owned_id, placed.during * agreement.during AS during,
           agreement.most_lines, agreement.size_thresholds, agreement.review_hours, agreement.needs_work_item,
           agreement.ignored_labels, agreement.hotfix_branches, agreement.hotfix_labels, agreement.link_window_hours,
           agreement.rollout_gap_minutes, agreement.trunk, agreement.sprint_grace_days,
           agreement.marks_pull_requests, agreement.reminds_team,
           agreement.work_starts_at, agreement.work_ends_at, agreement.time_zone,
           (
               SELECT count(DISTINCT above.ancestor_id) FROM orgtree_unitplacement above
               WHERE above.unit_id = agreement.unit_id AND above.during && placed.during * agreement.during
           ) AS depth,
           agreement.id AS agreement_id
    FROM integrations_workingagreement agreement
    JOIN ({OWNER_PLACEMENTS}) AS placed
      ON placed.ancestor_id = agreement.unit_id AND placed.during && agreement.during
"""  # noqa: S608  # constants
"""One row per owned object, agreement of its owner or of an ancestor unit, and range of local days."""

NEAREST_FIRST: Final[LiteralString] = "agreed.depth DESC, agreed.agreement_id"
"""The agreement of the deepest unit wins; between trees with units of equal depth, the older one."""


def of_owner(deployment: LiteralString) -> LiteralString:
    """Condition on `agreed`: it is of the owner of a deployment's service, else repository, on its last day."""
    return f"""
        agreed.owned_id = coalesce(
            (SELECT id FROM integrations_owned WHERE kind = 'service' AND name = {deployment}.service),
            (SELECT id FROM integrations_owned WHERE repository_id = {deployment}.repository_id)
        ) AND agreed.during @> {deployment}.finished_at::date
    """  # noqa: S608  # an alias

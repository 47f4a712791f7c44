"""All that is kept of everybody."""

from __future__ import annotations

from insights.leaderboard.keeping import LEADERBOARD
from insights.people_figures.adoption import ADOPTION
from insights.people_figures.lines import LINES
from insights.people_figures.unassigned import UNASSIGNED

KINDS = (LEADERBOARD, LINES, ADOPTION, UNASSIGNED)

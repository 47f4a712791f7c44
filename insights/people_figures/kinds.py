"""All that is kept of everybody."""

from __future__ import annotations

from insights.leaderboard.keeping import LEADERBOARD
from insights.people_figures.adoption import ADOPTION
from insights.people_figures.lines import LINES

KINDS = (LEADERBOARD, LINES, ADOPTION)

"""The five DORA metrics, each with its band in the published set that was chosen, and the score they add up to."""

from __future__ import annotations

from insights.tiles import Tile
from insights.views.answers import Answers
from insights.views.delivery.answers import compared, tile

# Metric → label of its tile.
TILES = {
    "dora.deployment_frequency": "Deployment frequency",
    "dora.lead_time": "Lead time for changes",
    "dora.change_failure_rate": "Change failure rate",
    "dora.recovery_time": "Recovery time",
    "dora.rework_rate": "Rework rate",
}
WANTED = compared(tuple(TILES))


def dora_tiles(answers: Answers) -> list[Tile]:
    return [tile(answers, key, label=label) for key, label in TILES.items()]

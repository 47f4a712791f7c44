"""How often the dates hold of 200 teams whose pace and scope growth are known.

Each team has many futures, so that the share that holds is that of the method and not of one draw of luck.  Takes some
seconds: 200 forecasts of 2,000 runs.
"""

from __future__ import annotations

import numpy as np
import pytest

from insights.formulas.forecast import EVEN, LIKELY, SAFE, Forecast, History, when_finished
from insights.formulas.forecast_window import choose_window
from tests.formulas.simulated_teams import FUTURE, Played, simulated_teams
from tests.seeds import seeds

TEAMS = 200


def shares_that_hold(played: Played, seed: int) -> list[float]:
    """The shares of the team's futures that were finished by the 50, 85 and 95 % dates."""
    chosen = choose_window(History(played.finished, played.added), days_since_change=played.team.changed)
    forecast = when_finished(chosen.history, played.team.remaining, seed=seed)
    assert isinstance(forecast, Forecast)
    return [float(np.mean(played.done <= (forecast.day_at(odds) or FUTURE))) for odds in (EVEN, LIKELY, SAFE)]


@pytest.mark.parametrize("seed", seeds())
def test_dates_hold_as_often_as_they_promise(seed: int) -> None:
    teams = simulated_teams(TEAMS, seed=seed, futures=40)
    shares = np.array([shares_that_hold(played, number) for number, played in enumerate(teams)])
    even, likely, safe = shares.mean(axis=0)
    assert 0.44 <= even <= 0.56
    assert 0.80 <= likely <= 0.90
    assert 0.91 <= safe <= 0.98
    groups = {  # of 30 to 140 teams, which vary by some points more than all 200 do
        "changed": [played.team.changed is not None for played in teams],
        "growing": [played.team.growth > 0 for played in teams],
        "short history": [played.team.days < 60 for played in teams],
        "near": [played.team.remaining < 25 * played.team.pace for played in teams],
        "far": [played.team.remaining > 60 * played.team.pace for played in teams],
    }
    for name, members in groups.items():
        assert 0.75 <= shares[members, 1].mean() <= 0.95, name

"""The sizes of the demo that tests of it run with: small in `make test`, the whole year in `make soak`."""

from __future__ import annotations

import pytest

from demo.plan.stories import Flavour

DEMO_SECONDS = 4000  # others may use the same processors
_YEAR = (pytest.mark.soak, pytest.mark.timeout(DEMO_SECONDS + 400))

STORIES = (Flavour.SMALL_STORIES, pytest.param(Flavour.STORIES, marks=_YEAR))
QUIET = (Flavour.SMALL_QUIET, pytest.param(Flavour.QUIET, marks=_YEAR))

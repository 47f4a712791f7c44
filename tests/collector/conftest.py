from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collector.door import Door
from tests.listening import listening


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    with listening(made.server):
        yield made

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collector.door import Door


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.server.shutdown()
    made.server.server_close()

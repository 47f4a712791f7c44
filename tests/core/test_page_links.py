"""Links between the pages of a list."""

from __future__ import annotations

import pytest

from core.page_links import links_of_page


@pytest.mark.parametrize(
    ("page", "shown", "links"),
    [
        (1, 20, ("1", "20", "", "?2")),
        (2, 20, ("21", "40", "?1", "")),  # the last page is full
        (9, 0, ("0", "0", "?8", "")),
    ],
)
def test_a_page_says_which_rows_it_shows_and_where_others_are(
    page: int, shown: int, links: tuple[str, str, str, str]
) -> None:
    context = links_of_page(page, range(shown), 40, lambda number: f"?{number}", size=20)
    assert tuple(context[name] for name in ("first", "last", "previous_url", "next_url")) == links

"""People's text is shown as they meant it, and never executed."""

import pytest

from core.markdown import as_html


def test_markdown_becomes_paragraphs_lists_and_links() -> None:
    html = as_html("**Smaller** PRs:\n\n- one\n- two\n\nSee [the guide](https://example.com/guide).")
    assert "<strong>Smaller</strong>" in html
    assert html.count("<li>") == 2
    assert 'href="https://example.com/guide"' in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "<a href='https://example.com' onclick='alert(1)' style='position:fixed'>x</a>",
        "![picture](https://example.com/follow.png)",
        "<svg><style>@import 'https://example.com'</style></svg>",
        '| a |\n| --- |\n| <iframe src="https://example.com"></iframe> |',
    ],
)
def test_nothing_that_is_written_runs_or_is_fetched(hostile: str) -> None:
    html = as_html(hostile)
    for forbidden in ("<script", "<img", "<iframe", "<svg", "<style", 'href="javascript', 'href="data', 'onclick="'):
        assert forbidden not in html.lower()
    assert "style=" not in html or "&lt;a" in html

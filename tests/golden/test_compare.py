"""The comparison of two texts notices what changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.golden.__main__ import main
from tests.golden.compare import EXAMPLES, Kind, differences, report
from tests.golden.lines import Part, Place, measured, sorted_text

SPEND = Place("demo", "ai.spend", "own", "unit checkout", "2026-08-01..2026-12-01 month", "all", "total")
SIZE = replace(SPEND, metric="pr.size", statistic="p90")
FIGURE: Mapping[str, Part] = {"value": 12.5, "denominator": 3.0, "sample": 3, "people": 2, "reason": None}
Texts = Callable[[Sequence[str], Sequence[str]], tuple[Path, Path]]


@pytest.fixture
def texts(tmp_path: Path) -> Texts:
    def written(first: Sequence[str], second: Sequence[str]) -> tuple[Path, Path]:
        paths = tmp_path / "first", tmp_path / "second"
        for path, lines in zip(paths, (first, second), strict=True):
            path.write_text(sorted_text(lines), encoding="utf-8")
        return paths

    return written


def spend(**parts: Part) -> str:
    return SPEND.line({**FIGURE, **parts})


def test_equal_numbers_are_printed_equally() -> None:
    numbers = (3, 3.0, Decimal("3.00"))
    assert len({spend(value=measured(number)) for number in numbers}) == 1
    assert spend(value=measured(-0.0)) == spend(value=measured(0))
    assert spend(value=None) != spend(value=0.0)  # no data is not nought


def test_the_order_of_the_questions_is_irrelevant(texts: Texts) -> None:
    lines = [spend(), SIZE.line(FIGURE)]
    first, second = texts(lines, lines[::-1])
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "parts",
    [
        {"value": 12.5 * (1 + 1e-11)},
        {"value": None, "reason": "Nothing happened."},
        {"denominator": 4.0},
        {"sample": 4},  # counts are compared exactly, however large
        {"people": 0},
        {"left_out": 1},
        {"low": 1.5},
        {"reason": "Nothing happened."},
    ],
)
def test_a_changed_part_is_a_difference(texts: Texts, parts: Mapping[str, Part]) -> None:
    by_metric = differences(*texts([spend(), SIZE.line(FIGURE)], [spend(**parts), SIZE.line(FIGURE)]))
    assert {metric: dict(of_metric.counts) for metric, of_metric in by_metric.items()} == {
        "ai.spend": {Kind.CHANGED: 1}
    }


def test_large_counts_are_compared_exactly(texts: Texts) -> None:
    assert differences(*texts([spend(sample=10**15)], [spend(sample=10**15 + 1)]))


@pytest.mark.parametrize("value", [0.1 + 0.2, 12.5 * (1 + 1e-13), 1e22, -2e-9])
def test_noise_of_the_last_digits_is_none(texts: Texts, value: float) -> None:
    noisy = value * (1 + 2e-16) if value != 0.1 + 0.2 else 0.3
    assert repr(noisy) != repr(value)
    assert not differences(*texts([spend(value=value)], [spend(value=noisy)]))


def test_what_stands_in_one_text_alone_is_a_difference(texts: Texts) -> None:
    by_metric = differences(*texts([spend()], [SIZE.line(FIGURE)]))
    assert {metric: dict(of_metric.counts) for metric, of_metric in by_metric.items()} == {
        "ai.spend": {Kind.ONLY_IN_FIRST: 1},
        "pr.size": {Kind.ONLY_IN_SECOND: 1},
    }


def test_the_report_counts_all_and_shows_some(texts: Texts) -> None:
    months = [replace(SPEND, window=f"month {number:02}") for number in range(20)]
    first, second = ([month.line({**FIGURE, "value": value}) for month in months] for value in (1.0, 2.0))
    text = report(differences(*texts(first, second)))
    assert text.startswith("ai.spend: 20 changed\n")
    assert text.count("unit checkout") == EXAMPLES
    assert text.endswith("20 figures of 1 metrics differ.")


def test_exit_codes_say_whether_anything_differs(
    texts: Texts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def code_of(first: Sequence[str], second: Sequence[str]) -> int:
        monkeypatch.setattr("sys.argv", ["tests.golden", "--compare", *map(str, texts(first, second))])
        return main()

    assert code_of([spend()], [spend()]) == 0
    assert capsys.readouterr().out == "No figure differs.\n"
    assert code_of([spend()], [spend(value=9.0)]) == 1
    assert "ai.spend: 1 changed" in capsys.readouterr().out


def test_what_is_no_sorted_text_is_refused(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = texts([spend()], [spend()])
    second.write_text("\n".join([SIZE.line(FIGURE), spend()]), encoding="utf-8")
    with pytest.raises(ValueError, match=r"second, line 2: .*Write the text again"):
        differences(first, second)
    monkeypatch.setattr("sys.argv", ["tests.golden", "--compare", str(first), str(second)])
    assert main() == 2

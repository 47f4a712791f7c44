"""Whatever the seed and the day on which somebody starts the demo, its stories are in it and the quiet one has none."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from demo.plan.delivery import EventKind
from demo.plan.issues import BLOCKED, IN_PROGRESS, PlannedIssue
from demo.plan.organisation import HAND_MOVED_PERSON
from demo.plan.pull_requests import PlannedPullRequest, plan_work
from demo.plan.repositories import REPOSITORIES
from demo.plan.sizes import YEAR_WEEKS
from demo.plan.stories import STORIES, Flavour, Weeks
from demo.plan.year import DemoYear
from insights.forecasts.forecasting import as_of, forecast_of
from insights.formulas.working_days import WorkingDays
from integrations.delivery.ownership.proposals import LOOKED_BACK
from integrations.delivery.records.initiatives import Initiative, InitiativeKind
from tests.demo import flavours
from tests.demo.planned import PlannedFigures
from tests.demo.story_checks import assert_story_shows

ENDS = {
    "on a Friday in autumn": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
    "on a Monday after the holidays": datetime(2027, 1, 4, 7, 0, tzinfo=UTC),
    "on a Sunday in spring": datetime(2027, 4, 11, 22, 0, tzinfo=UTC),
    "in the middle of a summer's week": datetime(2027, 7, 14, 12, 0, tzinfo=UTC),
}


SESSIONS = {Flavour.STORIES: (8_000, 15_000), Flavour.SMALL_STORIES: (1_200, 1_700)}


@pytest.mark.parametrize("flavour", flavours.STORIES)
@pytest.mark.parametrize("end", list(ENDS))
def test_every_story_is_in_the_plan(flavour: Flavour, end: str) -> None:
    seed = list(ENDS).index(end) + 1
    figures = PlannedFigures(DemoYear(seed=seed, flavour=flavour, anchor=ENDS[end]))
    fewest, most = SESSIONS[flavour]
    assert fewest <= len(figures.sessions) <= most
    for story in STORIES:
        assert_story_shows(story, figures)


@pytest.mark.parametrize("flavour", flavours.QUIET)
def test_the_quiet_flavour_tells_none(flavour: Flavour) -> None:
    end = ENDS["on a Friday in autumn"]
    figures = PlannedFigures(DemoYear(seed=1, flavour=flavour, anchor=end))
    for weeks in (Weeks(4, 0), Weeks(12, 0), Weeks(52, 0)):
        assert figures.figure("ai.adoption_rate", weeks, {}) == 100
        error_rate = figures.figure("ai.error_rate", weeks, {})
        assert error_rate is not None
        assert error_rate < 6
    # Nothing rises or falls by itself: half of the weeks are like the other, holidays aside.
    size = flavour.size
    middle = size.weeks[size.played(YEAR_WEEKS) // 2]
    halves = [figures.figure("ai.sessions", weeks, {}) for weeks in (Weeks(middle, 0), Weeks(YEAR_WEEKS, middle))]
    assert halves[0] == pytest.approx(halves[1], rel=0.15)


@pytest.mark.parametrize("flavour", flavours.STORIES)
def test_teams_do_most_of_the_work_in_their_repositories(flavour: Flavour) -> None:
    """Whoever does more than half of it is proposed as the owner, and the demo leaves nothing without one."""
    for number in range(12):  # the weekday, the hour and the holidays that lie in between differ
        end = datetime(2026, 11, 28, 4, 10, tzinfo=UTC) + timedelta(days=31 * number, hours=7 * number)
        year = DemoYear(seed=1, flavour=flavour, anchor=end)
        planned = PlannedFigures(year).commits
        for repository in REPOSITORIES:
            work = plan_work(year, repository, [commit for commit in planned if commit.repository == repository])
            recent = [one for one in work.pull_requests if one.merged_at is None or one.merged_at > end - LOOKED_BACK]
            members = {one for one in year.team(repository.team) if one.full_name != HAND_MOVED_PERSON.moved}
            for what, people in {
                "merges": [one.person for one in recent if one.merged_at],
                "issues": {one.issue: one.person for one in reversed(recent) if one.issue}.values(),
            }.items():
                times = Counter(person in members for person in people)
                assert times[True] > times[False], f"{what} in {repository.name} on {end:%Y-%m-%d}: {times}"


def test_items_are_in_progress_only_while_somebody_works_on_them() -> None:
    """Done with the last merge, or given up with the last closing, whatever became of the pull requests before it."""
    year = DemoYear(seed=1, flavour=Flavour.STORIES, anchor=ENDS["on a Friday in autumn"])
    commits, seen = PlannedFigures(year).commits, Counter[str]()
    for repository in REPOSITORIES:
        work = plan_work(year, repository, [one for one in commits if one.repository == repository])
        for issue in (one for one in work.issues if not one.is_epic):
            pull_requests = [one for one in work.pull_requests if one.issue == issue.number]
            if not pull_requests:
                continue
            closings = [
                [one.at for one in pull_request.review.steps if one.did is EventKind.CLOSED][-1:]
                for pull_request in pull_requests
            ]
            merges = [one.merged_at for one in pull_requests if one.merged_at]
            steps = [one for one in issue.steps if one.text != BLOCKED]
            began = [one for one in steps if one.did is EventKind.LABELLED]
            left = [one for one in steps if one.did is EventKind.UNLABELLED]
            done = [one for one in steps if one.did is EventKind.CLOSED and one.text == "completed"]
            for pull_request, closed in zip(pull_requests, closings, strict=True):
                if pull_request.merged_at is None and (not closed or _reopened(pull_request, closed[0])):
                    assert not done, f"{issue.title} of {repository.name} is done while a pull request is open"
                    seen["open"] += 1
                    break
            else:
                assert began, issue
                is_mixed = len(merges) not in (0, len(pull_requests))
                given_up = [closed[0] for one, closed in zip(pull_requests, closings, strict=True) if not one.merged_at]
                if merges and max(merges) >= max(given_up, default=max(merges)):
                    assert done, f"{issue.title} of {repository.name} stays in progress"
                    assert done[0].at - max(merges) < timedelta(seconds=2)
                    assert not left
                    seen["done, one was closed" if is_mixed else "done"] += 1
                else:
                    assert (bool(left), done) == (True, []), f"{issue.title} of {repository.name} stays in progress"
                    seen["given up, one was merged" if is_mixed else "given up"] += 1
    assert min(seen.values()) > 0
    assert len(seen) == 5, seen


def _reopened(pull_request: PlannedPullRequest, closed_at: datetime) -> bool:
    return any(one.did is EventKind.REOPENED and one.at > closed_at for one in pull_request.review.steps)


def test_one_epic_misses_its_planned_day_and_most_forecasts_of_finished_ones_held() -> None:
    """Longer than 5 s: the whole year, for a small one has too few items to forecast."""
    year = DemoYear(seed=1, flavour=Flavour.STORIES, anchor=ENDS["on a Friday in autumn"])
    commits, calendar = PlannedFigures(year).commits, WorkingDays.without((5, 6), ())
    at_risk, outcomes = set(), Counter[bool]()
    for repository in REPOSITORIES:
        issues = plan_work(year, repository, [one for one in commits if one.repository == repository]).issues
        for epic in (issue for issue in issues if issue.is_epic):
            initiative = _initiative(epic, [issue for issue in issues if issue.epic == epic.number])
            if initiative.remaining:
                if forecast_of(initiative, today=year.last_day, calendar=calendar).is_at_risk:
                    at_risk.add(epic.title)
                continue
            ended = max(initiative.done)
            for weeks in range(2, 52, 2):
                then = as_of(initiative, day := year.last_day - timedelta(weeks=weeks))
                made = forecast_of(then, today=day, calendar=calendar) if then.remaining and day < ended else None
                if made is not None and made.dates is not None:
                    outcomes[made.dates.likely is None or ended <= made.dates.likely] += 1
    assert "One-page checkout" in at_risk
    assert len(at_risk) <= 3
    assert 0.75 <= outcomes[True] / outcomes.total() <= 0.95, outcomes


def _initiative(epic: PlannedIssue, issues: list[PlannedIssue]) -> Initiative:
    ends = {
        issue: [step for step in issue.steps if step.did in (EventKind.CLOSED, EventKind.REOPENED)] for issue in issues
    }
    done = [ends[one][-1].at.date() for one in issues if ends[one] and ends[one][-1].text == "completed"]
    dropped = [ends[one][-1].at.date() for one in issues if ends[one] and ends[one][-1].text == "not_planned"]
    started = [step.at.date() for one in issues for step in one.steps if step.text == IN_PROGRESS]
    return Initiative(
        kind=InitiativeKind.EPIC,
        key=f"{epic.repository.name} {epic.number}",
        name=epic.title,
        reference="",
        epic_id=None,
        planned_on=epic.due_on,
        remaining=len(issues) - len(done) - len(dropped),
        in_progress=0,
        added=[issue.created_at.date() for issue in issues],
        done=done,
        dropped=dropped,
        started_on=min(started, default=None),
        active_days=None,
        people=(),
    )

"""Authors of real commits: whose they are, what waits, and bots that an admin names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.code.commits.agents_among_people import mark_known_agents
from integrations.models import Commit
from orgtree.identities.activity import activity_of_everybody, identity_activity
from orgtree.identities.decision_log import undo_change
from orgtree.identities.decisions import assign, confirm, mark_bots, unmark_bots
from orgtree.identities.match_identities import match_identities
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import Identity, MatchProposal, Person, Standing
from tests.code.git.repositories import ADA, Repo, lines
from tests.code.git.tables import counted, exclusion_reason, sync
from tests.orgtree.identity_world import employed

pytestmark = pytest.mark.django_db

SCRIPT = "Nightly Release <nightly@example.com>"
LOGIN = "Finch Imagined <40100301+finch-imagined@users.noreply.github.com>"


def test_a_new_author_is_called_as_they_sign(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, by="Willow O’Hara <wo@example.com>")
    sync(repo)
    assert Person.objects.get(email="wo@example.com").full_name == "Willow O’Hara"


def test_commits_of_a_waiting_login_count_for_nobody_and_then_for_whom_is_confirmed(repo: Repo) -> None:
    finch = employed("Finch Imagined", "finch.imagined@example.com")
    last_week = timezone.now() - timedelta(weeks=1)
    repo.commit({"a.py": lines(3)}, "One", by=LOGIN, at=last_week, committed_at=last_week)
    repo.commit({"b.py": lines(2)}, "Two", at=last_week, committed_at=last_week)
    sync(repo)
    match_identities()
    login = Identity.objects.get(value="finch-imagined")
    assert login.standing == Standing.WAITING
    everybody, unmatched = activity_of_everybody()
    assert (everybody.commits, unmatched.commits) == (2, 1)
    assert identity_activity([login.pk])[login.pk].commits == 1
    confirm([MatchProposal.objects.get(identity=login).pk], by=None)
    assert activity_of_everybody()[1].commits == 0
    assert Commit.objects.get(subject="One").credited.person == finch  # type: ignore[union-attr]


def test_a_marked_bots_commits_leave_and_come_back_when_it_is_none_after_all(repo: Repo) -> None:
    one = repo.commit({"a.py": lines(3)}, "One", by=SCRIPT)
    repo.commit({"b.py": lines(5)}, "Two", by=ADA)
    sync(repo)
    script = Identity.objects.get(value="nightly@example.com")
    (marked,) = mark_bots([script], by=None)
    assert counted() == {"Two": 5}
    assert exclusion_reason() == {one: "bot"}
    later = repo.commit({"c.py": lines(7)}, "Three", by=SCRIPT)
    sync(repo)
    assert exclusion_reason() == {one: "bot", later: "bot"}
    undo_change(marked, by=None)
    assert counted() == {"One": 3, "Two": 5, "Three": 7}
    mark_bots([script], by=None)
    script.refresh_from_db()
    unmark_bots([script], by=None)
    assert counted() == {"One": 3, "Two": 5, "Three": 7}
    script.refresh_from_db()
    assert script.person is not None


def test_a_bot_by_its_name_stays_one_whatever_an_admin_says(repo: Repo) -> None:
    one = repo.commit({"a.py": lines(3)}, by="dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>")
    sync(repo)
    bot = Identity.objects.get(provider="git-bot")
    mark_bots([bot], by=None)
    bot.refresh_from_db()
    unmark_bots([bot], by=None)
    assert exclusion_reason() == {one: "bot"}
    bot.refresh_from_db()
    assert bot.person is None


def test_an_agents_trailer_on_a_bots_commit_makes_it_the_agents(repo: Repo) -> None:
    actions = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
    updater = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
    trailers = "Co-Authored-By: Claude <noreply@anthropic.com>\nCo-authored-by: Ben Example <ben@example.com>"
    repo.commit({"a.py": lines(3)}, f"One\n\n{trailers}", by=actions)
    repo.commit({"b.py": lines(5)}, f"Two\n\n{trailers}", by=updater)
    sync(repo)
    assert counted() == {"One": 3}
    one = Commit.objects.get(subject="One")
    assert (one.by_agent, one.credited.value) == ("claude_code", "ben@example.com")  # type: ignore[union-attr]


def test_a_bot_that_is_marked_later_leaves_the_agents_commits_counted(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One\n\nCo-Authored-By: Claude <noreply@anthropic.com>", by=SCRIPT)
    repo.commit({"b.py": lines(5)}, "Two", by=SCRIPT)
    sync(repo)
    script = Identity.objects.get(value="nightly@example.com")
    mark_bots([script], by=None)
    assert counted() == {"One": 3}
    one = Commit.objects.get(subject="One")
    assert (one.by_agent, one.credited) == ("claude_code", None)
    sync(repo, full=True)
    one.refresh_from_db()
    assert (one.by_agent, one.credited) == ("claude_code", None)
    script.refresh_from_db()
    unmark_bots([script], by=None)
    assert counted() == {"One": 3, "Two": 5}
    one.refresh_from_db()
    assert (one.by_agent, one.credited) == ("", script)


def test_agents_models_and_tools_are_no_people(repo: Repo) -> None:
    names = (
        "Windsurf <noreply@windsurf.com>",
        "Claude Opus 4.8 <opus@example.com>",
        "Qwen-Coder <qwen-coder@alibabacloud.com>",
    )
    trailers = "\n".join(f"Co-authored-by: {name}" for name in names)
    repo.commit({"a.py": lines(3)}, f"One\n\n{trailers}\nCo-authored-by: Devin Smith <devin@example.com>")
    sync(repo)
    assert set(Person.objects.values_list("full_name", flat=True)) == {"Ada Example", "Devin Smith"}


def test_agents_that_were_people_before_they_were_known_are_bots_after_an_upgrade() -> None:
    ada = employed("Ada Example", "ada@example.com")
    seen = (("Windsurf", "noreply@windsurf.com"), ("Junie", "junie@jetbrains.com"), ("Devin", "devin@example.com"))
    agent, by_hand, person = identify([[IdentityName.of_address(address, signed=name)] for name, address in seen])
    assign([Identity.objects.get(pk=by_hand)], ada, by=None)
    assert mark_known_agents() == 1
    assert mark_known_agents() == 0
    standing = dict(Identity.objects.values_list("pk", "standing"))
    assert (standing[agent], standing[by_hand], standing[person]) == ("bot", "decided", "found")
    assert not Person.objects.filter(email="noreply@windsurf.com").exists()


def test_a_plain_address_is_better_known_than_a_tagged_one() -> None:
    identify([[IdentityName.of_address("ada.example+ci@example.com", signed="Ada Example")]])
    identify([[IdentityName.of_address("ada.example@example.com", signed="Ada Example")]])
    match_identities()
    assert Person.objects.get().email == "ada.example@example.com"
    assert Identity.objects.get(value="ada.example+ci@example.com").standing == Standing.WAITING

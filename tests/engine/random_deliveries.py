"""Random histories of deliveries, told in pieces and in random order: records of every kind, and what admins decide.

The same ids are told of twice and differently, so that everything changes that can: authors, merges, services, times.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from integrations.delivery.linking.corrections import decide_rollbacks
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.rules import apply_rules
from integrations.delivery.set_mapping import set_value_mapping
from integrations.intake.forget_connection import forget_records
from integrations.models import ProposedRollback
from integrations.push.drafts import KINDS
from integrations.push.store import forget_record, push_connection
from orgtree.identities.decisions import mark_bots, merge
from orgtree.models import Identity, Organisation, Person
from tests.delivery.linking.delivery import MONDAY, Record, push, sha_of
from tests.delivery.linking.histories import REPOSITORIES, SERVICES, History
from tests.org import Org

PEOPLE = ("ada@example.com", "ben@example.com", "cy@example.com", "ada-at-home@example.com")
AGENT = "copilot-swe-agent[bot]"
ITEMS = tuple(f"SHOP-{number}" for number in range(6))
STATUSES = {"Open": "todo", "Doing": "in_progress", "Review": "in_progress", "Shipped": "done"}
Piece = tuple[str, Callable[[], object]]


class Pieces:
    """The intake of one seed, in its order: at most `largest` records at once, with this number of decisions in
    between.
    """

    def __init__(self, seed: int, org: Org, *, largest: int, decisions: int) -> None:
        self.chance = random.Random(f"pieces {seed}")
        self.org = org
        self.largest = largest
        self.decisions = decisions
        self.variants = [self._history(seed, number) for number in range(2)]

    def __iter__(self) -> Iterator[Piece]:
        """Each piece with what it is called."""
        records: Sequence[Record] = [record for records_of_history in self.variants for record in records_of_history]
        pieces: list[Piece] = []
        while records:
            now, records = self._some(records)
            pieces.append((_name_of(now), partial(push, *now)))
        for decision in self._decisions():
            pieces.insert(self.chance.randrange(1, len(pieces) + 1), decision)
        yield from pieces
        yield "the connection goes", forget_everything

    def _some(self, records: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
        many = self.chance.randrange(1, self.largest + 1)
        return records[:many], records[many:]

    def _history(self, seed: int, number: int) -> list[Record]:
        history = History(seed, number)
        for record in history.records["pull-requests"]:
            self._describe(record)
        for record in history.records["commits"]:
            record["author_email"] = self.chance.choice((record["author_email"], AGENT))
        for record in history.records["incidents"]:
            record["severity"] = self.chance.choice(["", "high", "SEV1"])
        history.records["work-items"] = [self._item(key) for key in ITEMS if self.chance.random() < 0.8]
        history.records["pipeline-runs"] = [self._run(number, history.records["commits"]) for number in range(8)]
        return history.shuffled_records()

    def _describe(self, record: dict[str, Any]) -> None:
        """Add fields that the histories of linking leave out: actors, times, and the content of a pull request."""
        chance = self.chance
        merged_at = datetime.fromisoformat(record["merged_at"])
        created_at = merged_at - timedelta(hours=chance.randrange(0, 24 * 12))
        record["author"] = chance.choice((*PEOPLE, AGENT, AGENT))
        if record["author"] == AGENT:
            record["requested_by"] = chance.choice(("", "", *PEOPLE))
        record["created_at"] = created_at.isoformat()
        record["merged_by"] = chance.choice(("", *PEOPLE))
        record["title"] = chance.choice(["Sell tea", "fix: sell tea", "SHOP-1 Sell tea", 'Revert "Sell tea"'])
        record["labels"] = chance.sample(["painful", "shiny"], chance.randrange(3))
        record["work_items"] = chance.sample(ITEMS, chance.randrange(3))
        record["target_branch"] = chance.choice(["main", "main", "release"])
        record["additions"], record["deletions"] = chance.choice([(3, 1), (300, 20), (2000, 0), (None, None)])
        # Few names, so that pull requests share commits.
        record["commits"] += [
            {
                "sha": sha_of(f"{record['repository']} own {name}"),
                "author_email": chance.choice(PEOPLE),
                "authored_at": (MONDAY - timedelta(hours=6 * name)).isoformat(),
                "committed_at": (MONDAY - timedelta(hours=6 * name - 1)).isoformat(),
                "message": chance.choice(["Brew", "Brew\n\nCo-authored-by: Claude <noreply@anthropic.com>"]),
            }
            for name in chance.sample(range(8), chance.randrange(4))
        ]
        record["reviews"] = [
            {
                "author": chance.choice(PEOPLE),
                "state": chance.choice(["approved", "commented", "changes_requested"]),
                "submitted_at": self._between(created_at, merged_at + timedelta(hours=5)),
            }
            for _ in range(chance.randrange(4))
        ]
        if chance.random() < 0.3:
            record["state"] = chance.choice(["open", "closed"])
            if record["state"] == "closed":
                record["closed_at"] = record["merged_at"]
            del record["merged_at"]

    def _item(self, key: str) -> dict[str, Any]:
        chance = self.chance
        created_at = MONDAY + timedelta(hours=chance.randrange(-24 * 10, 24 * 3))
        moves = sorted(chance.randrange(24 * 12) for _ in range(chance.randrange(5)))
        transitions = [
            {"at": (created_at + timedelta(hours=hours)).isoformat(), "to": to, "category": STATUSES[to]}
            for hours, to in ((hours, chance.choice([*STATUSES])) for hours in moves)
        ]
        return {
            "id": key,
            "project": "Shop",
            "title": "Sell tea",
            "type": chance.choice(["Bug", "Story", "Chore"]),
            "status_category": transitions[-1]["category"] if transitions else "todo",
            "created_at": created_at.isoformat(),
            "assignee": chance.choice(("", *PEOPLE)),
            "labels": chance.sample(["painful", "customer-reported", "found-in-production"], chance.randrange(2)),
            "estimate": chance.choice([None, 3.0]),
            "transitions": transitions,
        }

    def _run(self, number: int, commits: Sequence[dict[str, Any]]) -> dict[str, Any]:
        chance = self.chance
        queued_at = MONDAY + timedelta(hours=chance.randrange(24 * 7))
        return {
            "id": f"run {number}",
            "repository": chance.choice(REPOSITORIES),
            "name": chance.choice(["Test", "Test", "Deploy to production"]),
            "status": chance.choice(["success", "success", "failure", "cancelled"]),
            "sha": chance.choice(
                [
                    *(commit["sha"] for commit in commits),
                    *(sha_of(f"{REPOSITORIES[0]} own {name}") for name in range(8)),
                ]
            ),
            "branch": chance.choice(["main", "tea"]),
            "queued_at": queued_at.isoformat(),
            "started_at": (queued_at + timedelta(minutes=chance.randrange(20))).isoformat(),
            "finished_at": (queued_at + timedelta(minutes=chance.randrange(20, 90))).isoformat(),
            "attempt": number + 1,
        }

    def _decisions(self) -> Sequence[Piece]:
        """Admins' decisions in between, each once."""
        connection = push_connection()
        taken_away = [(kind, record) for kind, record in self.variants[1] if self.chance.random() < 0.1][:4]
        decisions: list[Piece] = [
            ("a label means bugs", lambda: set_value_mapping(connection, Subject.LABEL, "painful", "bug")),
            ("chores are features", lambda: set_value_mapping(connection, Subject.ITEM_TYPE, "Chore", "feature")),
            ("reviewed is done", lambda: set_value_mapping(connection, Subject.STATUS, "Review", "done")),
            (
                "staging is production",
                lambda: set_value_mapping(connection, Subject.ENVIRONMENT, "staging", "production"),
            ),
            ("SEV1 is critical", lambda: set_value_mapping(connection, Subject.SEVERITY, "SEV1", "critical")),
            ("tests deploy", lambda: set_value_mapping(connection, Subject.DEPLOYING, "Test", "production")),
            ("blue owns a service", lambda: self.org.own(SERVICES[1], "blue", from_=MONDAY.date() + timedelta(days=2))),
            ("blue owns a repository", lambda: self.org.own(REPOSITORIES[0], "blue", from_=MONDAY.date())),
            ("ben moves", lambda: self.org.move("ben", from_="red", to="blue", on=MONDAY.date() + timedelta(days=3))),
            ("two are one", lambda: merge(_person(PEOPLE[3]), _person(PEOPLE[0]), by=None)),
            ("one is a bot", lambda: mark_bots(Identity.objects.filter(value=PEOPLE[2]), by=None)),
            ("rollbacks are confirmed", confirm_rollbacks),
            ("the link window shrinks", shorten_link_window),
        ]
        decisions += [(f"{kind} {_id_of(record)} goes", partial(_take, kind, record)) for kind, record in taken_away]
        return self.chance.sample(decisions, self.decisions)

    def _between(self, start: datetime, end: datetime) -> str:
        hours = int((end - start).total_seconds() // 3600)
        return (start + timedelta(hours=self.chance.randrange(hours + 1))).isoformat()


def confirm_rollbacks() -> None:
    """All that are proposed were rollbacks."""
    decide_rollbacks(
        ProposedRollback.objects.values_list("pk", flat=True), ProposedRollback.State.CONFIRMED, by="Ada Admin"
    )


def shorten_link_window() -> None:
    """Incidents are blamed on deployments of the six hours before."""
    Organisation.objects.update(link_window_hours=6)
    apply_rules()


@transaction.atomic
def forget_everything() -> None:
    """The connection is removed with all that it told."""
    forget_records(push_connection())


def _take(kind: str, record: dict[str, Any]) -> None:
    forget_record(KINDS[kind].kind, _id_of(record))  # which may not have been told yet


def _id_of(record: dict[str, Any]) -> str:
    return str(record.get("id") or record["sha"])


def _name_of(records: Sequence[Record]) -> str:
    return ", ".join(f"{kind} {_id_of(record)}" for kind, record in records)


def _person(email: str) -> Person:
    return Person.objects.get(email=email)

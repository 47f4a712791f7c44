"""One file sent twice at the same moment is stored once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from insights.query import windows
from programs.models import Ticket
from programs.tickets.services.csv_files import TicketRowsError, import_tickets, read_tickets
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER
from tests.programs.tickets import as_
from tests.teams import create_teams

HEADS = "title,kind,unit,due_on,owner"


@pytest.mark.django_db(transaction=True)
def test_one_of_two_imports_of_a_file_is_refused(org: Org) -> None:
    create_teams()
    due = windows.local_today() + timedelta(days=9)
    text = "\n".join([HEADS, *(f"Slow build {number},tooling,platform,{due},ada@example.com" for number in range(20))])
    both_have_read, outcomes = threading.Barrier(2), []
    people = [as_(MANAGER), as_(EXECUTIVE)]

    def send(number: int) -> None:
        try:
            rows = read_tickets(people[number], text)
            both_have_read.wait()
            outcomes.append(f"{len(import_tickets(people[number], rows))} stored")
        except TicketRowsError as refused:
            outcomes.append(f"{len(refused.wrong)} there: {refused.wrong[0].problem}")
        finally:
            connection.close()

    senders = [threading.Thread(target=send, args=[number]) for number in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(outcomes) == [
        "20 stored",
        "20 there: A ticket with the same text, unit and due date already exists.",
    ]
    assert Ticket.objects.count() == 20

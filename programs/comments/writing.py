"""Writes comments on tickets and findings: anybody who may see one may comment on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db.models.functions import Lower

from core.authorship import changes_by
from core.write_errors import checked_text
from insights.models import Finding
from orgtree.access.access import Access
from orgtree.models import Person
from programs.models import Comment, Ticket
from programs.reminders.services.planning import notify_of_comment
from programs.requests.visible import account_of

LONGEST_COMMENT = 20_000  # characters
MOST_MENTIONS = 20  # per comment; more would be a mailing list
MENTION = re.compile(r"(?<![\w.])@([\w.+-]+@[\w-]+(?:\.[\w-]+)+)")


def comment_on(access: Access, record: Ticket | Finding, text: str) -> Comment:
    """Comments on a visible ticket or finding; the author watches the ticket from then on.

    Raises FieldError, MayNotWriteError.
    """
    account = account_of(access)
    text = checked_text("text", text, LONGEST_COMMENT, missing="Write something.")
    ticket, finding = (record, None) if isinstance(record, Ticket) else (None, record)
    with changes_by(account):
        comment = Comment.objects.create(ticket=ticket, finding=finding, by=account, text=text)
        comment.mentions.set(mentioned(text))
        if ticket is not None:
            ticket.watchers.add(account)
        notify_of_comment(comment)
    return comment


def mentioned(text: str) -> Sequence[Person]:
    """The people whose addresses follow an @; unknown addresses are ignored."""
    addresses = list(dict.fromkeys(address.lower().rstrip(".") for address in MENTION.findall(text)))[:MOST_MENTIONS]
    return list(Person.objects.annotate(address=Lower("email")).filter(address__in=addresses)) if addresses else []

"""Comments on tickets, and whom they mention."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models.functions import Lower

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError
from orgtree.access.access import Access
from orgtree.models import Person
from programs.models import Ticket, TicketComment
from programs.reminders.services.planning import notify_of_comment

LONGEST_COMMENT = 20_000  # characters
MOST_MENTIONS = 20  # of one comment: more is a mailing list
MENTION = re.compile(r"(?<![\w.])@([\w.+-]+@[\w-]+(?:\.[\w-]+)+)")


def comment_on_ticket(access: Access, ticket: Ticket, text: str) -> TicketComment:
    """Whoever may see a ticket may comment on it, and watches it from then on.  Raises FieldError."""
    account = access.viewer
    if not isinstance(account, User):
        raise MayNotWriteError("Sign in with an account: a token without an account cannot write comments.")
    text = text.strip()
    if not text or "\x00" in text:
        raise FieldError("text", "Write something.")
    if len(text) > LONGEST_COMMENT:
        raise FieldError("text", f"At most {LONGEST_COMMENT:,} characters.")
    with changes_by(account):
        comment = TicketComment.objects.create(ticket=ticket, by=account, text=text)
        comment.mentions.set(mentioned(text))
        ticket.watchers.add(account)
        notify_of_comment(comment)
    return comment


def mentioned(text: str) -> Sequence[Person]:
    """The people whose addresses stand behind an @; an address that nobody has mentions nobody."""
    addresses = list(dict.fromkeys(address.lower().rstrip(".") for address in MENTION.findall(text)))[:MOST_MENTIONS]
    return list(Person.objects.annotate(address=Lower("email")).filter(address__in=addresses)) if addresses else []

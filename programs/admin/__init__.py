"""Django admin of the program: what it starts from, and its quarters; the program itself has pages."""

from programs.admin.letters import LetterAdmin
from programs.admin.quarters import QuarterAdmin
from programs.admin.ticket_templates import TicketTemplateAdmin

__all__ = ["LetterAdmin", "QuarterAdmin", "TicketTemplateAdmin"]

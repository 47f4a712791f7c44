"""Django admin of the program: what it starts from, and its quarters; the program itself has pages."""

from programs.admin.letters import LetterAdmin
from programs.admin.objective_templates import ObjectiveTemplateAdmin
from programs.admin.quarters import QuarterAdmin
from programs.admin.ticket_templates import TicketTemplateAdmin

__all__ = ["LetterAdmin", "ObjectiveTemplateAdmin", "QuarterAdmin", "TicketTemplateAdmin"]

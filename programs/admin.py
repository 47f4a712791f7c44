"""Django admin of the program: its records to search, templates, personas, settings, quarters, meetings, the outbox."""

from programs.benchmarks.admin import BenchmarkAdmin
from programs.meetings.admin import MeetingSeriesAdmin
from programs.objectives.admin import ObjectiveAdmin, ObjectiveTemplateAdmin
from programs.qbr.admin import QbrAdmin
from programs.quarters.admin import QuarterAdmin
from programs.reminders.admin import OutgoingEmailAdmin
from programs.reviews.admin import ReviewAdmin
from programs.roadmaps.admin import PersonaAdmin
from programs.teams.admin import ProgramSettingsAdmin
from programs.tickets.admin import TicketAdmin, TicketTemplateAdmin

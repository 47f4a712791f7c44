"""The plan of the demo organisation: fictitious people whose year becomes genuine telemetry and commits.

people.py        who they are and how they like to work
organisation.py  the people files that an admin imports in the course of the year (people.csv), and a tree by hand
model_prices.py  the models they use in which weeks, and what those cost
sizes.py         how much of the year is played, by whom
stories.py       what is planted, and what a reader of the page should then see
year.py          person × day → sessions, the same for the same seed and anchor
session.py       what happens within one session
agents.py        who uses which other agent than Claude Code
otlp.py          a session as the records that Claude Code sends, otlp_codex.py, otlp_gemini.py and otlp_copilot.py as
                 those of the others, key_values.py how they are written
export_requests.py  the export requests of a week, as bytes
sending.py       the requests over HTTP, newest weeks first

repositories.py  the repositories, and who signs commits with what address
commits.py       which session was followed by which commit
pull_requests.py  which commits make a pull request, reviews.py how it goes its way, issues.py what it works on
delivery_stories.py  what is planted in reviews, deployments and pipelines
work_tree.py     which files a commit changes, filler.py with what lines
history.py       a repository's year, authorship_notes.py with the notes that an agent's tool leaves
fast_import.py   both as commands of `git fast-import`

delivery.py      what its tools would know; delivery_history.py makes it of the plan, deployments.py what follows merges
pushing.py       an incident that no tool knows

Nothing here knows Django.
"""

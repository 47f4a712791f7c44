"""Delivery metrics counted a second time: from the records that are pushed to the figures that people read.

It is written from the counting rules and definitions, slow and plain, and knows neither tables nor SQL.

    calendar        the organisation's days and weeks, in a zone that changes its clocks
    organisation    who is in which unit, and which unit owns what, day by day
    repositories    random histories of commits and pull requests, with the truth that only they know
    operations      random deployments, incidents and pipeline runs of those repositories
    items           random work items
    world           all of it, and its telling through the real intake
    pull_requests, deliveries, pipelines, work_items    what of it counts, when, for whom, and with which value
    figures         how what counts comes to a figure: spread, share, count, per day, per developer, concentration
    metrics         metric key → how it is counted
"""

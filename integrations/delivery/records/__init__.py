"""The data of the pages of one pull request, work item, deployment or incident.

Collected in a fixed number of queries, however many parts the record has.
"""

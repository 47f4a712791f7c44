"""The pages of one pull request, work item, deployment or incident: their data.

Collected in a fixed number of queries, however many parts the record has.
"""

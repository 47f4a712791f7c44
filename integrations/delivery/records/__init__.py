"""What is known of one pull request, work item, deployment or incident, as its page tells it.

Gathered in a fixed number of queries, however many parts the record has.
"""

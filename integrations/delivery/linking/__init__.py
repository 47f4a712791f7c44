"""The correlation engine: which deployment brought a change to production, and which deployments failed.

    commit_positions.py   the position of each commit in its repository's history
    service_paths.py      which services a pull request touches, where a repository has several
    first_deployment.py   pull request → the first production deployment that contains its merge
    pushes.py             commits of the default branch → the same, where a team works without pull requests
    copies.py             commits that bring a pull request along because they are copies of its merge
    work_item_origins.py  pull request → when its work items were created and started
    failures.py           deployment → incidents, rollbacks and fixes that say that it failed
    rollbacks.py          older states that were deployed again, proposed as rollbacks
    relink.py             relinks records after others were stored; called by intake
    corrections.py        relinks what records no longer say; called by intake
    rebuild.py            all of it, from nothing

All links are derived from stored records alone, so that they do not depend on the order in which records arrive, or on
how often.
"""

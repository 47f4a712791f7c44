"""GraphQL queries: details of records that a REST list named by their node ids, many in one request.

Lists are always read over REST: requests can be conditional, and are the same with and without GraphQL.  Details that a
list leaves out cost one to four requests per record over REST; here they cost one for a whole batch.  A query reads the
first hundred entries of each connection; the rest of longer ones is requested separately (`MORE`).  Only thirty commits
are read: the parents of each commit are another connection, and a hundred of these cost one of the hour's 5,000 points,
whether used or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NUMBERS = " ".join(f"... on {kind} {{ databaseId }}" for kind in ("User", "Mannequin"))
_ACTOR = f"__typename login {_NUMBERS}"
# Uses the interface: not every Enterprise Server counts bots among possible reviewers.
_REVIEWER = f"__typename ... on Actor {{ login }} {_NUMBERS} ... on Team {{ slug }}"
_ASSIGNEE = f"__typename ... on Actor {{ login }} {_NUMBERS}"
_PAGE = "pageInfo { hasNextPage endCursor }"

_COMMITS = f"""{_PAGE} totalCount nodes {{ commit {{
  oid message authoredDate committedDate author {{ name email user {{ __typename login databaseId }} }}
  parents(first: 10) {{ nodes {{ oid }} }}
}} }}"""

_REVIEWS = f"""{_PAGE} nodes {{
  fullDatabaseId state submittedAt author {{ {_ACTOR} }} commit {{ oid }} comments {{ totalCount }}
}}"""

_PULL_REQUEST_EVENTS = f"""{_PAGE} nodes {{
  __typename
  ... on ReadyForReviewEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on ConvertToDraftEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on ClosedEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on ReopenedEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on HeadRefForcePushedEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on ReviewRequestedEvent {{
    createdAt actor {{ {_ACTOR} }}
    requestedReviewer {{ {_REVIEWER} }}
  }}
  ... on ReviewRequestRemovedEvent {{
    createdAt actor {{ {_ACTOR} }}
    requestedReviewer {{ {_REVIEWER} }}
  }}
}}"""

_PULL_REQUEST_EVENT_TYPES = (
    "[READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT, CLOSED_EVENT, REOPENED_EVENT, HEAD_REF_FORCE_PUSHED_EVENT, "
    "REVIEW_REQUESTED_EVENT, REVIEW_REQUEST_REMOVED_EVENT]"
)

_ISSUE_EVENTS = f"""{_PAGE} nodes {{
  __typename
  ... on ClosedEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on ReopenedEvent {{ createdAt actor {{ {_ACTOR} }} }}
  ... on AssignedEvent {{ createdAt assignee {{ {_ASSIGNEE} }} }}
  ... on UnassignedEvent {{ createdAt assignee {{ {_ASSIGNEE} }} }}
  ... on LabeledEvent {{ createdAt actor {{ {_ACTOR} }} label {{ name }} }}
  ... on UnlabeledEvent {{ createdAt actor {{ {_ACTOR} }} label {{ name }} }}
}}"""

_ISSUE_EVENT_TYPES = "[CLOSED_EVENT, REOPENED_EVENT, ASSIGNED_EVENT, UNASSIGNED_EVENT, LABELED_EVENT, UNLABELED_EVENT]"

_STATUSES = f"{_PAGE} nodes {{ createdAt state environment logUrl }}"

PULL_REQUESTS: Final = f"""query PullRequestDetails($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on PullRequest {{
    id additions deletions changedFiles
    mergedBy {{ {_ACTOR} }}
    comments {{ totalCount }}
    commits(first: 30) {{ {_COMMITS} }}
    reviews(first: 100) {{ {_REVIEWS} }}
    timelineItems(first: 100, itemTypes: {_PULL_REQUEST_EVENT_TYPES}) {{ {_PULL_REQUEST_EVENTS} }}
  }} }}
}}"""

ISSUES: Final = f"""query IssueDetails($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Issue {{
    id
    timelineItems(first: 100, itemTypes: {_ISSUE_EVENT_TYPES}) {{ {_ISSUE_EVENTS} }}
  }} }}
}}"""

DEPLOYMENTS: Final = f"""query DeploymentDetails($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Deployment {{ id statuses(first: 100) {{ {_STATUSES} }} }} }}
}}"""

_OWN_FIELDS = "first: 100"  # a project has at most 50 of its own, in addition to GitHub's

PROJECTS: Final = f"""query Projects($owner: String!, $after: String) {{
  repositoryOwner(login: $owner) {{ ... on ProjectV2Owner {{ projectsV2(first: 50, after: $after) {{
    {_PAGE} nodes {{ id title url closed fields({_OWN_FIELDS}) {{ nodes {{ __typename }} }} }}
  }} }} }}
}}"""

_ITERATIONS = "id title startDate duration"

PROJECT: Final = f"""query Project($id: ID!) {{
  node(id: $id) {{ ... on ProjectV2 {{
    id updatedAt
    fields({_OWN_FIELDS}) {{ nodes {{
      __typename
      ... on ProjectV2Field {{ name dataType }}
      ... on ProjectV2IterationField {{
        name configuration {{ iterations {{ {_ITERATIONS} }} completedIterations {{ {_ITERATIONS} }} }}
      }}
    }} }}
  }} }}
}}"""

_VALUE = f"createdAt updatedAt creator {{ {_ACTOR} }}"

PROJECT_ITEMS: Final = f"""query ProjectItems(
  $id: ID!, $after: String, $iteration: String!, $estimate: String!, $estimated: Boolean!
) {{
  node(id: $id) {{ ... on ProjectV2 {{ id items(first: 100, after: $after) {{
    {_PAGE} totalCount nodes {{
      id updatedAt
      iteration: fieldValueByName(name: $iteration) {{
        ... on ProjectV2ItemFieldIterationValue {{ iterationId {_VALUE} }}
      }}
      estimate: fieldValueByName(name: $estimate) @include(if: $estimated) {{
        ... on ProjectV2ItemFieldNumberValue {{ number {_VALUE} }}
      }}
      content {{ ... on Issue {{
        fullDatabaseId number updatedAt repository {{ databaseId nameWithOwner }} projectItems {{ totalCount }}
      }} }}
    }}
  }} }} }}
}}"""


def _more(of: str, connection: str, arguments: str, entries: str) -> str:
    return f"""query More($id: ID!, $after: String!) {{
  node(id: $id) {{ ... on {of} {{ id {connection}(first: 100, after: $after{arguments}) {{ {entries} }} }} }}
}}"""


MORE: Final[Mapping[tuple[str, str], str]] = {
    (PULL_REQUESTS, "commits"): _more("PullRequest", "commits", "", _COMMITS),
    (PULL_REQUESTS, "reviews"): _more("PullRequest", "reviews", "", _REVIEWS),
    (PULL_REQUESTS, "timelineItems"): _more(
        "PullRequest", "timelineItems", f", itemTypes: {_PULL_REQUEST_EVENT_TYPES}", _PULL_REQUEST_EVENTS
    ),
    (ISSUES, "timelineItems"): _more("Issue", "timelineItems", f", itemTypes: {_ISSUE_EVENT_TYPES}", _ISSUE_EVENTS),
    (DEPLOYMENTS, "statuses"): _more("Deployment", "statuses", "", _STATUSES),
}
"""The question for the entries after the first hundred, by the question that asked for those and the connection."""

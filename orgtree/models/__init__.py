from orgtree.models.api_tokens import ApiToken
from orgtree.models.grants import Grant
from orgtree.models.matching import IdentityChange, MatchProposal, MatchWork
from orgtree.models.organisation import IndividualPolicy, MembersSee, Organisation
from orgtree.models.people import (
    Attribute,
    Employment,
    Identity,
    IdentityKind,
    Person,
    PersonAttribute,
    Reporting,
    Standing,
)
from orgtree.models.people_imports import PeopleImport
from orgtree.models.roles import Role
from orgtree.models.units import (
    Membership,
    OrgTree,
    Placement,
    PlacementChange,
    TreeKind,
    TreeLevel,
    Unit,
    UnitPlace,
)

__all__ = [
    "ApiToken",
    "Attribute",
    "Employment",
    "Grant",
    "Identity",
    "IdentityChange",
    "IdentityKind",
    "IndividualPolicy",
    "MatchProposal",
    "MatchWork",
    "MembersSee",
    "Membership",
    "OrgTree",
    "Organisation",
    "PeopleImport",
    "Person",
    "PersonAttribute",
    "Placement",
    "PlacementChange",
    "Reporting",
    "Role",
    "Standing",
    "TreeKind",
    "TreeLevel",
    "Unit",
    "UnitPlace",
]

from orgtree.models.api_tokens import ApiToken
from orgtree.models.organisation import IndividualPolicy, Organisation
from orgtree.models.people import Identity, IdentityKind, Person
from orgtree.models.units import OrgTree, Placement, Unit

__all__ = [
    "ApiToken",
    "Identity",
    "IdentityKind",
    "IndividualPolicy",
    "OrgTree",
    "Organisation",
    "Person",
    "Placement",
    "Unit",
]

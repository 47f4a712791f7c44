from orgtree.models.organisation import IndividualPolicy, Organisation
from orgtree.models.people import Identity, IdentityKind, Person
from orgtree.models.units import OrgTree, Placement, Unit

__all__ = [
    "Identity",
    "IdentityKind",
    "IndividualPolicy",
    "OrgTree",
    "Organisation",
    "Person",
    "Placement",
    "Unit",
]

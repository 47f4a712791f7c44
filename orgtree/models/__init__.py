from orgtree.models.access import ApiToken, Grant, Invitation, TokenScope
from orgtree.models.matching import IdentityChange, MatchProposal, MatchWork
from orgtree.models.organisation import IndividualPolicy, MembersSee, Organisation
from orgtree.models.people import (
    Attribute,
    Employment,
    Identity,
    IdentityKind,
    InstallationSigner,
    Leave,
    PeopleImport,
    Person,
    PersonAttribute,
    Reporting,
    Standing,
)
from orgtree.models.units import (
    Membership,
    OrgTree,
    Placement,
    TreeKind,
    TreeLevel,
    Unit,
    UnitPeople,
    UnitPlace,
    UnitPlacement,
)
from orgtree.models.visibility import Role

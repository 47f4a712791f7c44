from orgtree.models.api_tokens import ApiToken, TokenScope
from orgtree.models.grants import Grant
from orgtree.models.invitations import Invitation
from orgtree.models.matching import IdentityChange, MatchProposal, MatchWork
from orgtree.models.organisation import IndividualPolicy, MembersSee, Organisation
from orgtree.models.people import (
    Attribute,
    Employment,
    Identity,
    IdentityKind,
    InstallationSigner,
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
    TreeKind,
    TreeLevel,
    Unit,
    UnitPlace,
    UnitPlacement,
)

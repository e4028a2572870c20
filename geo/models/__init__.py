"""Types that the steps hand to each other: frozen, plain arrays and tables, units in the names.

All longitudes and latitudes are WGS-84 degrees; all times are seconds; all lengths metres.
Tables are pandas / geopandas frames; their columns are listed with the type that carries them.
"""

from geo.models.arrays import (
    F64,
    I32,
    I64,
    Bool,
)
from geo.models.network import (
    BARRIER_KINDS,
    BarrierKind,
    Chains,
    Lines,
    RoadNetwork,
    Surroundings,
    Turns,
    no_chains,
    no_turns,
)
from geo.models.results import (
    AuditEntry,
    Coverage,
    Inputs,
    ListCounts,
    Movement,
    Plan,
    StudyResult,
)
from geo.models.times import (
    NearestField,
    Snapped,
    Stretches,
    SubsetFields,
    TravelMatrix,
)
from geo.models.words import (
    COMPLIANCE_LISTS,
    KINDS_ZH,
    LEAST_PEOPLE,
    MODES,
    RECRUITMENT_WILLING,
    SERVICES,
    SERVICES_ZH,
    Direction,
    Language,
    Mode,
    kind_said,
)

__all__ = [
    "BARRIER_KINDS",
    "COMPLIANCE_LISTS",
    "F64",
    "I32",
    "I64",
    "KINDS_ZH",
    "LEAST_PEOPLE",
    "MODES",
    "RECRUITMENT_WILLING",
    "SERVICES",
    "SERVICES_ZH",
    "AuditEntry",
    "BarrierKind",
    "Bool",
    "Chains",
    "Coverage",
    "Direction",
    "Inputs",
    "Language",
    "Lines",
    "ListCounts",
    "Mode",
    "Movement",
    "NearestField",
    "Plan",
    "RoadNetwork",
    "Snapped",
    "Stretches",
    "StudyResult",
    "SubsetFields",
    "Surroundings",
    "TravelMatrix",
    "Turns",
    "kind_said",
    "no_chains",
    "no_turns",
]

"""A study's settings, read and checked; and the constants that they default to."""

from geo.config.addresses import table_name, without_password
from geo.config.limits import (
    AUTO,
    DAYS,
    DEFAULT_TIMES,
    MAX_ARCHIVE_FILES,
    MAX_CELLS,
    MAX_DATABASE_ROWS,
    MAX_PACKING_RATIO,
    MAX_TABLE_BYTES,
    MAX_UNPACKED_BYTES,
    OFF_NETWORK_M,
    SMALL_UNPACKED_BYTES,
    WALK_KMH,
)
from geo.config.sections import (
    CommunitiesSection,
    DemandSection,
    LedgerSection,
    SitingSection,
    StationsSection,
)
from geo.config.study import Study, load_study, study_from_mapping, with_siting

__all__ = [
    "AUTO",
    "DAYS",
    "DEFAULT_TIMES",
    "MAX_ARCHIVE_FILES",
    "MAX_CELLS",
    "MAX_DATABASE_ROWS",
    "MAX_PACKING_RATIO",
    "MAX_TABLE_BYTES",
    "MAX_UNPACKED_BYTES",
    "OFF_NETWORK_M",
    "SMALL_UNPACKED_BYTES",
    "WALK_KMH",
    "CommunitiesSection",
    "DemandSection",
    "LedgerSection",
    "SitingSection",
    "StationsSection",
    "Study",
    "load_study",
    "study_from_mapping",
    "table_name",
    "with_siting",
    "without_password",
]

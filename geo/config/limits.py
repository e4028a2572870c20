"""Constants of studies: the field's defaults with their sources, and what a table may weigh."""

from __future__ import annotations

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
AUTO = "auto"  # a datum that the roads are to prove
DEFAULT_TIMES = ("Tue 08:00", "Tue 12:00", "Tue 15:00", "Tue 20:00", "Tue 23:00", "Sat 15:00")

# 1 km in 15 min: All-China Federation of Trade Unions, "double 15" programme, 2023.
WALK_KMH = 4.0
# People further than this from any way are reported as off the network (domain notes, section 6).
OFF_NETWORK_M = 200.0

# What a table may weigh. A million rows, Excel's most, of a dozen short columns come to some 130 MB of
# text; 100,000 rows of a workbook unpack to 77 MB, at 11 : 1. Beyond that a file is no list of places.
MAX_TABLE_BYTES = 256 * 2**20
MAX_UNPACKED_BYTES = 512 * 2**20
MAX_PACKING_RATIO = 100  # lists reach 14, and so do sheets full of one blank style; a bomb starts at 1000
SMALL_UNPACKED_BYTES = 16 * 2**20  # below, a ratio says nothing
MAX_ARCHIVE_FILES = 5_000
MAX_CELLS = 20_000_000  # a sheet's rows × columns, as they are held in memory
MAX_DATABASE_ROWS = 1_000_000

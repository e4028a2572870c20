"""Messy files → validated WGS-84 tables and an audit of every row that was mended, merged or refused."""

from geo.intake.areas import read_area
from geo.intake.explain import TableExplained, explain_tables
from geo.intake.hours import open_at
from geo.intake.privacy_scan import Masked, scan_tables
from geo.intake.read import missing_files, read_inputs
from geo.intake.recruitment import read_recruitment
from geo.intake.trial import read_trial, with_trial

__all__ = [
    "Masked",
    "TableExplained",
    "explain_tables",
    "missing_files",
    "open_at",
    "read_area",
    "read_inputs",
    "read_recruitment",
    "read_trial",
    "scan_tables",
    "with_trial",
]

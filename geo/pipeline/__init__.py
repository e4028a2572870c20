"""The only place that knows the order: files → network → times → coverage → gaps, sites → outputs."""

from geo.intake.trial import TrialStation
from geo.pipeline.compute import STAGES, run
from geo.pipeline.inputs import (
    Progress,
    check,
    explain,
    load,
    privacy,
    recruitment_answers,
    recruitment_form,
    sample_study,
)
from geo.pipeline.session import Contours, Isochrone, Session, single_polygon
from geo.pipeline.shapes import isochrone
from geo.pipeline.sites import dense_row
from geo.pipeline.siting import WhereNext, rest, where_next, write_call, write_where_next
from geo.pipeline.travel import Travel, main_layer
from geo.pipeline.week import week_table
from geo.pipeline.write import build, in_gcj02, layers, pages, picture

__all__ = [
    "STAGES",
    "Contours",
    "Isochrone",
    "Progress",
    "Session",
    "Travel",
    "TrialStation",
    "WhereNext",
    "build",
    "check",
    "dense_row",
    "explain",
    "in_gcj02",
    "isochrone",
    "layers",
    "load",
    "main_layer",
    "pages",
    "picture",
    "privacy",
    "recruitment_answers",
    "recruitment_form",
    "rest",
    "run",
    "sample_study",
    "single_polygon",
    "week_table",
    "where_next",
    "write_call",
    "write_where_next",
]

"""Results → files: summary, layers, workbook, printed report."""

from geo.report.cleaned import write_cleaned
from geo.report.frames import layers
from geo.report.poster import write_poster
from geo.report.problems import problems_frame
from geo.report.recruitment import write_form
from geo.report.siting import write_call, write_curve, write_siting
from geo.report.summary import summarise
from geo.report.tables import write_all
from geo.report.workbook import plan_frame

__all__ = [
    "layers",
    "plan_frame",
    "problems_frame",
    "summarise",
    "write_all",
    "write_call",
    "write_cleaned",
    "write_curve",
    "write_form",
    "write_poster",
    "write_siting",
]

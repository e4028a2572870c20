"""Results → files: summary, layers, workbook, printed report."""

from geo.report.cleaned import write_cleaned
from geo.report.frames import layers
from geo.report.summary import recommendations_frame, summarise
from geo.report.tables import write_all

__all__ = ["layers", "recommendations_frame", "summarise", "write_all", "write_cleaned"]

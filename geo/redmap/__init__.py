"""Results → two self-contained pages: the planner's and the public's.

Both are one HTML file without any request: Leaflet comes from an installed wheel, the base map is
drawn from the study's own roads (planner page only), names only ever become text.
"""

from geo.models import StudyResult
from geo.redmap.index import render_index
from geo.redmap.offline import MissingAssetError
from geo.redmap.page import render

__all__ = ["MissingAssetError", "render_index", "render_planner", "render_public"]


def render_planner(result: StudyResult) -> str:
    """The planner's page (HTML): figures, coverage, gaps, sites, communities, provenance, base map.

    Raises :class:`MissingAssetError` where a file of the page is missing or is not the known one.
    """
    return render(result, view="planner")


def render_public(result: StudyResult) -> str:
    """The public page (HTML): stations, service areas, hours and services; no roads, no boundary without a 审图号.

    Raises :class:`MissingAssetError` as :func:`render_planner`.
    """
    return render(result, view="public")

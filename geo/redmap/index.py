"""The page that lists what a build wrote: the first thing to open in a folder of results."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping

from geo.models import StudyResult

# in the order in which people want them
TOLD: Mapping[str, tuple[str, str]] = {
    "map.html": ("规划地图：覆盖率、盲区、选址，双击即开，无需联网", "planner's map: coverage, gaps, sites; opens offline"),
    "public.html": ("骑手地图：离我最近、还开着的驿站，手机用", "riders' map: the nearest open station, for phones"),
    "poster.pdf": ("海报（A3，矢量）", "poster (A3, vector)"),
    "poster.png": ("海报（图片）", "poster (picture)"),
    "report.pdf": ("打印报告（A4，两页）", "printed report (A4, two pages)"),
    "report.xlsx": ("工作簿：数字、盲区、社区、驿站", "workbook: figures, gaps, communities, stations"),
    "cleaned.xlsx": ("整理后的驿站名单", "the cleaned list of stations"),
    "merge.csv": ("疑似同一处的驿站，请核对", "stations that may be one place, to be decided"),
    "summary.json": ("全部数字", "all figures"),
    "audit.json": ("每一行数据的处理记录", "what happened to each row of data"),
    "results.gpkg": ("全部图层（GeoPackage）", "all layers (GeoPackage)"),
    "stations.geojson": ("驿站", "stations"),
    "isochrones.geojson": ("可达圈", "isochrones"),
    "communities.geojson": ("社区", "communities"),
    "gaps.geojson": ("盲区", "gaps"),
    "recommendations.geojson": ("建议增设", "suggested sites"),
    "problems.geojson": ("问题台账", "the riders' ledger"),
}  # fmt: skip
STYLE = (
    "body{font:16px/1.6 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;max-width:760px;margin:32px auto;padding:0 18px;"
    "color:#23222a;background:#fff}h1{font-size:24px;color:#a8141f;margin:0}.s{color:#64626d}ul{list-style:none;padding:0}"
    "li{border-top:1px solid #e3e0da;padding:10px 0}a{color:#1d4f9c;font-weight:600;display:inline-block;min-height:28px}"
    "small{color:#64626d}b{border:1px solid #8a4b00;color:#8a4b00;border-radius:99px;padding:0 10px;font-weight:400}"
    "@media(prefers-color-scheme:dark){body{background:#15161a;color:#ecebef}h1{color:#f0767c}a{color:#8ab8f8}.s,small{color:#b3b1bc}"
    "li{border-color:#3a3c44}b{color:#f0a53c;border-color:#f0a53c}}"
)


def render_index(result: StudyResult, sizes: Mapping[str, int]) -> str:
    """The list of results (HTML, no script) of files named in ``sizes`` (name → bytes); others are listed last."""
    order = [*[name for name in TOLD if name in sizes], *sorted(name for name in sizes if name not in TOLD)]
    rows = []
    for name in order:
        zh, en = TOLD.get(name, ("", ""))
        told = f"<br>{zh}<br><small lang=en>{en}</small>" if zh else ""
        rows.append(
            f'<li><a href="{html.escape(name)}">{html.escape(name)}</a> <small>{_size(sizes[name])}</small>{told}</li>'
        )
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    name = html.escape(" · ".join(filter(None, (result.name, result.edition))))
    badge = " <b>合成数据 synthetic data</b>" if result.synthetic else ""
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name} · 红色地图 Red Map</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n"
        f'<p class="s">红色地图：本文件夹里有什么{badge}<br><span lang="en">Red Map: what is in this folder</span></p>\n<ul>\n'
        + "\n".join(rows)
        + "\n</ul>\n</main>\n</body>\n</html>\n"
    )


def _size(count: int) -> str:
    """Bytes in kB or MB.

    >>> _size(290662), _size(12471824)
    ('291 kB', '12.5 MB')
    """
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{max(1, round(count / 1000))} kB"

"""A printed A4 page in points: text, rectangles, tables, and shapes as single paths.

Thousands of roads are one path: drawn one by one they take seconds, and a viewer chokes on them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

WIDTH, HEIGHT = 595.0, 842.0  # A4
MARGIN = 36.0
RED, INK, GREY, RULE = "#a4161a", "#222222", "#6b6b6b", "#d5d0cc"
_GRID = 4.0  # corners of shapes lie on quarters of a point
_NARROW_EM = 0.52

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a map lies on the page, and how degrees become points of the page."""

    x: float
    y: float
    width: float
    height: float
    west: float
    south: float
    per_lon: float
    per_lat: float

    @classmethod
    def fitted(
        cls, bounds: tuple[float, float, float, float], box: tuple[float, float, float, float]
    ) -> Frame:
        """The largest frame in ``box`` (x, y, width, height in points) that shows ``bounds`` undistorted.

        >>> frame = Frame.fitted((0.0, -0.5, 2.0, 0.5), (0.0, 0.0, 100.0, 100.0))
        >>> round(frame.width), round(frame.height), round(frame.y)
        (100, 50, 50)
        """
        west, south, east, north = bounds
        shrink = np.cos(np.radians((south + north) / 2))
        east, north = max(east, west + 1e-6), max(north, south + 1e-6)
        x, y, width, height = box
        scale = min(width / ((east - west) * shrink), height / (north - south))
        used_w, used_h = (east - west) * shrink * scale, (north - south) * scale
        return cls(
            x + (width - used_w) / 2, y + height - used_h, used_w, used_h,
            west, south, float(shrink * scale), float(scale),
        )  # fmt: skip

    @property
    def points_per_km(self) -> float:
        return self.per_lat / 111.195

    def place(self, lon: Any, lat: Any) -> Points:
        """Positions on the page, one row each."""
        return np.column_stack(
            (
                self.x + (np.asarray(lon, dtype=float) - self.west) * self.per_lon,
                self.y + (np.asarray(lat, dtype=float) - self.south) * self.per_lat,
            )
        )

    def holds(self, at: Points) -> NDArray[np.bool_]:
        """Which positions of the page lie in the frame."""
        low, high = (self.x, self.y), (self.x + self.width, self.y + self.height)
        inside: NDArray[np.bool_] = np.all((at >= low) & (at <= high), axis=1)
        return inside

    def grown(self, points: float) -> Frame:
        """The same frame, wider on all sides: so that a line along its edge is drawn in full."""
        return Frame(
            self.x - points, self.y - points, self.width + 2 * points, self.height + 2 * points,
            self.west - points / self.per_lon, self.south - points / self.per_lat, self.per_lon, self.per_lat,
        )  # fmt: skip


class Page:
    """One page, A4 upright unless told otherwise; x to the right and y up, in points."""

    def __init__(self, width: float = WIDTH, height: float = HEIGHT) -> None:
        from matplotlib.figure import Figure

        self.figure: Any = Figure(figsize=(width / 72, height / 72))
        self.axes: Any = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height), autoscale_on=False)
        self.axes.axis("off")
        self._texts: list[tuple[float, float, str, float, str, str]] = []
        self.axes.add_artist(_texts_artist(self._texts))

    def text(
        self, x: float, y: float, text: str, size: float, color: str = INK, *, align: str = "left"
    ) -> None:
        """Write one line, above all shapes, whose base line starts, ends or is centred at (x, y)."""
        if text:
            self._texts.append((x, y, " ".join(text.splitlines()), size, color, align))

    def rectangle(self, x: float, y: float, width: float, height: float, color: str, **more: Any) -> None:
        """Fill a rectangle; ``more`` are properties of matplotlib's patch."""
        from matplotlib.patches import Rectangle

        self.axes.add_artist(Rectangle((x, y), width, height, **{"fc": color, "lw": 0, **more}))

    def rule(self, y: float, color: str = RULE, width: float = 0.5) -> None:
        """Draw a thin line from margin to margin."""
        self.rectangle(MARGIN, y - width / 2, WIDTH - 2 * MARGIN, width, color)

    def draw(self, path: Any, frame: Frame | None = None, **style: Any) -> None:
        """Draw a whole path at once, cut at the frame."""
        from matplotlib.patches import PathPatch, Rectangle

        patch = PathPatch(path, **{"lw": 0, "fc": "none", "joinstyle": "round", **style})
        self.axes.add_artist(patch)  # add_patch would look for the bounds of every segment
        if frame is not None:
            cut = Rectangle((frame.x, frame.y), frame.width, frame.height, transform=self.axes.transData)
            patch.set_clip_path(cut)

    def marks(self, at: Points, marker: str, size: float, color: str, **style: Any) -> None:
        """Put a marker at every position."""
        self.axes.plot(at[:, 0], at[:, 1], marker, ms=size, mfc=color, clip_on=False, **style)

    def table(
        self,
        y: float,
        columns: Sequence[tuple[str, str, float]],
        rows: Sequence[Sequence[tuple[str, str]]],
        *,
        floor: float,
    ) -> tuple[float, int]:
        """Draw a table downwards from ``y`` until ``floor``: the new y, and how many rows found room.

        ``columns``: heading, "left" or "right", width in points. A cell is a pair: the text, and a
        second text in grey below it. Texts are broken to the width of their column.
        """
        right = MARGIN + sum(width for _, _, width in columns)
        self.rectangle(MARGIN, y - 16, right - MARGIN, 16, "#f6e9e7")
        x = MARGIN
        for heading, align, width in columns:
            self.text(x + 4 if align == "left" else x + width - 4, y - 11, heading, 7, RED, align=align)
            x += width
        y -= 16
        for count, row in enumerate(rows):
            cells = [
                (wrapped(first, width - 8, 8), wrapped(second, width - 8, 6.5))
                for (first, second), (_, _, width) in zip(row, columns, strict=True)
            ]
            height = max(11 * len(first) + 8.5 * len(second) for first, second in cells) + 5
            if y - height < floor:
                return y, count
            x = MARGIN
            for (first, second), (_, align, width) in zip(cells, columns, strict=True):
                at, line_y = (x + 4 if align == "left" else x + width - 4), y - 11
                for line in first:
                    self.text(at, line_y, line, 8, align=align)
                    line_y -= 11
                line_y += 2
                for line in second:
                    self.text(at, line_y, line, 6.5, GREY, align=align)
                    line_y -= 8.5
                x += width
            y -= height
            self.rule(y)
        return y, len(rows)


def _texts_artist(texts: Sequence[tuple[float, float, str, float, str, str]]) -> Any:
    """One artist for all texts: a matplotlib Text each lays every line out twice and doubles the time."""
    from matplotlib.artist import Artist
    from matplotlib.font_manager import FontProperties

    class Texts(Artist):
        def draw(self, renderer: Any) -> None:
            context = renderer.new_gc()
            scale = renderer.points_to_pixels(1.0)
            for x, y, text, size, color, align in texts:
                font = FontProperties(size=size)
                left = x
                if align != "left":
                    width = renderer.get_text_width_height_descent(text, font, ismath=False)[0] / scale
                    left -= width if align == "right" else width / 2
                context.set_foreground(color)
                # pictures count their lines from the top
                base = renderer.height - y * scale if renderer.flipy() else y * scale
                renderer.draw_text(context, left * scale, base, text, font, 0.0)
            context.restore()

    artist = Texts()
    artist.set_zorder(10)
    return artist


def line_path(start: NDArray[np.int64], at: Points) -> Any:
    """Many polylines as one path: line ``i`` is ``at[start[i]:start[i + 1]]``; what shrinks to a dot is left out."""
    return _path(at, np.repeat(np.arange(len(start) - 1), np.diff(start)))


def shape_path(shapes: Any, frame: Frame) -> Any:
    """The rings of all ``shapes`` (degrees) as one path on the page; holes turn the other way and stay empty."""
    rings = shapely.get_rings(shapely.orient_polygons(shapely.get_parts(np.asarray(shapes, dtype=object))))
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    return _path(frame.place(xy[:, 0], xy[:, 1]), of_ring)


def _path(at: Points, group: NDArray[np.int64]) -> Any:
    from matplotlib.path import Path

    at = np.round(at * _GRID) / _GRID
    keep = np.ones(len(at), dtype=bool)
    keep[1:] = (at[1:] != at[:-1]).any(axis=1) | (group[1:] != group[:-1])
    at, group = at[keep], group[keep]
    keep = np.bincount(group, minlength=1)[group] > 1 if len(group) else np.zeros(0, dtype=bool)
    at, group = at[keep], group[keep]
    codes = np.full(len(at), Path.LINETO, dtype=Path.code_type)
    if len(at):
        codes[np.concatenate(([True], group[1:] != group[:-1]))] = Path.MOVETO
    return Path(at.reshape(-1, 2), codes)


def text_width(text: str, size: float) -> float:
    """About how wide ``text`` is printed, in points: a Chinese sign is as wide as it is high.

    >>> text_width("驿站", 10), round(text_width("ab", 10), 1)
    (20.0, 10.4)
    """
    wide = sum(unicodedata.east_asian_width(c) in "WFA" for c in text)
    return size * (wide + _NARROW_EM * (len(text) - wide))


def wrapped(text: str, width: float, size: float) -> list[str]:
    """``text`` in lines no wider than ``width``: words stay whole, Chinese may break anywhere.

    >>> wrapped("最近的驿站 the nearest station", 60, 10)
    ['最近的驿站', 'the nearest', 'station']
    """
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and text_width((line + piece).rstrip(), size) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
        while text_width(line.rstrip(), size) > width and len(line) > 1:
            cut = max(1, int(width / size))
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for sign in " ".join(text.split()):
        if not pieces or ord(sign) > 0x2E80 or pieces[-1][-1] == " " or ord(pieces[-1][-1]) > 0x2E80:
            if pieces and sign in "，。、；：！？）”》,.;:" and pieces[-1][-1] != " ":
                pieces[-1] += sign  # no line begins with a closing sign
            else:
                pieces.append(sign)
        else:
            pieces[-1] += sign
    return pieces

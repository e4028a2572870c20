"""Vector layers: GeoJSON, GeoPackage, shapefile (zipped too), Parquet."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo.errors import Defect, InputError
from geo.intake.columns import clean_heading
from geo.intake.tables.archive import chunks, open_archive, refuse_large
from geo.intake.tables.grid import Table, text_of

POLYGONS = ("Polygon", "MultiPolygon")
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_RAW = "ISO-8859-1"  # every byte is a character of it: text can be decoded again without loss


def read_vector(path: Path) -> gpd.GeoDataFrame:
    """A vector layer in WGS-84; broken JSON is refused with its line and column.

    Of several layers (GeoPackage, zipped shapefiles) the one with polygons; which is meant must be clear.
    Raises :class:`geo.errors.InputError`.
    """
    layers = _layers(path, None)
    if len(layers) > 1:
        layers = [
            layer
            for layer in layers
            if isinstance(layer[1], gpd.GeoDataFrame) and layer[1].geom_type.isin(POLYGONS).any()
        ] or layers
    if len(layers) > 1:
        has = "、".join(name for name, _frame, _encoding in layers)
        message = (
            f"有多个图层，不知该用哪个：{has}；请只留一个 / several layers; keep only the one that is meant"
        )
        raise InputError(Defect(message, file=path.name))
    frame = layers[0][1]
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Defect("没有几何图形 / holds no geometry", file=path.name))
    if frame.crs is None:
        raise InputError(
            Defect("没有坐标系：请在文件里声明 / no CRS: declare it in the file (.prj)", file=path.name)
        )
    return to_wgs84(frame, path.name)


def to_wgs84(frame: gpd.GeoDataFrame, file: str) -> gpd.GeoDataFrame:
    """A layer brought to EPSG:4326. Raises :class:`geo.errors.InputError` where its CRS cannot be."""
    try:
        return frame.to_crs("EPSG:4326")
    except (RuntimeError, ValueError) as error:
        message = f"坐标系换算不了 / its CRS cannot be brought to WGS-84: {error}"
        raise InputError(Defect(message, file=file)) from error


def vector_tables(path: Path, sheet: str | None) -> list[Table]:
    """Each layer as a table, ``lon`` and ``lat`` of a point inside each shape; ``sheet`` names a layer.

    Numbers of a layer without a CRS stay as they are: the datum that the study declares is theirs.
    """
    tables = [frame_table(frame, path.name, name, encoding) for name, frame, encoding in _layers(path, sheet)]
    if len(tables) > 1:
        tables = [table for table in tables if len(table.rows)] or tables[:1]
    return tables


def frame_table(frame: pd.DataFrame, file: str, sheet: str, encoding: str) -> Table:
    """A frame, with geometry or without, as a :class:`Table`; rows are numbered from 1."""
    plain = pd.DataFrame(frame)
    crs = ""
    if isinstance(frame, gpd.GeoDataFrame):
        if frame.crs is not None:
            frame, crs = to_wgs84(frame, file), "EPSG:4326"
        plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    plain = plain.astype(object).map(plain_text).reset_index(drop=True)
    if isinstance(frame, gpd.GeoDataFrame):
        shapes = frame.geometry.reset_index(drop=True)
        empty = shapes.isna() | shapes.is_empty
        inside = shapes[~empty].representative_point()
        # the geometry is the position: attributes of the same name would only contradict it
        for name, values in (("lon", inside.x), ("lat", inside.y)):
            plain[name] = None
            plain.loc[~empty, name] = values.map(repr)
    typed = tuple(str(c) for c in plain.columns)
    plain.columns = pd.Index(_once([clean_heading(c) or c for c in typed]))
    rows = np.arange(1, len(plain) + 1)
    return Table(plain, rows, file, sheet, encoding, headings=typed, crs=crs)


def _once(names: list[str]) -> list[str]:
    return [n if n not in names[:j] else f"{n}_{names[: j + 1].count(n)}" for j, n in enumerate(names)]


def plain_text(value: Any) -> str | None:
    """A value of a layer or a database as text: lists joined, yes and no as 有 and 无.

    >>> plain_text(["饮水", "充电"]), plain_text(True), plain_text(float("nan"))
    ('饮水、充电', '有', None)
    """
    match value:
        case bool() | np.bool_():
            return "有" if value else "无"
        case list() | tuple() | np.ndarray():
            return "、".join(t for v in value if (t := plain_text(v))) or None
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case float() | np.floating():
            return text_of(float(value))
        case _:
            return None if value is None or value is pd.NaT or value is pd.NA else text_of(value)


def _layers(path: Path, wanted: str | None) -> list[tuple[str, pd.DataFrame, str]]:
    """Name, frame and encoding of the layers of a file (of the named one)."""
    refuse_large(path)
    suffix = path.suffix.lower()
    if suffix in {".geojson", ".json"}:
        check_json(path)
    if suffix == ".parquet":
        try:
            return [("", gpd.read_parquet(path), "")]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(_unreadable(path.name, error)) from error
    if suffix == ".zip":
        with _unzipped(path) as files:
            return [(f.stem, *_shapefile(f, path.name)) for f in _named(files, wanted, path.name)]
    if suffix == ".shp":
        return [("", *_shapefile(path, path.name))]
    try:
        names = [str(name) for name, _kind in pyogrio.list_layers(path)]
        if wanted is not None and wanted not in names:
            raise InputError(_no_layer(names, wanted, path.name))
        chosen = [wanted] if wanted is not None else names
        frames = [(name if len(names) > 1 else "", _read(path, layer=name), "") for name in chosen]
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(_unreadable(path.name, error)) from error
    if not frames:
        raise InputError(Defect("没有图层 / holds no layer", file=path.name))
    return frames


def _read(path: Path, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        # GDAL's remarks on fields it reads all the same (odd dates, shapefile ring order)
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        frame: pd.DataFrame = pyogrio.read_dataframe(path, **options)
    return frame


def _no_layer(names: list[str], wanted: str, file: str) -> Defect:
    has = "、".join(names)
    return Defect(f"没有图层 {wanted}；有 {has} / no such layer; the file has these", file=file, sheet=wanted)


def _unreadable(file: str, error: Exception) -> Defect:
    return Defect(f"读不了这个图层 / this layer cannot be read: {error}", file=file)


def _shapefile(path: Path, file: str) -> tuple[pd.DataFrame, str]:
    """A shapefile and the encoding of its texts: the .cpg's where that fits, UTF-8, else GB18030."""
    lacking = [s for s in (".shx", ".dbf") if not _beside(path, s)]
    if lacking:
        message = (
            f"shapefile 缺 {'、'.join(lacking)}：几个文件要放在一起 / lacks these: keep its files together"
        )
        raise InputError(Defect(message, file=file))
    try:
        frame = _read(path, encoding=_RAW)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(_unreadable(file, error)) from error
    # a damaged attribute table may bear one name twice
    frame.columns = pd.Index(_once([str(c) for c in frame.columns]))
    declared = _beside(path, ".cpg")
    said = declared.read_text(encoding="ascii", errors="replace").strip() if declared else ""
    texts = [c for c in frame.columns if frame[c].dtype == object or pd.api.types.is_string_dtype(frame[c])]
    texts = [c for c in texts if c != "geometry"]
    raw = [str(c).encode(_RAW) for c in frame.columns] + [
        v.encode(_RAW) for c in texts for v in frame[c] if isinstance(v, str) and not v.isascii()
    ]
    encoding = _encoding_of(raw, said, file)
    named = {c: _cut(str(c).encode(_RAW), encoding) for c in frame.columns}
    for column in texts:
        frame[column] = pd.Series(
            [_cut(v.encode(_RAW), encoding) if isinstance(v, str) else v for v in frame[column]],
            index=frame.index, dtype=object,
        )  # fmt: skip
    return frame.rename(columns=named), encoding


def _beside(path: Path, suffix: str) -> Path | None:
    return next(
        (p for p in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if p.is_file()), None
    )


def _encoding_of(raw: list[bytes], said: str, file: str) -> str:
    for encoding in (said, "utf-8", "gb18030"):
        if not encoding:
            continue
        try:
            for value in raw:
                _cut(value, encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return encoding.lower()
    message = (
        "属性表编码既非 UTF-8 也非 GB18030；请附 .cpg / attributes neither UTF-8 nor GB18030; add a .cpg"
    )
    raise InputError(Defect(message, file=file))


def _cut(value: bytes, encoding: str) -> str:
    """Text of a field; a character that the field's width cut in two at its end is left out."""
    try:
        return value.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start > 0 and error.start >= len(value) - 3 and "end of data" in error.reason:
            return value[: error.start].decode(encoding)
        if error.start > 0 and error.start == len(value) - 1 and "incomplete" in error.reason:
            return value[: error.start].decode(encoding)
        raise


def _named(files: list[Path], wanted: str | None, file: str) -> list[Path]:
    if wanted is None:
        return files
    found = [f for f in files if f.stem == wanted]
    if not found:
        raise InputError(_no_layer([f.stem for f in files], wanted, file))
    return found


@contextmanager
def _unzipped(path: Path) -> Iterator[list[Path]]:
    """The shapefiles of a zip, unpacked aside; the caller reads them before they go."""
    with open_archive(path) as archive, tempfile.TemporaryDirectory() as folder:
        found = []
        for k, entry in enumerate(archive.infolist()):
            inner = PurePosixPath(_zip_name(entry).replace("\\", "/"))
            if entry.is_dir() or inner.suffix.lower() not in _PARTS or inner.name.startswith("._"):
                continue
            # a folder each, so that names cannot meet; stems may be in any encoding
            place = Path(folder, str(inner.parent).replace("/", "_").replace(".", "_"))
            place.mkdir(exist_ok=True)
            target = place / f"{inner.stem}{inner.suffix.lower()}"
            with target.open("wb") as out:
                for piece in chunks(archive, entry.filename, path.name):
                    out.write(piece)
            if target.suffix == ".shp":
                found.append((k, target))
        if not found:
            message = (
                "压缩包里没有 shapefile：请解压后给出 .xlsx 或 .csv / no shapefile in the zip: "
                "unpack it and name the table itself"
            )
            raise InputError(Defect(message, file=path.name))
        yield [target for _k, target in found]


def _zip_name(entry: Any) -> str:
    """Windows packs Chinese names in GBK without saying so; zipfile then reads them as code page 437."""
    name = str(entry.filename)
    if entry.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("gb18030")
    except UnicodeError:
        return name


def check_json(path: Path) -> None:
    """Refuse what is no JSON, with line and column."""
    try:
        json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        message = (
            f"不是有效的 JSON：第 {error.lineno} 行第 {error.colno} 列 / not valid JSON: line {error.lineno}, "
            f"column {error.colno}: {error.msg}"
        )
        raise InputError(Defect(message, file=path.name, row=error.lineno)) from error
    except UnicodeDecodeError as error:
        raise InputError(Defect("不是 UTF-8 编码 / not UTF-8", file=path.name)) from error
    except RecursionError as error:
        raise InputError(Defect("JSON 嵌套过深 / the JSON is nested too deeply", file=path.name)) from error

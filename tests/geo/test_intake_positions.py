"""Positions as typed: cases M06-M16 and M30, precision classes, zones, mixed datums, the vendor's boundary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.datum import from_wgs84, to_wgs84
from geo.intake.positions import address_kind, middle_of_range, number, pair, precision_class, read_position
from geo.intake.read import read_inputs
from geo.intake.stations import StationList, read_stations
from tests.geo.test_datum_proof import doors
from tests.toy import lonlat

AREA = shapely.box(115.70, 32.80, 115.90, 32.95)


def read(folder: Path, *rows: str, head: str = "名称,经度,纬度", **options: Any) -> StationList:
    path = folder / "list.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return read_stations(path, **({"datum": "wgs84", "area": AREA} | options))


def told(listed: StationList) -> str:
    return " | ".join(f"{e.action} {e.reason_zh} {e.reason_en}" for e in listed.audit)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def test_m06_swapped_axes_are_put_right_and_told(tmp_path: Path) -> None:
    listed = read(tmp_path, "甲,32.8912,115.8123")
    assert listed.frame[["lon", "lat"]].to_numpy().tolist() == [[115.8123, 32.8912]]
    assert "对调" in told(listed)
    assert "mended" in told(listed)


@pytest.mark.parametrize(
    "cell",
    [
        "115.8100,32.8900", "32.8900，115.8100", "(115.81;32.89)", "POINT(115.81 32.89)", "POINT (115.81 32.89)",
        "POINT Z (115.81 32.89 31.5)", "SRID=4326;POINT(115.81 32.89)", "[115.81, 32.89]", '{"lng": 115.81, "lat": 32.89}',
        "115.81°E, 32.89°N", "N32.89 E115.81", "经度：115.81；纬度：32.89", "115.81 32.89", "115.81|32.89", "115.81/32.89",
        "115。81，32。89", "１１５．８１，３２．８９", "115810000,32890000", "1158100000,328900000",
        "东经115°48′36″，北纬32°53′24″", "115°48'36\"E 32°53'24\"N", "E115°48'36.0\"N32°53'24.0\"", "115°48′36″32°53′24″",
        "经度115度48分36秒 纬度32度53分24秒", "115-48-36,32-53-24", "115°48.6′E, 32°53.4′N", "32°53′24″N115°48′36″E",
    ],
)  # fmt: skip
def test_m07_m13_pairs_in_one_cell(tmp_path: Path, cell: str) -> None:
    listed = read(tmp_path, f"甲,{quoted(cell)}", head="名称,坐标")
    assert len(listed.frame) == 1, told(listed)
    assert listed.frame[["lon", "lat"]].to_numpy()[0] == pytest.approx((115.81, 32.89), abs=1e-9)


@pytest.mark.parametrize(
    "cell",
    ["115.81,32.89,12", "115.81", "13956000000", "115.81,", "见附件", "115.81;32.89;115.82;32.9", "115,8123"],
)
def test_m07_what_is_no_pair(cell: str) -> None:
    assert pair(cell) is None


@pytest.mark.parametrize(
    "typed",
    [
        "115°46′12″", "115度46分12秒", "东经115°46′12″", "E115°46'12.0\"", "115-46-12", "115°46'12''", "115°46′12″E",
        "115 46 12", "115:46:12", "115º46’12”", "115˚46′12.00″", "115d46m12s", "E 115°46′12″", "东经：115°46′12″",
        "１１５°４６′１２″", "115°46.2′", "115°46.2'E", "115° 46′ 12″", "经度115°46′12″", "115°46′12", "115.77°", "115.77E", "115．77",
    ],
)  # fmt: skip
def test_m08_m09_every_spelling_of_one_angle(typed: str) -> None:
    assert number(typed) == pytest.approx(115.77, abs=1e-9)


def test_m09_west_and_south_are_negative_and_minutes_end_at_sixty() -> None:
    assert number("西经115°46′12″") == pytest.approx(-115.77)
    assert number("32°53′24″S") == pytest.approx(-32.89)
    assert number("115.77W") == pytest.approx(-115.77)
    for typed in ("115°61′12″", "115°46′61″", "115°46.5′12″", "115°", "东经", "°′″"):
        assert number(typed) in {None, 115.0}, typed


def test_m10_a_range_is_listed_and_its_middle_used_only_on_demand(tmp_path: Path) -> None:
    cell = quoted("东经115°46′12″-115°47′05″,北纬32°53′48″-32°54′30″")
    refused = read(tmp_path, f"甲,{cell}", head="名称,坐标")
    assert dict(refused.counts) | {"listed": 1, "mapped": 0, "used": 0} == dict(refused.counts)
    assert "范围" in told(refused)
    assert "allow_coarse" in told(refused)
    used = read(tmp_path, f"甲,{cell}", head="名称,坐标", allow_coarse=True)
    row = used.frame.iloc[0]
    assert (row["lon"], row["lat"]) == pytest.approx((115.77736, 32.90250), abs=1e-5)
    # 1.38 by 1.29 km
    assert row["precision_m"] == pytest.approx(np.hypot(1380, 1290) / 2, rel=0.01)
    assert row["precision"] == "area"
    assert "范围中心" in told(used)
    two = read(tmp_path, "甲,115.77至115.78,32.89至32.90", allow_coarse=True)
    assert two.frame[["lon", "lat"]].to_numpy()[0] == pytest.approx((115.775, 32.895))
    assert middle_of_range("115.77-32.89") is None
    assert middle_of_range("115°46′12″,32°53′48″") is None


def test_m11_the_hint_names_the_reading_in_degrees_minutes_seconds(tmp_path: Path) -> None:
    listed = read(tmp_path, "甲,115.4612,32.8900", area=shapely.box(115.76, 32.85, 115.88, 32.94))
    assert listed.counts["rejected"] == 1
    assert "115.4612 = 115°46′12″" in told(listed)


@pytest.mark.parametrize(
    ("x", "y", "zone"),
    [
        ("3641176.641", "39388649.570", "EPSG:4527"), ("39388649.570", "3641176.641", "EPSG:4527"),
        ("3641176.641", "388649.570", "EPSG:4548"), ("3641176.641", "669371.606", "EPSG:4547"),
        ("3641176.641", "20388649.570", "EPSG:4498"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("datum", ["auto", "cgcs2000"])
def test_m12_metres_tell_their_zone(tmp_path: Path, x: str, y: str, zone: str, datum: str) -> None:
    listed = read(tmp_path, f"甲,{x},{y}", head="名称,X,Y", datum=datum)
    assert listed.frame["datum"].tolist() == [zone], told(listed)
    apart = np.hypot(listed.frame["lon"] - 115.81, listed.frame["lat"] - 32.89)
    assert apart.max() * 111_195 < (0.01 if zone != "EPSG:4547" else 4_000)
    both = read(tmp_path, f"甲,{quoted(f'{x},{y}')}", head="名称,坐标", datum=datum)
    assert both.frame["datum"].tolist() == [zone]


def test_m12_the_same_point_in_the_neighbouring_zone(tmp_path: Path) -> None:
    # Yingzhou lies at the seam of two zones: files come in either
    for code in (4547, 4548, 4526, 4527):
        x, y = from_wgs84(np.array([115.81]), np.array([32.89]), f"EPSG:{code}")
        for datum in (f"EPSG:{code}", "auto"):
            listed = read(tmp_path, f"甲,{y[0]:.3f},{x[0]:.3f}", head="名称,X,Y", datum=datum)
            assert listed.frame["datum"].tolist() == [f"EPSG:{code}"]
            assert listed.frame[["lon", "lat"]].to_numpy()[0] == pytest.approx((115.81, 32.89), abs=2e-8)
    listed = read(tmp_path, "甲,3641176.64,39388649.57", head="名称,X,Y", datum="gcj02")
    assert "EPSG:4527" in told(listed)
    assert listed.frame.empty


def test_m13_micro_degrees_are_scaled_with_a_note(tmp_path: Path) -> None:
    listed = read(tmp_path, "甲,115810000,32890000", "乙,1158200000,328900000")
    assert listed.frame["lon"].tolist() == [115.81, 115.82]
    assert told(listed).count("微度") == 2


def test_m14_precision_classes_stand_in_the_table(tmp_path: Path) -> None:
    rows = (
        "甲,115.8123,32.8912",
        "乙,115.822,32.891",
        "丙,115.83,32.88",
        "丁,115.8,32.9",
        "戊,115°50′12″,32°53′24″",
    )
    listed = read(tmp_path, *rows)
    assert dict(zip(listed.frame["name"], listed.frame["precision"], strict=True)) == {
        "甲": "point", "乙": "block", "丙": "quarter", "戊": "point",
    }  # fmt: skip
    assert listed.counts["rejected"] == 1
    assert "allow_coarse = true" in told(listed)
    allowed = read(tmp_path, *rows, allow_coarse=True)
    assert allowed.frame["precision"].tolist() == ["point", "block", "quarter", "coarse", "point"]
    assert allowed.counts["used"] == 5
    assert "精度约 5560 米" in told(allowed)
    # real: 3 decimals, 93 m of longitude, 111 m of latitude to the next number
    typed = read_position("113.665", "34.747", "")
    assert typed is not None
    assert (typed.precision, round(typed.precision_m)) == ("block", 56)


@pytest.mark.parametrize(
    "cell", ["0", "", "空", "暂无", "待定", "/", "—", "#N/A", "无", "0.0", "\u3000", "null"]
)
def test_m15_none_is_none(cell: str) -> None:
    assert read_position(cell, cell, "") is None
    assert read_position("", "", cell) is None


def test_m16_automatic_takes_the_datum_that_the_file_names(tmp_path: Path) -> None:
    lon, lat = np.array([115.8123]), np.array([32.8912])
    for heading, datum in (("高德", "gcj02"), ("百度", "bd09"), ("WGS84", "wgs84"), ("天地图", "cgcs2000")):
        x, y = from_wgs84(lon, lat, datum)
        listed = read(
            tmp_path, f"甲,{x[0]:.8f},{y[0]:.8f}", head=f"名称,经度({heading}),纬度({heading})", datum="auto"
        )
        assert listed.frame["datum"].tolist() == [datum]
        assert listed.frame[["lon", "lat"]].to_numpy()[0] == pytest.approx((115.8123, 32.8912), abs=2e-8)
        assert f"按文件所写读作 {datum}" in told(listed)
    silent = read(tmp_path, "甲,115.8123,32.8912", datum="auto")
    assert silent.frame["datum"].tolist() == ["auto"]


def test_m16_rows_of_one_sheet_in_their_own_datums(tmp_path: Path) -> None:
    rows = []
    for name in ("wgs84", "gcj02", "bd09"):
        x, y = from_wgs84(np.array([115.8123]), np.array([32.8912]), name)
        rows.append(
            f"{name},{x[0]:.8f},{y[0]:.8f},{ {'wgs84': 'GPS', 'gcj02': '高德', 'bd09': '百度'}[name] }"
        )
    listed = read(tmp_path, *rows, "丁,115.8523,32.8912,", head="名称,经度,纬度,坐标系", datum="auto")
    assert listed.frame["datum"].tolist() == ["wgs84", "gcj02", "bd09", "auto"]
    at = listed.frame[["lon", "lat"]].to_numpy()[:3]
    assert np.abs(at - (115.8123, 32.8912)).max() < 2e-8


def study_in(folder: Path, text: str, network: Any, **section: Any) -> Any:
    (folder / "s.csv").write_text(text, encoding="utf-8")
    (folder / "r.osm").write_text("<osm/>", encoding="utf-8")
    corner = lonlat([(-500, -500), (5600, 5600)])
    box = shapely.box(corner[0][0], corner[1][0], corner[0][1], corner[1][1])
    (folder / "d.csv").write_text(f"lon,lat,weight\n{box.centroid.x},{box.centroid.y},10\n", encoding="utf-8")
    study = study_from_mapping(
        {
            "study": {"name": "x"},
            "roads": {"file": "r.osm"},
            "stations": [{"file": "s.csv", **section}],
            "demand": {"residents": {"file": "d.csv"}},
        },
        folder=folder,
    )
    return read_inputs(study, area=gpd.GeoDataFrame(geometry=[box], crs=4326), network=network)


def test_m16_a_heading_spares_the_proof_of_a_short_list(tmp_path: Path) -> None:
    network, lon, lat = doors(8)
    x, y = from_wgs84(lon, lat, "gcj02")
    rows = "".join(f"站{i},{x[i]:.7f},{y[i]:.7f}\n" for i in range(8))
    found = study_in(tmp_path, f"名称,经度（高德）,纬度（高德）\n{rows}", network, datum="auto")
    np.testing.assert_allclose(found.stations["lon"], lon, atol=1e-6)
    with pytest.raises(InputError, match="cannot be proven"):
        study_in(tmp_path, f"名称,经度,纬度\n{rows}", network, datum="auto")


def test_m16_a_mixed_list_is_proven_part_by_part(tmp_path: Path) -> None:
    network, lon, lat = doors(160)
    there = {d: from_wgs84(lon, lat, d) for d in ("gcj02", "bd09")}
    rows = "".join(
        f"站{i},{there[d][0][i]:.8f},{there[d][1][i]:.8f},{said}\n"
        for d, said, part in (("gcj02", "", range(80)), ("bd09", "百度", range(80, 160)))
        for i in part
    )
    found = study_in(tmp_path, f"名称,经度,纬度,坐标系\n{rows}", network, datum="auto")
    by_name = found.stations.set_index("name")
    kept = [int(n.removeprefix("站")) for n in by_name.index]
    np.testing.assert_allclose(by_name["lon"], lon[kept], atol=1e-7)
    assert set(by_name["datum"]) == {"gcj02", "bd09"}
    words = " ".join(e.reason_zh for e in found.audit)
    assert "证明为 gcj02" in words
    assert "bd09 有道路为证" in words


def test_m16_what_the_file_says_is_held_against_the_roads_too(tmp_path: Path) -> None:
    network, lon, lat = doors(80)
    x, y = from_wgs84(lon, lat, "bd09")
    rows = "".join(f"站{i},{x[i]:.8f},{y[i]:.8f}\n" for i in range(80))
    text = f"名称,经度（高德）,纬度（高德）\n{rows}"
    with pytest.raises(InputError, match="the points fit bd09"):
        study_in(tmp_path, text, network, datum="auto")
    found = study_in(tmp_path, text, network, datum="gcj02", trust_datum=True)
    assert any("trust_datum" in e.reason_zh for e in found.audit)
    assert set(found.stations["datum"]) == {"gcj02"}


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("清安路月浦实验学校对面", "relative"), ("大厂镇湖泰路以东、中长路以北", "area"), ("沪太路4361号7号楼2层", "floor"),
        ("友谊路1号门卫", "relative"), ("建华南大街与槐北路交口西北角", "intersection"), ("人民路与解放路交叉口", "intersection"),
        ("颍州中路100号", "door"), ("万达广场B座3楼", "floor"), ("体育场", "vague"), ("", "none"), (None, "none"),
    ],
)  # fmt: skip
def test_m30_addresses_say_how_exact_they_are(address: str | None, kind: str) -> None:
    assert address_kind(address) == kind


def test_m30_an_address_alone_is_kept_in_the_list_and_never_placed(tmp_path: Path) -> None:
    addresses = (
        "清安路月浦实验学校对面",
        "大厂镇湖泰路以东、中长路以北",
        "沪太路4361号7号楼2层",
        "建华南大街与槐北路交口西北角",
    )
    listed = read(tmp_path, *(f"站{i},,,{a}" for i, a in enumerate(addresses)), head="名称,经度,纬度,地址")
    assert (listed.counts["listed"], listed.counts["mapped"], len(listed.frame)) == (4, 0, 0)
    reasons = [e.reason_zh for e in listed.audit if e.action == "unmapped"]
    assert ["相对位置" in r or "片区" in r or "楼层" in r or "路口" in r for r in reasons] == [True] * 4
    assert [e.found for e in listed.audit] == list(addresses)


def test_the_vendors_boundary_after_conversion(shared_data: Path) -> None:
    folder = shared_data / "wuhan"
    ours = gpd.read_file(folder / "boundary.geojson").union_all()
    vendor = gpd.read_file(folder / "boundary_vendor_gcj02.geojson").union_all()

    def converted(xy: Any) -> Any:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02"))

    def share(shape: Any) -> float:
        plane = [gpd.GeoSeries([g], crs=4326).to_crs(32650).make_valid().iloc[0] for g in (ours, shape)]
        return float(plane[0].intersection(plane[1]).area / plane[0].union(plane[1]).area)

    assert share(shapely.transform(vendor, converted)) > 0.985
    assert share(vendor) < 0.975


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet="0123456789.,，;-—~°′″'\"度分秒东西经南北纬EWNSPOINT()[]{}: 　。１２３/暂无至\n", max_size=40
    ),
    st.text(max_size=20),
)
def test_no_cell_breaks_the_reader(first: str, second: str) -> None:
    for cells in ((first, second, ""), ("", "", first), (first, first, second)):
        typed = read_position(*cells)
        if typed is not None:
            assert np.isfinite([typed.x, typed.y, typed.precision_m]).all()
            assert precision_class(typed.precision_m) in {"point", "block", "quarter", "coarse"}
    assert address_kind(first + second) is not None

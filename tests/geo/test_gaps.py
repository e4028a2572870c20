"""Gaps: nobody lost, nobody counted twice, parted by rivers, explained with the right figures."""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely.geometry import LineString, Point, Polygon

from geo import travel_times
from geo.errors import InputError
from geo.gaps import find_gaps
from geo.gaps.clusters import Barriers, clusters, link_length_m
from geo.gaps.reasons import lies_between
from geo.models import BARRIER_KINDS, NearestField, Snapped
from tests.toy import CRS, lonlat, toy_network

LIMIT_S, STRAIGHT_M = 900.0, 1000.0
PLANE = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)


def stations_at(xy, names):
    lon, lat = lonlat(xy)
    return pd.DataFrame({"name": names, "lon": lon, "lat": lat})


def no_communities():
    return gpd.GeoDataFrame({"community_id": [], "name": [], "street": []}, geometry=[], crs=4326)


def communities_of(**shapes):
    rings = [Polygon(np.column_stack(lonlat(shape))) for shape in shapes.values()]
    names = list(shapes)
    return gpd.GeoDataFrame({"community_id": names, "name": names, "street": ""}, geometry=rings, crs=4326)


def ask(network, home_xy, people, station_xy, station_names, *, community=None, counted=None, **options):
    """Gaps of homes and stations on a toy network, the travel times computed on it."""
    stations = stations_at(station_xy, station_names)
    lon, lat = lonlat(home_xy)
    snap = travel_times.snap(network, lon, lat, mode="walk", max_access_m=500.0)
    at = travel_times.snap(
        network, stations["lon"].to_numpy(), stations["lat"].to_numpy(), mode="walk", max_access_m=500.0
    )

    def nearest(sources):
        return travel_times.Router(network, mode="walk", speed_kmh=4.0, access_speed_kmh=4.0).nearest(
            sources, snap, limit_s=3600.0
        )

    every = nearest(at)
    far = every
    if counted is not None:
        far = nearest(replace(at, edge=np.where(counted, at.edge, -1).astype(np.int32)))
        options["open_at"] = counted
    demand = pd.DataFrame(
        {
            "layer": "residents",
            "community": -1 if community is None else community,
            "lon": lon,
            "lat": lat,
            "weight": np.asarray(people, dtype=float),
            "seconds": every.seconds,
            "nearest": every.label,
            "covered": every.seconds <= LIMIT_S,
        }
    )
    gaps = find_gaps(
        demand=demand,
        communities=options.pop("communities", no_communities()),
        stations=stations,
        network=network,
        station_snap=at,
        demand_snap=snap,
        far_field=far,
        limit_s=LIMIT_S,
        straight_limit_m=STRAIGHT_M,
        **options,
    )
    return gaps, demand, far


def river_town(*, name="颍河", kind="water", bridge_m=1500.0):
    """Two banks 200 m apart, a river between, one bridge far to the east."""
    network = toy_network(
        [(0, 0), (bridge_m, 0), (bridge_m, 200), (0, 200)],
        [(0, 1), (1, 2), (2, 3)],
        barriers=[(kind, [(-500, 100), (bridge_m - 100, 100)])] if kind else [],
    )
    near = network.surroundings
    return replace(network, surroundings=replace(near, barrier_name=tuple(name for _ in near.barrier_name)))


NORTH = [(0.0, 200.0), (100.0, 200.0), (200.0, 200.0)]


def test_a_river_cuts_a_bank_off():
    gaps, demand, far = ask(river_town(), [*NORTH, (50.0, 0.0)], [30, 40, 20, 500], [(0, 0)], ["甲站"])
    assert list(demand["covered"]) == [False, False, False, True]
    assert len(gaps) == 1
    gap = gaps.iloc[0]
    assert gap["people"] == pytest.approx(90)
    assert (gap["gap_id"], gap["rank"], gap["reason"], gap["nearest_station"]) == (
        "G001",
        1,
        "cut_off",
        "甲站",
    )
    assert gap["nearest_minutes"] == pytest.approx(far.seconds[1] / 60)
    # 100 m east and 200 m across is the median home; over the bridge it is 1500 + 200 + 1400 m
    assert gap["straight_m"] == pytest.approx(math.hypot(100, 200), abs=0.5)
    assert gap["nearest_minutes"] == pytest.approx(3100 / 4000 * 60, abs=0.1)
    assert gap["reason_zh"] == "最近的驿站“甲站”直线 220 m，步行 46 分钟：被颍河隔开"
    assert gap["reason_en"] == (
        "the nearest station, 甲站, is 220 m away in a straight line, 46 min on foot: cut off by water (颍河)"
    )


@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        ("water", "被水面隔开", "cut off by water"),
        ("railway", "被铁路隔开", "cut off by a railway"),
        ("motorway", "被高速公路隔开", "cut off by a motorway"),
        ("wall", "被围墙隔开", "cut off by a wall"),
        (None, "道路绕行", "the roads make a detour"),
    ],
)
def test_what_lies_between_is_named_by_kind(kind, zh, en):
    gaps, _demand, _far = ask(river_town(name="", kind=kind), NORTH, [30, 40, 20], [(0, 0)], ["甲站"])
    assert list(gaps["reason"]) == ["cut_off"]
    assert gaps["reason_zh"][0].endswith(f"：{zh}")
    assert gaps["reason_en"][0].endswith(f": {en}")


def test_only_what_cuts_off_most_people_is_named_and_the_hardest_of_several():
    kind, name = np.array([3, 0, 0], np.int32), ("围墙甲", "颍河", "西清河")
    people = np.array([10.0, 90.0, 20.0])
    every = np.array([0, 1, 2])
    assert lies_between(np.array([0, 2]), np.array([1, 2]), people, kind, name) is None
    assert lies_between(every, np.array([0, 0, 1]), people, kind, name) == ("wall", "围墙甲")
    both = np.concatenate((every, every)), np.array([0, 0, 0, 1, 2, 1])
    assert lies_between(*both, people, kind, name) == ("water", "西清河")
    assert lies_between(every[:0], every[:0], people, kind, name) is None


def test_a_handful_joins_its_neighbour_but_not_one_far_away():
    network = toy_network([(0, 0), (20_000, 0)], [(0, 1)])
    homes, people = [(5000, 0), (6000, 0), (15_000, 0)], [40, 3, 4]
    gaps, _demand, _far = ask(network, homes, people, [(0, 0)], ["甲站"], min_people=5.0)
    assert list(gaps["people"]) == [43.0, 4.0]
    gaps, _demand, _far = ask(network, homes, people, [(0, 0)], ["甲站"])
    assert list(gaps["people"]) == [40.0, 4.0, 3.0]


def test_far_from_any_station():
    network = toy_network([(0, 0), (4000, 0)], [(0, 1)])
    gaps, _demand, _far = ask(network, [(2000, 10), (2100, 10)], [5, 7], [(0, 0)], ["甲站"])
    assert list(gaps["reason"]) == ["no_station_near"]
    assert gaps["straight_m"][0] == pytest.approx(2100, abs=1)
    assert gaps["reason_zh"][0] == "附近没有驿站：最近的驿站“甲站”直线 2,100 m，步行 32 分钟"


def test_beyond_the_search_has_no_minutes():
    network = toy_network([(0, 0), (9000, 0)], [(0, 1)])
    gaps, _demand, _far = ask(network, [(8000, 0)], [5], [(0, 0)], ["甲站"])
    assert pd.isna(gaps["nearest_minutes"][0])
    assert "走不到" in gaps["reason_zh"][0]
    assert "not reached on foot" in gaps["reason_en"][0]


def test_homes_without_a_road_are_said_to_be_unlinked():
    network = toy_network([(0, 0), (900, 0)], [(0, 1)])
    gaps, _demand, _far = ask(network, [(100, 900), (1800, 0)], [5, 3], [(0, 0)], ["甲站"])
    assert list(gaps["reason"]) == ["unlinked", "unlinked"]
    assert gaps["people"].sum() == pytest.approx(8)


def test_just_over_the_limit_does_not_read_as_within_it():
    network = toy_network([(0, 0), (4000, 0)], [(0, 1)])
    gaps, _demand, _far = ask(network, [(1001, 0)], [5], [(0, 0)], ["甲站"])
    assert "步行 15.1 分钟" in gaps["reason_zh"][0]


def test_closed_at_night():
    network = toy_network([(0, 0), (4000, 0)], [(0, 1)])
    homes, people = [(100, 0), (200, 0), (3900, 0), (2000, 0)], [10, 20, 40, 80]
    counted = np.array([False, True])
    gaps, demand, far = ask(
        network, homes, people, [(0, 0), (4000, 0)], ["日站", "夜站"], counted=counted, time="Tue 23:00"
    )
    assert list(demand["covered"]) == [True, True, True, False]
    # who is covered by no station at any time is not among the gaps of the night
    assert list(gaps["people"]) == [30.0]
    assert list(gaps["reason"]) == ["closed"]
    assert gaps["reason_zh"][0] == (
        "周二 23:00 时，步行 3 分钟的“日站”不开放或开放时间不明；最近的开放驿站“夜站”直线 3,800 m，步行 57 分钟"
    )
    assert gaps["nearest_minutes"][0] == pytest.approx(far.seconds[1] / 60)


def test_lacking_a_service_that_no_station_has():
    network = toy_network([(0, 0), (4000, 0)], [(0, 1)])
    gaps, _demand, _far = ask(
        network, [(100, 0)], [10], [(0, 0)], ["甲站"], counted=np.array([False]), service="toilet"
    )
    assert list(gaps["reason"]) == ["lacks_service"]
    assert gaps["reason_zh"][0] == "步行 2 分钟的“甲站”没有卫生间；没有这样的驿站"
    assert gaps["reason_en"][0] == "甲站, 2 min on foot, has no toilet; there is no such station"


def test_names_by_community_and_side():
    network = toy_network([(0, 0), (20_000, 0)], [(0, 1)])
    areas = communities_of(
        颍西社区=[(5000, -1000), (11_000, -1000), (11_000, 1000), (5000, 1000)],
        城东社区=[(11_000, -1000), (19_000, -1000), (19_000, 1000), (11_000, 1000)],
    )
    homes = [(5500, 0), (8000, 0), (10_500, 0), (15_000, 0)]
    gaps, _demand, _far = ask(
        network, homes, [40, 30, 20, 10], [(0, 0)], ["甲站"], community=[0, 0, 0, 1], communities=areas
    )
    assert list(gaps["name_zh"]) == ["颍西社区西部", "颍西社区中部", "颍西社区东部", "城东社区"]
    assert list(gaps["name_en"]) == ["颍西社区, west", "颍西社区, centre", "颍西社区, east", "城东社区"]
    assert list(gaps["community"]) == ["颍西社区"] * 3 + ["城东社区"]


def test_names_by_road_or_station_where_there_is_no_community():
    network = toy_network([(0, 0), (6000, 0)], [(0, 1)])
    homes = [(3000, 0), (5000, 0)]
    gaps, _demand, _far = ask(network, homes, [9, 8], [(0, 0)], ["甲站"])
    assert list(gaps["name_zh"]) == ["way 0一带 1", "way 0一带 2"]
    nameless = replace(network, way_name=tuple("" for _ in network.way_name))
    gaps, _demand, _far = ask(nameless, homes, [9, 8], [(0, 0)], ["甲站"])
    assert list(gaps["name_zh"]) == ["“甲站”东侧 1", "“甲站”东侧 2"]
    assert list(gaps["name_en"]) == ["east of 甲站 1", "east of 甲站 2"]


def test_a_wide_gap_is_split_by_community():
    network = toy_network([(0, 0), (20_000, 0)], [(0, 1)])
    homes = [(5000 + 200 * i, 0) for i in range(30)]
    community = [0] * 20 + [1] * 10
    areas = communities_of(甲=[(0, -1), (1, -1), (1, 1), (0, 1)], 乙=[(0, -1), (1, -1), (1, 1), (0, 1)])
    gaps, _demand, _far = ask(
        network, homes, [1.0] * 30, [(0, 0)], ["站"], community=community, communities=areas
    )
    assert list(zip(gaps["community"], gaps["people"], strict=True)) == [("甲", 20.0), ("乙", 10.0)]
    # without communities, 5.8 km are halved once
    gaps, _demand, _far = ask(network, homes, [1.0] * 30, [(0, 0)], ["站"])
    assert list(gaps["people"]) == [15.0, 15.0]


def test_nothing_missing_is_an_empty_frame_with_all_columns():
    network = toy_network([(0, 0), (400, 0)], [(0, 1)])
    gaps, _demand, _far = ask(network, [(100, 0)], [10], [(0, 0)], ["甲站"])
    assert len(gaps) == 0
    assert gaps.crs.to_epsg() == 4326
    full, _demand, _far = ask(river_town(), NORTH, [3, 4, 2], [(0, 0)], ["甲站"])
    assert list(gaps.columns) == list(full.columns)


def test_without_any_station_all_are_missing():
    network = toy_network([(0, 0), (400, 0)], [(0, 1)])
    lon, lat = lonlat([(100, 0), (200, 0)])
    demand = pd.DataFrame(
        {"layer": "residents", "community": -1, "lon": lon, "lat": lat, "weight": [3.0, 4.0],
         "seconds": np.inf, "nearest": -1, "covered": False}
    )  # fmt: skip
    nobody = Snapped(np.zeros(0, np.int32), *(np.zeros(0) for _ in range(4)))
    gaps = find_gaps(
        demand=demand,
        communities=no_communities(),
        stations=stations_at(np.zeros((0, 2)), []),
        network=network,
        station_snap=nobody,
        demand_snap=travel_times.snap(network, lon, lat, mode="walk", max_access_m=500.0),
        far_field=NearestField(
            np.full(2, np.inf), np.full(2, -1, np.int32), np.full(2, np.inf), np.full(2, -1, np.int32)
        ),
        limit_s=LIMIT_S,
        straight_limit_m=STRAIGHT_M,
    )
    assert gaps["people"].sum() == 7.0
    assert list(gaps["reason_zh"]) == ["没有任何驿站"]
    assert list(gaps["name_zh"]) == ["way 0一带"]


def test_wrong_calls_are_told_at_once():
    with pytest.raises(InputError) as caught:
        ask(river_town(), NORTH, [3, 4, 2], [(0, 0)], ["甲站"], time="Tue 23:00", link_m=0.0)
    assert {d.key for d in caught.value.defects} == {"open_at", "link_m"}


towns = st.tuples(st.integers(1, 40), st.integers(1, 4), st.integers(0, 10**6))


def town(points, places, seed):
    """A cross of streets with a river, and homes strewn over it, some of them off the network."""
    rng = np.random.default_rng(seed)
    network = toy_network(
        [(-3000, 0), (0, 0), (3000, 0), (0, -3000), (0, 3000)],
        [(0, 1), (1, 2), (3, 1), (1, 4)],
        barriers=[("water", [(-4000, 300), (-100, 300)]), ("railway", [(700, -4000), (700, 4000)])],
    )
    homes = rng.uniform(-3000, 3000, (points, 2)) * [1.0, 0.3]
    people = np.where(rng.random(points) < 0.15, 0.0, rng.uniform(0, 9, points))
    spots = rng.uniform(-2500, 2500, (places, 2)) * [1.0, 0.05]
    return network, homes, people, spots, [f"站{i}" for i in range(places)]


@settings(deadline=None, max_examples=40)
@given(towns, st.sampled_from([0.0, 1.0, 20.0]))
def test_people_of_the_gaps_are_the_uncovered_people(size, min_people):
    gaps, demand, _far = ask(*town(*size), min_people=min_people)
    missing = demand.loc[~demand["covered"], "weight"].sum()
    assert gaps["people"].sum() == pytest.approx(missing)
    covered = demand.loc[demand["covered"], "weight"].sum()
    assert covered + gaps["people"].sum() == pytest.approx(demand["weight"].sum())
    assert list(gaps["people"].round(6)) == sorted(gaps["people"].round(6), reverse=True)
    assert list(gaps["rank"]) == list(range(1, len(gaps) + 1))
    assert gaps["name_zh"].is_unique
    assert gaps["name_en"].is_unique


@settings(deadline=None, max_examples=30)
@given(towns)
def test_shapes_are_valid_hold_their_homes_and_leave_out_the_served(size):
    gaps, demand, _far = ask(*town(*size))
    assert gaps.geometry.is_valid.all()
    assert set(gaps.geom_type) <= {"Polygon", "MultiPolygon"}
    every = shapely.union_all(gaps.geometry.to_numpy())
    for row in demand.query("weight > 0").itertuples():
        assert every.intersects(Point(row.lon, row.lat)) == (not row.covered)
    area_km2 = gaps.to_crs(CRS).area / 1e6
    assert list(gaps["area_km2"]) == pytest.approx(list(area_km2), rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(towns)
def test_the_same_inputs_give_the_same_gaps(size):
    first, _demand, _far = ask(*town(*size))
    second, _demand, _far = ask(*town(*size))
    pd.testing.assert_frame_equal(
        pd.DataFrame(first.drop(columns="geometry")), second.drop(columns="geometry")
    )
    assert list(first.geometry.to_wkb()) == list(second.geometry.to_wkb())


def slow_clusters(xy, lines, link_m):
    """Union of all pairs that are near and not parted, by plain repetition."""
    label = list(range(len(xy)))
    for i in range(len(xy)):
        for j in range(i):
            way = LineString([xy[i], xy[j]])
            if way.length <= link_m and not any(way.intersects(line) for line in lines):
                old, new = label[i], label[j]
                label = [new if v == old else v for v in label]
    order = list(dict.fromkeys(label))
    return [order.index(v) for v in label]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), st.integers(0, 10**6))
def test_clusters_agree_with_trying_every_pair(count, seed):
    rng = np.random.default_rng(seed)
    lines = [
        (str(rng.choice(BARRIER_KINDS)), rng.uniform(-800, 800, (int(rng.integers(2, 6)), 2)))
        for _ in range(3)
    ]
    network = toy_network([(0, 0), (1, 0)], [(0, 1)], barriers=lines)
    xy = rng.uniform(-800, 800, (count, 2))
    found = clusters(
        xy,
        np.full(count, -1, dtype=np.int32),
        np.ones(count),
        Barriers(network, PLANE),
        link_m=300.0,
        min_people=0.0,
    )
    parting = [LineString(points) for kind, points in lines if kind != "wall"]
    assert list(found) == slow_clusters(xy, parting, 300.0)


@settings(deadline=None, max_examples=60)
@given(st.integers(20, 80), st.integers(0, 10**6))
def test_parts_of_a_wide_cluster_agree_with_trying_every_pair(count, seed):
    rng = np.random.default_rng(seed)
    lines = [("railway", rng.uniform(0, 4000, (2, 2))), ("wall", rng.uniform(0, 4000, (2, 2)))]
    network = toy_network([(0, 0), (1, 0)], [(0, 1)], barriers=lines)
    # communities mixed along a street: the way from one home to the next of its own leads past others
    xy = np.column_stack((rng.uniform(0, 4000, count), rng.uniform(0, 150, count)))
    community = rng.integers(0, 2, count).astype(np.int32)
    found = clusters(
        xy, community, np.ones(count), Barriers(network, PLANE), link_m=300.0, min_people=0.0
    )  # fmt: skip
    parting = [LineString(lines[0][1])]
    whole = np.array(slow_clusters(xy, parting, 300.0))
    keys = {}
    for group in set(whole):
        of_group = np.flatnonzero(whole == group)
        wide = np.hypot(*np.ptp(xy[of_group], axis=0)) > 3000.0
        for name in (0, 1):
            mine = of_group[community[of_group] == name] if wide else of_group
            parts = slow_clusters(xy[mine], parting, 300.0)
            keys |= {row: (group, name if wide else -1, part) for row, part in zip(mine, parts, strict=True)}
    order = list(dict.fromkeys(keys[row] for row in range(count)))
    assert list(found) == [order.index(keys[row]) for row in range(count)]


def test_a_coarse_grid_is_linked_over_its_diagonal():
    grid = np.array([(500.0 * i, 500.0 * j) for i in range(5) for j in range(5)])
    assert link_length_m(grid, 300.0) == 750.0
    assert link_length_m(grid / 5.0, 300.0) == 300.0
    assert link_length_m(grid[:1], 300.0) == 300.0
    strewn = np.random.default_rng(0).uniform(0, 9000, (60, 2))
    assert link_length_m(strewn, 300.0) == 300.0

"""Coverage: every figure against a slow oracle written another way; conservation and monotony."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from geo.coverage import cover, week_table, weighted_median
from geo.errors import InputError
from geo.models import Snapped, TravelMatrix

SERVICES = ("toilet", "first_aid")
TIMES = ("Tue 08:00", "Tue 23:00", "Sat 15:00")
LIMIT_S, MATRIX_S, STRAIGHT_M = 900.0, 1200.0, 1000.0
LAYERS = ("workers", "residents")


def sparse(dense):
    close = dense <= MATRIX_S
    row, column = np.nonzero(close)
    indptr = np.concatenate(([0], np.cumsum(close.sum(axis=1)))).astype(np.int64)
    return TravelMatrix(indptr, column.astype(np.int32), dense[row, column], dense.shape)


def linked(count, *, access_m=None, edge=None):
    zero = np.zeros(count)
    edge = np.zeros(count, dtype=np.int32) if edge is None else edge
    return Snapped(edge, zero, zero if access_m is None else access_m, zero, zero)


def case(points, places, seed, *, areas=3):
    """A random district as keywords of ``cover``, and the dense seconds behind it."""
    rng = np.random.default_rng(seed)
    # many values that sit exactly on a limit, and many that are equal
    steps = np.array([0.0, 300.0, 600.0, 810.0, 810.1, 900.0, 900.0001, 990.0, 1200.0, np.inf, np.inf])
    dense = np.where(
        rng.random((points, places)) < 0.5,
        rng.choice(steps, (points, places)),
        rng.uniform(0, 1500, (points, places)),
    )
    dense[dense > MATRIX_S] = np.inf
    demand = pd.DataFrame(
        {
            "layer": rng.choice(LAYERS, points),
            "community": rng.integers(-1, areas, points),
            "lon": 115.8 + rng.uniform(0, 0.03, points),
            "lat": 32.9 + rng.uniform(0, 0.03, points),
            "weight": np.where(rng.random(points) < 0.1, 0.0, rng.uniform(0, 50, points)),
        }
    )
    stations = pd.DataFrame(
        {
            "name": [f"站{i}" for i in range(places)],
            "lon": 115.8 + rng.uniform(0, 0.03, places),
            "lat": 32.9 + rng.uniform(0, 0.03, places),
            "services": [frozenset(s for s in SERVICES if rng.random() < 0.5) for _ in range(places)],
        }
    )
    communities = gpd.GeoDataFrame(
        {
            "community_id": [f"c{i}" for i in range(areas)],
            "name": [f"社区{i}" for i in range(areas)],
            "street": ["东街道" if i % 2 else "西街道" for i in range(areas)],
        },
        geometry=[box(i, 0, i + 1, 1) for i in range(areas)],
        crs=4326,
    )
    edge = np.where(rng.random(points) < 0.1, -1, 3).astype(np.int32)
    dense[edge < 0] = np.inf
    keywords = {
        "demand": demand,
        "demand_snap": linked(points, access_m=rng.uniform(0, 300, points), edge=edge),
        "times_matrix": sparse(dense),
        "matrix_limit_s": MATRIX_S,
        "stations": stations,
        "station_snap": linked(places),
        "communities": communities,
        "open_at": rng.random((places, len(TIMES))) < 0.5,
        "times": TIMES,
        "services": SERVICES,
        "limit_s": LIMIT_S,
        "minutes": (5, 10, 15),
        "straight_limit_m": STRAIGHT_M,
        "speed_kmh": 4.0,
    }
    return keywords, dense


def haversine_m(lon1, lat1, lon2, lat2):
    a = (
        math.sin(math.radians(lat2 - lat1) / 2) ** 2
        + math.cos(math.radians(lat1))
        * math.cos(math.radians(lat2))
        * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(math.sqrt(a))


def slow_median(pairs):
    """Least value with at least half of the weight at or below it, by trying every value."""
    total = sum(w for _, w in pairs)
    if total == 0:
        return math.inf
    for value in sorted({v for v, _ in pairs}):
        if 2 * sum(w for v, w in pairs if v <= value) >= total * (1 - 1e-12):
            return value
    return math.inf


def slow_figures(k, dense, rows):
    """All figures of a set of demand rows, a plain loop over people and stations."""
    demand, stations, snap = k["demand"], k["stations"], k["demand_snap"]
    sums = dict.fromkeys(
        [
            "total",
            "covered",
            "two",
            "straight",
            "low",
            "high",
            "off",
            *k["services"],
            *k["times"],
            5,
            10,
            15,
            20,
        ],
        0.0,
    )
    nearest = []
    for r in rows:
        w, times = demand["weight"][r], list(dense[r])
        best = min(times, default=math.inf)
        nearest.append((best, w))
        sums["total"] += w
        sums["covered"] += w * (best <= LIMIT_S)
        sums["two"] += w * (sum(t <= LIMIT_S for t in times) >= 2)
        sums["low"] += w * (best / 0.9 <= LIMIT_S)
        sums["high"] += w * (best / 1.1 <= LIMIT_S)
        sums["off"] += w * (snap.edge[r] < 0 or snap.access_m[r] > 200)
        sums["straight"] += w * any(
            haversine_m(demand["lon"][r], demand["lat"][r], s.lon, s.lat) <= STRAIGHT_M
            for s in stations.itertuples()
        )
        for s in k["services"]:
            sums[s] += w * any(t <= LIMIT_S and s in stations["services"][j] for j, t in enumerate(times))
        for i, s in enumerate(k["times"]):
            sums[s] += w * any(t <= LIMIT_S and k["open_at"][j, i] for j, t in enumerate(times))
        for m in (5, 10, 15, 20):
            sums[m] += w * (best <= m * 60)
    median = slow_median(nearest)
    share = {key: v / sums["total"] if sums["total"] else 0.0 for key, v in sums.items()}
    return {
        "total": sums["total"],
        "covered": sums["covered"],
        "share": share["covered"],
        "share_by_minutes": {str(m): share[m] for m in (5, 10, 15, 20)},
        "share_two_or_more": share["two"],
        "share_straight_line": share["straight"],
        "median_minutes": median / 60 if math.isfinite(median) else None,
        "share_by_service": {s: share[s] for s in k["services"]},
        "share_by_time": {t: share[t] for t in k["times"]},
        "share_range": [share["low"], share["high"]],
        "off_network_share": share["off"],
    }


def assert_same(found, wanted):
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        if isinstance(value, dict):
            assert list(found[key]) == list(value)
            assert list(found[key].values()) == pytest.approx(list(value.values()), abs=1e-9), key
        elif value is None:
            assert found[key] is None
        else:
            assert found[key] == pytest.approx(value, abs=1e-9), key


sizes = st.tuples(st.integers(1, 25), st.integers(0, 7), st.integers(0, 10**6))


@settings(deadline=None, max_examples=60)
@given(sizes)
def test_every_figure_agrees_with_a_plain_loop(size):
    k, dense = case(*size)
    result = cover(**k)
    layer = k["demand"]["layer"]
    assert list(result.layers) == list(dict.fromkeys(layer))
    for name, block in result.layers.items():
        assert_same(block, slow_figures(k, dense, np.flatnonzero(layer == name)))
    table = result.demand
    for r in range(len(table)):
        best = min(dense[r], default=math.inf)
        assert table["seconds"][r] == best
        assert table["nearest"][r] == (list(dense[r]).index(best) if math.isfinite(best) else -1)
        assert table["stations_within"][r] == sum(t <= LIMIT_S for t in dense[r])
        assert table["covered"][r] == (best <= LIMIT_S)


@settings(deadline=None, max_examples=60)
@given(sizes)
def test_communities_and_streets_agree_with_a_plain_loop(size):
    k, dense = case(*size)
    result = cover(**k)
    demand, areas = k["demand"], k["communities"]
    main = demand["layer"] == ("residents" if "residents" in set(demand["layer"]) else demand["layer"][0])
    inside = demand["community"].to_numpy()
    street = np.array([*areas["street"], ""])[inside]
    rows_of = [
        *(
            (row, np.flatnonzero(main & (inside == c)))
            for c, row in enumerate(result.communities.to_dict("records"))
        ),
        *(
            (row, np.flatnonzero(main & (street == row["street"])))
            for row in result.streets.to_dict("records")
        ),
    ]
    assert list(result.streets["street"]) == sorted(set(areas["street"]))
    assert set(result.communities) - set(result.streets) == {"community_id", "name"}
    for row, rows in rows_of:
        wanted = slow_figures(k, dense, rows)
        empty = wanted["total"] == 0
        assert row["population"] == pytest.approx(wanted["total"])
        assert row["covered_people"] == pytest.approx(wanted["covered"])
        shares = {
            "share": wanted["share"],
            "share_straight": wanted["share_straight_line"],
            **{f"share_{s}": v for s, v in wanted["share_by_service"].items()},
            **{f"share@{t}": v for t, v in wanted["share_by_time"].items()},
        }
        for key, value in shares.items():
            assert row[key] == pytest.approx(math.nan if empty else value, nan_ok=True, abs=1e-9)
        median = wanted["median_minutes"]
        assert row["median_minutes"] == pytest.approx(math.nan if median is None else median, nan_ok=True)
        people = dict.fromkeys(range(len(k["stations"])), 0.0)
        for r in rows:
            if len(people) and math.isfinite(dense[r].min()):
                people[int(dense[r].argmin())] += demand["weight"][r]
        most = max(people, key=lambda j: (people[j], -j), default=None)
        assert row["nearest_station"] == ("" if most is None or people[most] == 0 else f"站{most}")


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_conservation_and_order_of_the_figures(size):
    k, _dense = case(*size)
    result = cover(**k)
    for block in result.layers.values():
        assert block["share_two_or_more"] <= block["share"] + 1e-12
        low, high = block["share_range"]
        assert low - 1e-12 <= block["share"] <= high + 1e-12
        steps = list(block["share_by_minutes"].values())
        assert steps == sorted(steps)
        for part in (*block["share_by_service"].values(), *block["share_by_time"].values()):
            assert part <= block["share"] + 1e-12
    layer = "residents" if "residents" in result.layers else next(iter(result.layers))
    outside = result.demand.query("layer == @layer and community < 0")
    for column, whole, flag in (
        ("population", "total", 1),
        ("covered_people", "covered", outside["covered"]),
    ):
        rest = float((outside["weight"] * flag).sum())
        for table in (result.communities, result.streets):
            assert table[column].sum() + rest == pytest.approx(result.layers[layer][whole])


def shares_of(result):
    for layer, block in result.layers.items():
        for key, value in block.items():
            if key in {"share", "share_two_or_more", "share_straight_line", "covered"}:
                yield (layer, key), value
            elif key in {"share_by_minutes", "share_by_service", "share_by_time"}:
                yield from (((layer, key, k), v) for k, v in value.items())
            elif key == "share_range":
                yield from (((layer, key, i), v) for i, v in enumerate(value))


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_a_further_station_never_lowers_a_share(size):
    points, places, seed = size
    k, dense = case(points, places + 1, seed)
    fewer = {
        **k,
        "times_matrix": sparse(dense[:, :-1]),
        "stations": k["stations"][:-1],
        "station_snap": linked(places),
        "open_at": k["open_at"][:-1],
    }
    before, after = dict(shares_of(cover(**fewer))), dict(shares_of(cover(**k)))
    assert before.keys() == after.keys()
    assert all(after[key] >= before[key] - 1e-12 for key in before)


@settings(deadline=None, max_examples=40)
@given(sizes, st.floats(0, 1.0))
def test_a_longer_limit_never_lowers_a_share(size, part):
    k, _dense = case(*size)
    k["minutes"] = ()
    shorter = dict(shares_of(cover(**{**k, "limit_s": LIMIT_S * part})))
    longer = dict(shares_of(cover(**k)))
    common = shorter.keys() & longer.keys()
    assert all(longer[key] >= shorter[key] - 1e-12 for key in common)


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_week_table_agrees_with_a_plain_loop(size):
    k, dense = case(*size)
    rng = np.random.default_rng(size[2])
    open_week = np.repeat(rng.random((len(k["stations"]), 24)) < 0.5, 7, axis=1)
    offers = rng.random((len(k["stations"]), 3)) < 0.5
    table = week_table(k["times_matrix"], open_week, offers, k["demand"], LIMIT_S)
    layers = list(dict.fromkeys(k["demand"]["layer"]))
    assert table.shape == (len(layers), 4, 168)
    for i, layer in enumerate(layers):
        rows = np.flatnonzero(k["demand"]["layer"] == layer)
        total = k["demand"]["weight"][rows].sum()
        for hour in (0, 6, 7, 100, 167):
            for service in range(4):
                counts = open_week[:, hour] & (offers[:, service - 1] if service else True)
                reached = [r for r in rows if any((dense[r] <= LIMIT_S) & counts)]
                covered = k["demand"]["weight"][reached].sum()
                assert table[i, service, hour] == pytest.approx(covered / total if total else 0.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=12))
def test_weighted_median_agrees_with_trying_every_value(pairs):
    values, weights = [float(v) for v, _ in pairs], [float(w) for _, w in pairs]
    assert weighted_median(values, weights) == slow_median(list(zip(values, weights, strict=True)))


def test_half_beyond_the_matrix_has_a_median_and_more_than_half_has_none():
    k, _dense = case(4, 1, 0)
    k["demand"] = k["demand"].assign(layer="residents", weight=1.0, community=-1)
    block = cover(**{**k, "times_matrix": sparse(np.array([[60.0], [120.0], [np.inf], [np.inf]]))}).layers[
        "residents"
    ]
    assert block["median_minutes"] == 2.0
    block = cover(**{**k, "times_matrix": sparse(np.array([[60.0], [np.inf], [np.inf], [np.inf]]))}).layers[
        "residents"
    ]
    assert block["median_minutes"] is None


def test_minute_keys_are_plain_and_20_needs_a_matrix_that_reaches_it():
    k, _dense = case(5, 2, 1)
    k["minutes"] = (5, 7.5, 15.0)
    assert list(cover(**k).layers["residents"]["share_by_minutes"]) == ["5", "7.5", "15", "20"]
    k["matrix_limit_s"] = 1100.0
    assert list(cover(**k).layers["residents"]["share_by_minutes"]) == ["5", "7.5", "15"]


def test_no_communities_no_stations_no_demand():
    k, _dense = case(6, 0, 2)
    k["communities"] = k["communities"][:0]
    k["demand"]["community"] = -1
    result = cover(**k)
    assert len(result.communities) == len(result.streets) == 0
    assert {b["covered"] for b in result.layers.values()} == {0.0}
    assert np.isinf(result.demand["straight_m"]).all()
    nobody = {
        **k,
        "demand": k["demand"][:0],
        "demand_snap": linked(0),
        "times_matrix": sparse(np.zeros((0, 0))),
    }
    assert cover(**nobody).layers == {}


def test_the_tables_given_are_left_alone():
    k, _dense = case(9, 3, 5)
    demand, stations = k["demand"].copy(), k["stations"].copy()
    cover(**k)
    pd.testing.assert_frame_equal(demand, k["demand"])
    pd.testing.assert_frame_equal(stations, k["stations"])


def test_all_that_does_not_fit_is_said_at_once():
    k, _dense = case(4, 2, 3)
    wrong = {
        **k,
        "matrix_limit_s": 950.0,
        "minutes": (5, 20),
        "open_at": k["open_at"][:1],
        "demand_snap": linked(3),
        "straight_limit_m": math.nan,
    }
    with pytest.raises(InputError) as caught:
        cover(**wrong)
    assert {d.key for d in caught.value.defects} == {
        "demand_snap", "open_at", "limit_s", "minutes[1]", "straight_limit_m",
    }  # fmt: skip
    with pytest.raises(InputError):
        week_table(
            k["times_matrix"], np.ones((2, 24), dtype=bool), np.ones((2, 1), dtype=bool), k["demand"], LIMIT_S
        )

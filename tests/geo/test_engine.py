"""The page's own travel times: the same numbers as the analysis, whatever is asked of it."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from geo import coverage, travel_times
from geo.models import Movement, Turns, no_chains, no_turns
from geo.redmap import payload
from geo.redmap.codec import mercator
from geo.redmap.engine import pack_engine
from tests.conftest import ROOT
from tests.toy import grid_network, lonlat, toy_chains

LIMITS_S = (300.0, 900.0, 1320.0)
FAR_S = 3600.0


@pytest.fixture(scope="module")
def node():
    path = shutil.which("node") or shutil.which("nodejs")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Node is not installed")
        pytest.skip("Node is not installed")
    return path


def test_the_engine_passes_its_own_tests(node):
    done = subprocess.run(
        [node, "--test", *map(str, sorted((ROOT / "tests" / "js").glob("*.test.cjs")))],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "# pass 10" in done.stdout or "ℹ pass 10" in done.stdout


def compute(node, folder, result, cases):
    header, packed = payload._engine(result)
    return header, packed, asked(node, folder, header, packed, cases)


def asked(node, folder, header, packed, cases):
    """What the page computes from its header and its blob."""
    (folder / "head.json").write_text(json.dumps(header))
    (folder / "engine.bin").write_bytes(gzip.decompress(base64.b64decode(packed.data)))
    (folder / "cases.json").write_text(json.dumps(cases))
    files = [str(folder / name) for name in ("head.json", "engine.bin", "cases.json")]
    done = subprocess.run(
        [node, str(ROOT / "tests" / "js" / "compare.cjs"), *files],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


def grid(result):
    """Every mode × limit × choice of stations: all, those with a toilet, those open at night, three of them."""
    stations = result.inputs.stations
    night = np.array([bool(h) and "24/7" in str(h) for h in stations["hours"]])
    toilet = np.array(["toilet" in s for s in stations["services"]])
    few = np.zeros(len(stations), dtype=bool)
    few[[0, len(stations) // 2, -1]] = True
    return [
        {"mode": mode, "limit": limit, "far": FAR_S, "on": on.astype(int).tolist()}
        for mode in range(len(result.moves))
        for limit in LIMITS_S
        for on in (np.ones(len(stations), dtype=bool), toilet, night, few)
    ]


def in_page_order(result, points, origin):
    """Row of the demand for each point of the page: by layer and place, each of which must be there."""
    demand = result.inputs.demand
    layers = list(dict.fromkeys(demand["layer"]))
    xy = mercator(demand["lon"].to_numpy(), demand["lat"].to_numpy()) - origin
    key = np.round(xy / 0.1).astype(np.int64)
    there = np.round(np.column_stack((points["lon"], points["lat"])) / 0.1).astype(np.int64)
    lay = np.array([layers.index(name) for name in demand["layer"]])
    weight = np.round(demand["weight"].to_numpy() * 1000).astype(np.int64)
    mine = np.lexsort((weight, key[:, 1], key[:, 0], lay))
    theirs = np.lexsort(
        (np.round(np.array(points["weight"]) * 1000), there[:, 1], there[:, 0], points["layer"])
    )
    rows = np.empty(len(mine), dtype=np.int64)
    rows[theirs] = mine
    np.testing.assert_array_equal(key[rows], there)
    np.testing.assert_array_equal(lay[rows], points["layer"])
    return rows


def agree(result, node, folder):
    cases = grid(result)
    header, packed, told = compute(node, folder, result, cases)
    rows = in_page_order(result, told["points"], np.array([packed.origin_x_m, packed.origin_y_m]))
    demand = result.inputs.demand
    np.testing.assert_array_equal(demand["community"].to_numpy()[rows], told["points"]["community"])
    weight = demand["weight"].to_numpy(dtype=float)
    assert [m["mode"] for m in header["modes"]] == [m.mode for m in result.moves]
    layers = list(dict.fromkeys(demand["layer"]))
    for case, out in zip(cases, told["cases"], strict=True):
        move = result.moves[case["mode"]]
        on = np.array(case["on"], dtype=bool)
        open_now = replace(move.stations, edge=np.where(on, move.stations.edge, -1).astype(np.int32))
        router = travel_times.Router(
            result.network, mode=move.mode, access_speed_kmh=move.access_speed_kmh, signal_wait_s=move.wait_s,
            speed_kmh=result.standard["speed_kmh"] if case["mode"] == 0 else None,
        )  # fmt: skip
        want = router.nearest(open_now, move.demand, limit_s=FAR_S).seconds[rows]
        got = np.array([np.inf if s is None else s for s in out["seconds"]])
        reached = np.isfinite(want) & np.isfinite(got)
        assert (np.isfinite(want) == np.isfinite(got)).all() or np.abs(want[~reached]).min() > FAR_S - 0.1
        np.testing.assert_allclose(got[reached], want[reached], atol=0.05)  # lengths are whole millimetres
        assert ((got <= case["limit"]) == (want <= case["limit"])).all()
        two = np.diff(router.matrix(open_now, move.demand, limit_s=case["limit"]).transposed().indptr) >= 2
        for i, layer in enumerate(layers):
            of = (demand["layer"] == layer).to_numpy()
            seconds = np.full(len(rows), np.inf)
            seconds[rows] = want
            block = out["layers"][i]
            assert block["covered"] == pytest.approx(weight[of & (seconds <= case["limit"])].sum(), abs=0.5)
            assert block["two"] == pytest.approx(weight[of & two].sum(), abs=0.5)
            median = coverage.weighted_median(seconds[of], weight[of])
            if np.isfinite(median):
                assert block["median"] == pytest.approx(median / 60, abs=1e-3)
            else:
                assert block["median"] is None


@pytest.mark.slow
def test_the_sample_page_computes_what_the_analysis_does(sample_result, node, tmp_path):
    assert [move.mode for move in sample_result.moves] == ["walk", "ebike", "bike", "drive"]
    agree(sample_result, node, tmp_path)


@pytest.mark.slow
def test_the_wuhan_page_computes_what_the_analysis_does(wuhan, node, tmp_path):
    agree(wuhan, node, tmp_path)


def test_a_page_of_banned_turns_computes_what_the_analysis_does(node, tmp_path):
    rng = np.random.default_rng(5)
    size, spacing_m = 9, 120.0
    network = grid_network(
        size, size, spacing_m, oneway=rng.choice(144, 30, replace=False).tolist(), signals=range(0, 81, 7)
    )
    flip = rng.random(144) < 0.5  # edges run either way on the page
    network = replace(network, banned_turns=Turns(*np.array([some_way(network, rng, 2) for _ in range(150)], dtype=np.int32).T),
                      banned_chains=toy_chains([some_way(network, rng, int(rng.integers(3, 6))) for _ in range(250)]))  # fmt: skip
    network = turned_round(network, flip)
    far_m = size * spacing_m
    moves, points = [], lonlat(rng.uniform(-20, far_m, (400, 2)))
    stations = travel_times.snap(network, *lonlat(rng.uniform(0, far_m, (6, 2))), mode="drive")
    for mode in ("drive", "walk"):
        costs = travel_times.edge_costs(network, mode=mode, speed_kmh=None, signal_wait_s=20.0)
        demand = travel_times.snap(network, *points, mode=mode)
        moves.append(
            Movement(
                mode, costs.forward_s_per_m, costs.backward_s_per_m, 4.0, 20.0, stations, demand, stations
            )
        )
    header, packed = pack_engine(
        network, moves, lon=points[0], lat=points[1], weight=np.ones(400), layer=np.zeros(400, dtype=np.int64),
        layers=["residents"], community=np.arange(400),
    )  # fmt: skip
    assert header["modes"][0]["turns"]["copies"] > 400
    assert header["modes"][1]["turns"] is None
    cases = [
        {"mode": mode, "limit": 300.0, "far": FAR_S, "on": on}
        for mode in (0, 1)
        for on in ([1] * 6, [0, 0, 1, 0, 0, 1])
    ]
    told = asked(node, tmp_path, header, packed, cases)
    order = np.array(told["points"]["community"])
    np.testing.assert_array_equal(np.sort(order), np.arange(400))
    free = replace(network, banned_turns=no_turns(), banned_chains=no_chains())
    for case, out in zip(cases, told["cases"], strict=True):
        move, on = moves[case["mode"]], np.array(case["on"], dtype=bool)
        some = replace(move.stations, edge=np.where(on, move.stations.edge, -1).astype(np.int32))
        want, freely = (
            travel_times.Router(net, mode=move.mode, signal_wait_s=20.0)
            .nearest(some, move.demand, limit_s=FAR_S)
            .seconds
            for net in (network, free)
        )
        got = np.array([np.inf if s is None else s for s in out["seconds"]])
        np.testing.assert_allclose(got, want[order], atol=0.05)
        assert ((want > freely + 1.0).sum() > 40) == (move.mode == "drive")


def some_way(network, rng, size):
    """A way over edges as one may drive: edge, node, edge …"""
    edge = int(rng.integers(network.edge_count))
    node, way = int(network.edge_v[edge]), [edge]
    for _ in range(size - 1):
        ends = np.flatnonzero((network.edge_u == node) | (network.edge_v == node))
        way += [node, int(rng.choice(ends[ends != edge]))]
        edge = way[-1]
        node = int(network.edge_u[edge] + network.edge_v[edge] - node)
    return way


def turned_round(network, flip):
    """The same network, some of its edges written from the other end."""
    u, v = np.where(flip, network.edge_v, network.edge_u), np.where(flip, network.edge_u, network.edge_v)
    lon, lat = network.node_lon[np.column_stack((u, v))], network.node_lat[np.column_stack((u, v))]
    forth, back = network.speed_forward_kmh, network.speed_backward_kmh
    return replace(
        network, edge_u=u, edge_v=v, geometry=replace(network.geometry, lon=lon.ravel(), lat=lat.ravel()),
        speed_forward_kmh={m: np.where(flip, back[m], forth[m]) for m in forth},
        speed_backward_kmh={m: np.where(flip, forth[m], back[m]) for m in forth},
    )  # fmt: skip


def test_the_graph_stands_in_the_page_once_and_within_its_budget(sample_out):
    html = (sample_out / "map.html").read_text(encoding="utf-8")
    assert len(html.encode()) <= 1_000_000
    assert html.count('id="layer-engine"') == 1
    assert 'id="layer-engine"' not in (sample_out / "public.html").read_text(encoding="utf-8")


def test_hours_of_the_week_are_those_of_the_analysis(sample_result):
    from geo import intake

    values, _ = payload.planner(sample_result)
    open_at = intake.open_at(list(sample_result.inputs.stations["hours"]), payload.WEEK)
    for station, hours, row in zip(
        values["stations"], sample_result.inputs.stations["hours"], open_at, strict=True
    ):
        if not isinstance(hours, str):
            assert station["week"] == ""
            continue
        bits = "".join(f"{int(digit, 16):04b}" for digit in station["week"])
        assert bits == "".join("1" if o else "0" for o in row)

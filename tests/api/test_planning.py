"""What a planner asks of the service: the gaps that a scenario leaves, and where next."""

from __future__ import annotations

import json
import re

import pytest
from shapely.geometry import shape

from geo.config import SitingSection


def test_a_scenario_tells_the_gaps_it_leaves(client_of, loaded):
    client = client_of()
    ids = [str(one) for one in loaded.result.inputs.stations["station_id"][:3]]
    nothing = client.post("/studies/sample/scenario", json={"gaps": True}).json()
    closed = client.post("/studies/sample/scenario", json={"close": ids, "gaps": True}).json()
    for told in (nothing, closed):
        assert sum(f["properties"]["people"] for f in told["gaps"]["features"]) == pytest.approx(
            told["uncovered"]
        )
        assert all(shape(f["geometry"]).is_valid for f in told["gaps"]["features"])
    assert closed["uncovered"] > nothing["uncovered"]
    names = [f["properties"]["name_zh"] for f in nothing["gaps"]["features"]]
    assert names == list(loaded.result.gaps["name_zh"])
    assert "gaps" not in client.post("/studies/sample/scenario", json={}).json()


def test_recommendations_answer_other_wishes_than_the_study(client_of, loaded):
    client = client_of()
    told = client.post("/studies/sample/recommendations", json={"add": 2})
    assert told.headers["content-type"] == "application/geo+json"
    body = told.json()
    expected = loaded.session.recommendations(SitingSection(add=2))
    assert [f["properties"]["venue_id"] for f in body["features"]] == list(expected.sites["venue_id"])
    assert body["plan"]["covered_after"] == pytest.approx(expected.covered[1])
    assert body["plan"]["status"] == "optimal"
    refused = [f["properties"]["venue_id"] for f in body["features"]]
    other = client.post("/studies/sample/recommendations", json={"add": 2, "refuse": refused}).json()
    assert not set(refused) & {f["properties"]["venue_id"] for f in other["features"]}
    for wrong in ({"add": -1}, {"close": 1, "move": 1}, {"refuse": ["nowhere"]}, {"unknown": 1}):
        answer = client.post("/studies/sample/recommendations", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["defects"]


@pytest.mark.parametrize(
    "ask", [{"goal": "share", "share": 1.0}, {"goal": "worst"}, {"add": 2, "stages": 3, "alternatives": 2}]
)
def test_every_plan_is_json(client_of, ask):
    answer = client_of().post("/studies/sample/recommendations", json=ask)
    assert answer.status_code == 200
    json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert not re.search("Traceback|numpy", answer.text)

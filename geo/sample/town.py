"""The whole plan in order: main roads, quarters, blocks, countryside, joined into one network."""

from __future__ import annotations

import random
from dataclasses import dataclass

from geo.sample import names
from geo.sample.blocks import add_outlines, add_quarters
from geo.sample.compounds import fill_blocks
from geo.sample.layout import MAINS, District, Plan, draw
from geo.sample.mains import add_mains
from geo.sample.noding import join
from geo.sample.villages import add_villages


@dataclass(frozen=True, slots=True)
class Town:
    """The finished plan."""

    plan: Plan
    district: District


def build_town(rng: random.Random) -> Town:
    """Draw the district; the same state of ``rng`` draws the same district."""
    plan, district = draw(), District()
    stems = names.road_names(rng, {name[:2] for name, _kind, _points in MAINS})
    plan = add_mains(plan, district)
    add_outlines(plan, district)
    blocks = add_quarters(plan, district, stems, rng)
    fill_blocks(plan, district, blocks, names.compound_names(rng), rng)
    add_villages(plan, district, names.village_names(rng), rng)
    district.ways[:] = join(district.ways)
    return Town(plan, district)

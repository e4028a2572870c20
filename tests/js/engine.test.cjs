// The page's engine against slow oracles; run by `node --test tests/js`.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { makeEngine } = require(path.join(__dirname, '../../geo/redmap/assets/engine.js'));
const { makeGrouping } = require(path.join(__dirname, '../../geo/redmap/assets/grouping.js'));
const engine = makeEngine(), { groups, makeWalls } = makeGrouping();

const random = (seed) => () => { seed = (seed * 1664525 + 1013904223) >>> 0; return seed / 2 ** 32; };

/** A random town: nodes on a plane, edges with one-ways, lights, points and stations along edges. */
const town = (seed, n = 40, m = 90, k = 60, stations = 7) => {
  const next = random(seed), pick = (top) => Math.floor(next() * top);
  const x = Int32Array.from({ length: n }, () => pick(2000)), y = Int32Array.from({ length: n }, () => pick(2000));
  const u = new Int32Array(m), v = new Int32Array(m), length = new Float64Array(m), forward = new Float64Array(m), backward = new Float64Array(m);
  for (let e = 0; e < m; e++) {
    u[e] = pick(n); v[e] = pick(n);
    length[e] = Math.round(1000 * (1 + next() * 300)) / 1000;
    const way = next();
    forward[e] = way < .12 ? Infinity : .9;
    backward[e] = way > .88 ? Infinity : .9;
  }
  const place = () => { const edge = next() < .05 ? -1 : pick(m); return { edge, offset: edge < 0 ? 0 : Math.round(next() * length[edge] * 1000) / 1000, access: Math.round(next() * 40000) / 1000 }; };
  const points = Array.from({ length: k }, place);
  const mode = { mode: 'walk', places: engine.plain(n, u, v), forward, backward, access: .9, wait: seed % 3 ? 0 : 20, stations: Array.from({ length: stations }, place), sites: [], graph: null,
    points: { edge: Int32Array.from(points, (p) => p.edge), offset: Float64Array.from(points, (p) => p.offset), access: Float64Array.from(points, (p) => p.access) } };
  return { n, m, k, x, y, u, v, length, signal: Uint8Array.from({ length: n }, () => (next() < .2 ? 1 : 0)), modes: [mode], community: new Int32Array(k).map(() => pick(4) - 1), weight: Float64Array.from({ length: k }, () => pick(50)),
    px: new Float64Array(k).map(() => next() * 5000), py: new Float64Array(k).map(() => next() * 5000), layer: new Uint8Array(k), layers: ['residents'] };
};

/** Seconds from a point to a station by relaxing all arcs over and over: slow, and hard to get wrong. */
const slow = (model, from, to) => {
  const mode = model.modes[0], half = mode.wait / 2, cost = new Float64Array(model.n).fill(Infinity);
  if (from.edge < 0 || to.edge < 0) return Infinity;
  const part = (metres, sPerM) => (metres <= 1e-6 ? 0 : metres * sPerM);
  const leave = (node, s) => { cost[node] = Math.min(cost[node], s + half * model.signal[node]); };
  leave(model.u[from.edge], part(from.offset, mode.backward[from.edge]));
  leave(model.v[from.edge], part(model.length[from.edge] - from.offset, mode.forward[from.edge]));
  for (let round = 0; round < model.n; round++) {
    for (let e = 0; e < model.m; e++) {
      const a = model.u[e], b = model.v[e], wait = half * (model.signal[a] + model.signal[b]);
      cost[b] = Math.min(cost[b], cost[a] + model.length[e] * mode.forward[e] + wait);
      cost[a] = Math.min(cost[a], cost[b] + model.length[e] * mode.backward[e] + wait);
    }
  }
  const arrive = (node, s) => cost[node] + half * model.signal[node] + s;
  let best = Math.min(arrive(model.u[to.edge], part(to.offset, mode.forward[to.edge])), arrive(model.v[to.edge], part(model.length[to.edge] - to.offset, mode.backward[to.edge])));
  if (from.edge === to.edge) best = Math.min(best, part(Math.abs(to.offset - from.offset), to.offset >= from.offset ? mode.forward[to.edge] : mode.backward[to.edge]));
  return best + (from.access + to.access) * mode.access;
};
const same = (a, b) => (a === b) || Math.abs(a - b) < 1e-6;

test('every point has the time of its nearest and second nearest station', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const model = town(seed), mode = model.modes[0], sources = mode.stations, limit = seed % 2 ? 400 : 5000;
    const found = engine.atPoints(model, mode, sources, engine.field(model, mode, sources, limit, 2), limit, 2);
    for (let i = 0; i < model.k; i++) {
      const from = { edge: mode.points.edge[i], offset: mode.points.offset[i], access: mode.points.access[i] };
      const all = sources.map((s) => slow(model, from, s)).map((s) => (s <= limit ? s : Infinity)).sort((a, b) => a - b);
      assert.ok(same(found.seconds[0][i], all[0]), `seed ${seed} point ${i}: ${found.seconds[0][i]} for ${all[0]}`);
      assert.ok(same(found.seconds[1][i], all[1]), `seed ${seed} point ${i}, second: ${found.seconds[1][i]} for ${all[1]}`);
    }
  }
});

test('people with two stations in reach are counted within the limit, however far the search goes', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const model = town(seed), { points, stations } = model.modes[0], limit = 300;
    const [layer] = engine.figures(model, { mode: 0, limit, sources: stations, minutes: [2, 10], far: 1500 }).layers, want = { two: 0, within: [0, 0], seconds: [] };
    for (let i = 0; i < model.k; i++) {
      const all = stations.map((s) => slow(model, { edge: points.edge[i], offset: points.offset[i], access: points.access[i] }, s)).sort((a, b) => a - b);
      if (all[1] <= limit) want.two += model.weight[i];
      [120, 600].forEach((s, j) => { if (all[0] <= s) want.within[j] += model.weight[i]; });
      for (let w = 0; w < model.weight[i]; w++) want.seconds.push(all[0] <= 1500 ? all[0] : Infinity);
    }
    assert.strictEqual(layer.two, want.two, `seed ${seed}`);
    assert.deepStrictEqual(layer.within, want.within);
    const middle = want.seconds.sort((a, b) => (a === b ? 0 : a - b))[Math.ceil(want.seconds.length / 2) - 1];
    assert.ok(same(layer.median === null ? Infinity : layer.median * 60, middle), `seed ${seed}: ${layer.median * 60} for ${middle}`);
  }
});

test('more stations, more minutes never cover less', () => {
  for (let seed = 50; seed < 70; seed++) {
    const model = town(seed), sources = model.modes[0].stations;
    const covered = (some, limit) => engine.figures(model, { mode: 0, limit, sources: some, minutes: [5], far: 0 }).layers[0].covered;
    let last = 0;
    for (let many = 0; many <= sources.length; many++) {
      const now = covered(sources.map((s, i) => (i < many ? s : null)), 600);
      assert.ok(now >= last);
      last = now;
    }
    assert.ok(covered(sources, 900) >= covered(sources, 300));
  }
});

test('communities add up to the layer, and a set of hours is the sum of its choice', () => {
  const model = town(7), sources = model.modes[0].stations, out = engine.figures(model, { mode: 0, limit: 500, sources, minutes: [5], far: 0 });
  const sum = (key) => out.communities.reduce((s, c) => s + c[key], 0);
  assert.ok(same(sum('total'), out.layers[0].total));
  assert.ok(same(sum('covered'), out.layers[0].covered));
  assert.deepStrictEqual(engine.coveredBy(model, { mode: 0, limit: 500, sets: [sources, sources.map(() => null)] }).map((c) => c[0]), [out.layers[0].covered, 0]);
});

test('groups hold each row once, and rows within reach of each other stand together', () => {
  const model = town(9, 40, 90, 200), rows = Array.from({ length: 200 }, (_, i) => i).filter((i) => i % 3), found = groups(model, rows, 300);
  assert.deepStrictEqual(found.flatMap((g) => g.rows).sort((a, b) => a - b), rows);
  const of = new Map(found.flatMap((g, i) => g.rows.map((row) => [row, i])));
  for (const a of rows) for (const b of rows) if (Math.hypot(model.px[a] - model.px[b], model.py[a] - model.py[b]) <= 300) assert.strictEqual(of.get(a), of.get(b));
  for (let i = 1; i < found.length; i++) assert.ok(found[i - 1].people >= found[i].people);
});

test('a wall between parts a group, one beside it does not', () => {
  const cross = (a, b, c, d) => { // where two lines meet, by their parameters
    const r = [b[0] - a[0], b[1] - a[1]], s = [d[0] - c[0], d[1] - c[1]], q = [c[0] - a[0], c[1] - a[1]], n = r[0] * s[1] - r[1] * s[0], t = (q[0] * s[1] - q[1] * s[0]) / n, u = (q[0] * r[1] - q[1] * r[0]) / n;
    return t >= 0 && t <= 1 && u >= 0 && u <= 1;
  };
  for (let seed = 1; seed <= 10; seed++) {
    const model = town(seed, 40, 90, 150), next = random(seed + 99), rows = Array.from({ length: 150 }, (_, i) => i), walls = Float64Array.from({ length: 4 * 12 }, () => next() * 5000);
    model.weight = model.weight.map((w) => w + 1); // one without people joins the nearest
    const of = rows.slice(), root = (i) => (of[i] === i ? i : root(of[i])), at = (i) => [model.px[i], model.py[i]];
    for (const a of rows) for (const b of rows) {
      if (a >= b || Math.hypot(model.px[a] - model.px[b], model.py[a] - model.py[b]) > 300) continue;
      let parted = false;
      for (let w = 0; w < walls.length; w += 4) parted = parted || cross(at(a), at(b), [walls[w], walls[w + 1]], [walls[w + 2], walls[w + 3]]);
      if (!parted) of[root(a)] = root(b);
    }
    const found = groups(model, rows, 300, makeWalls(walls, 300)), number = new Map(found.flatMap((g, i) => g.rows.map((row) => [row, i])));
    for (const a of rows) for (const b of rows) assert.strictEqual(number.get(a) === number.get(b), root(a) === root(b), `seed ${seed}: ${a} ${b}`);
    assert.ok(found.length > groups(model, rows, 300).length);
  }
});

test('a place is linked to the nearest way, measured along it', () => {
  const model = { m: 2, length: Float64Array.from([100, 50]), modes: [{ forward: Float64Array.from([.9, .9]), backward: Float64Array.from([.9, .9]) }],
    lines: { pointFrom: Int32Array.from([0, 3, 5]), xs: Int32Array.from([0, 25, 50, 0, 0]), ys: Int32Array.from([0, 0, 0, 40, 80]) } };
  const at = engine.snap(model, 0, 60, 10, 2, 1, 500); // grid of 2 m: the first way runs from 0 to 100 m
  assert.deepStrictEqual([at.edge, Math.round(at.offset), Math.round(at.access), at.x, at.y], [0, 60, 10, 60, 0]);
  assert.strictEqual(engine.snap(model, 0, 60, 5000, 2, 1, 500).edge, -1);
  model.modes[0].forward[0] = model.modes[0].backward[0] = Infinity;
  assert.strictEqual(engine.snap(model, 0, 60, 10, 2, 1, 500).edge, 1);
});

test('a great circle is that of the sphere', () => {
  assert.ok(Math.abs(engine.greatCircle([0, 0], [1, 0]) - 111195) < 1);
  assert.ok(Math.abs(engine.greatCircle([115.8, 32.8], [115.8, 33.8]) - 111195) < 1);
});

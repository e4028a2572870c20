/* engine.js: travel times in the page. Reads what geo/redmap/engine.py writes; no document, no network:
   the same code runs in a worker, in the page where workers are refused, and in Node's tests. */
'use strict';

/**
 * @typedef {{edge: number, offset: number, access: number}} Link  row of an edge (-1: none), metres
 * @typedef {{from: number, label: number}} Nearest
 */
function makeEngine() {
  const FAR = Infinity;

  /** Every varint of a blob, in order. */
  const reader = (bytes) => {
    let at = 0;
    const next = () => {
      let value = 0, factor = 1, byte;
      do { byte = bytes[at++]; value += (byte & 127) * factor; factor *= 128; } while (byte > 127);
      return value;
    };
    return { next, step: () => { const v = next(); return v % 2 ? -(v + 1) / 2 : v / 2; } };
  };

  /** The graph and the demand of a study from the bytes (already unzipped) and their header. */
  const decode = (bytes, head) => {
    const { next, step } = reader(bytes), n = head.nodes, m = head.edges, k = head.points;
    const x = new Int32Array(n), y = new Int32Array(n);
    for (let i = 0, a = 0, b = 0; i < n; i++) { a += step(); b += step(); x[i] = a; y[i] = b; }
    const u = new Int32Array(m), v = new Int32Array(m), kind = new Uint8Array(m), length = new Float64Array(m);
    for (let e = 0, a = 0; e < m; e++) { a += next(); u[e] = a; }
    for (let e = 0; e < m; e++) v[e] = u[e] + next();
    for (let e = 0; e < m; e++) kind[e] = next();
    for (let e = 0; e < m; e++) length[e] = next() / 1000;
    const modes = head.modes.map((mode) => {
      const out = [new Float64Array(m), new Float64Array(m)];
      for (const costs of out) for (let e = 0; e < m; e++) { const row = next(); costs[e] = row ? mode.costs[row - 1] : FAR; }
      return { mode: mode.mode, forward: out[0], backward: out[1], access: mode.access, wait: mode.wait,
        stations: links(mode.stations, mode.access), sites: links(mode.sites, mode.access) };
    });
    const pointFrom = new Int32Array(m + 1), xs = [], ys = [];
    for (let e = 0; e < m; e++) {
      let a = x[u[e]], b = y[u[e]];
      xs.push(a); ys.push(b);
      for (let left = next(); left > 0; left--) { a += step(); b += step(); xs.push(a); ys.push(b); }
      xs.push(x[v[e]]); ys.push(y[v[e]]);
      pointFrom[e + 1] = xs.length;
    }
    const signal = new Uint8Array(n);
    for (let left = next(), at = 0; left > 0; left--) { at += next(); signal[at] = 1; }
    const community = new Int32Array(k), weight = new Float64Array(k), px = new Float64Array(k), py = new Float64Array(k), layer = new Uint8Array(k);
    for (let i = 0; i < k; i++) community[i] = next() - 1;
    for (let i = 0; i < k; i++) weight[i] = next() * head.weight;
    for (let i = 0, a = 0, b = 0; i < k; i++) { a += step(); b += step(); px[i] = a * head.fine; py[i] = b * head.fine; }
    for (let i = 0, l = 0, left = head.layers.length ? head.layers[0].count : 0; i < k; i++) { while (left === 0) left = head.layers[++l].count; layer[i] = l; left--; }
    modes.forEach((mode, which) => {
      const edge = new Int32Array(k), offset = new Float64Array(k), access = new Float64Array(k), first = modes[0].points;
      for (let i = 0, a = 0; i < k; i++) { if (which === 0) { a += step(); edge[i] = a - 1; } else edge[i] = first.edge[i] + step(); }
      for (let i = 0; i < k; i++) offset[i] = which === 0 ? next() / 1000 : (Math.round(first.offset[i] * 1000) + step()) / 1000;
      for (let i = 0; i < k; i++) access[i] = which === 0 ? next() / 1000 : (Math.round(first.access[i] * 1000) + step()) / 1000;
      mode.points = { edge, offset, access };
      mode.graph = null;
    });
    return { n, m, k, x, y, u, v, kind, length, signal, modes, community, weight, px, py, layer, layers: head.layers.map((l) => l.name),
      lines: { pointFrom, xs: Int32Array.from(xs), ys: Int32Array.from(ys) } };
  };
  const links = (rows) => rows.map(([edge, offset, access]) => ({ edge, offset: offset / 1000, access: access / 1000 }));

  /** Arcs of a mode as the search walks them: outwards from the stations, against the traffic. */
  const graphOf = (model, mode) => {
    if (mode.graph) return mode.graph;
    const { n, m, u, v, length, signal } = model, row = new Int32Array(n + 1), half = mode.wait / 2;
    for (let e = 0; e < m; e++) {
      if (u[e] === v[e]) continue;
      if (mode.backward[e] < FAR) row[u[e] + 1]++;
      if (mode.forward[e] < FAR) row[v[e] + 1]++;
    }
    for (let i = 0; i < n; i++) row[i + 1] += row[i];
    const fill = row.slice(), head = new Int32Array(row[n]), seconds = new Float64Array(row[n]);
    for (let e = 0; e < m; e++) {
      if (u[e] === v[e]) continue;
      const wait = half * (signal[u[e]] + signal[v[e]]);
      if (mode.backward[e] < FAR) { const at = fill[u[e]]++; head[at] = v[e]; seconds[at] = length[e] * mode.backward[e] + wait; }
      if (mode.forward[e] < FAR) { const at = fill[v[e]]++; head[at] = u[e]; seconds[at] = length[e] * mode.forward[e] + wait; }
    }
    mode.graph = { row, head, seconds };
    return mode.graph;
  };

  /* Part of an edge: nothing for no length, even against a one-way. */
  const part = (metres, sPerM) => metres <= 1e-6 ? 0 : metres * sPerM;
  /* Seconds from both ends of a point's edge; `out` says which way people go there. */
  const ends = (model, mode, link, out) => {
    const e = link.edge, half = mode.wait / 2, leg = link.access * mode.access, toU = out ? mode.backward[e] : mode.forward[e], toV = out ? mode.forward[e] : mode.backward[e];
    return [part(link.offset, toU) + half * model.signal[model.u[e]] + leg, part(model.length[e] - link.offset, toV) + half * model.signal[model.v[e]] + leg];
  };

  /** A binary heap of (seconds, node, label) in typed arrays. */
  const makeHeap = (room) => {
    let size = 0, key = new Float64Array(room), node = new Int32Array(room), label = new Int32Array(room);
    const grow = () => {
      const wider = (old, Kind) => { const next = new Kind(old.length * 2); next.set(old); return next; };
      key = wider(key, Float64Array); node = wider(node, Int32Array); label = wider(label, Int32Array);
    };
    const top = { s: 0, node: 0, label: 0 };
    return {
      push(s, i, l) {
        if (size === key.length) grow();
        let at = size++;
        while (at > 0) {
          const up = (at - 1) >> 1;
          if (key[up] <= s) break;
          key[at] = key[up]; node[at] = node[up]; label[at] = label[up];
          at = up;
        }
        key[at] = s; node[at] = i; label[at] = l;
      },
      pop() {
        if (size === 0) return null;
        top.s = key[0]; top.node = node[0]; top.label = label[0];
        const s = key[--size], i = node[size], l = label[size];
        let at = 0;
        for (;;) {
          let down = 2 * at + 1;
          if (down >= size) break;
          if (down + 1 < size && key[down + 1] < key[down]) down++;
          if (key[down] >= s) break;
          key[at] = key[down]; node[at] = node[down]; label[at] = label[down];
          at = down;
        }
        key[at] = s; node[at] = i; label[at] = l;
        return top;
      },
    };
  };

  /**
   * The nearest `ranks` different sources of every node within the limit.
   * @param {Link[]} sources  where a label is a row of this list; unlinked ones reach nothing
   * @returns {{seconds: Float64Array[], label: Int32Array[]}} per rank one item a node
   */
  const field = (model, mode, sources, limit, ranks) => {
    const { row, head, seconds } = graphOf(model, mode), { n, u, v } = model;
    const best = Array.from({ length: ranks }, () => new Float64Array(n).fill(FAR)), who = Array.from({ length: ranks }, () => new Int32Array(n).fill(-1));
    const heap = makeHeap(1024);
    sources.forEach((link, label) => {
      if (!link || link.edge < 0) return;
      const [su, sv] = ends(model, mode, link, false);
      if (su <= limit) heap.push(su, u[link.edge], label);
      if (sv <= limit) heap.push(sv, v[link.edge], label);
    });
    for (let item = heap.pop(); item; item = heap.pop()) {
      const { s, node, label } = item;
      let rank = 0;
      while (rank < ranks && who[rank][node] >= 0 && who[rank][node] !== label) rank++;
      if (rank === ranks || who[rank][node] === label) continue;
      best[rank][node] = s;
      who[rank][node] = label;
      for (let a = row[node]; a < row[node + 1]; a++) {
        const there = s + seconds[a], to = head[a];
        if (there > limit) continue;
        // the same source has been there already, or enough others have
        let seen = false, full = true;
        for (let r = 0; r < ranks; r++) { if (who[r][to] === label) seen = true; if (who[r][to] < 0) full = false; }
        if (!seen && !full) heap.push(there, to, label);
      }
    }
    return { seconds: best, label: who };
  };

  /**
   * Seconds of every point of the demand to its nearest `ranks` different sources, and which these are.
   * Both ends of a point's edge count, and so does the way straight along an edge shared with a source.
   */
  const atPoints = (model, mode, sources, reached, limit, ranks) => {
    const { k, u, v, signal } = model, { edge, offset, access } = mode.points, half = mode.wait / 2;
    const out = Array.from({ length: ranks }, () => new Float64Array(k).fill(FAR)), who = Array.from({ length: ranks }, () => new Int32Array(k).fill(-1));
    const shared = new Map();
    sources.forEach((link, label) => { if (link && link.edge >= 0) { if (!shared.has(link.edge)) shared.set(link.edge, []); shared.get(link.edge).push(label); } });
    const found = new Map();
    for (let i = 0; i < k; i++) {
      const e = edge[i];
      if (e < 0) continue;
      const leg = access[i] * mode.access, a = u[e], b = v[e];
      const fromU = part(offset[i], mode.backward[e]) + half * signal[a] + leg, fromV = part(model.length[e] - offset[i], mode.forward[e]) + half * signal[b] + leg;
      found.clear();
      const take = (label, s) => { if (s <= limit && (!found.has(label) || s < found.get(label))) found.set(label, s); };
      for (let r = 0; r < ranks; r++) {
        if (reached.label[r][a] >= 0) take(reached.label[r][a], reached.seconds[r][a] + fromU);
        if (reached.label[r][b] >= 0) take(reached.label[r][b], reached.seconds[r][b] + fromV);
      }
      for (const label of shared.get(e) || []) {
        const along = sources[label].offset - offset[i];
        take(label, part(Math.abs(along), along >= 0 ? mode.forward[e] : mode.backward[e]) + leg + sources[label].access * mode.access);
      }
      for (const [label, s] of found) {
        for (let r = 0; r < ranks; r++) {
          if (s < out[r][i] || (s === out[r][i] && label < who[r][i])) {
            for (let q = ranks - 1; q > r; q--) { out[q][i] = out[q - 1][i]; who[q][i] = who[q - 1][i]; }
            out[r][i] = s; who[r][i] = label;
            break;
          }
        }
      }
    }
    return { seconds: out, label: who };
  };

  /** Weighted median of minutes; null where most reach nothing. */
  const medianMinutes = (seconds, weight, rows) => {
    const order = rows.filter((i) => weight[i] > 0).sort((a, b) => seconds[a] - seconds[b]);
    let total = 0, run = 0;
    for (const i of order) total += weight[i];
    for (const i of order) { run += weight[i]; if (run >= total / 2) return seconds[i] < FAR ? seconds[i] / 60 : null; }
    return null;
  };

  /** Metres by great circle between Mercator places relative to the layer's origin. */
  const RADIUS = 6371008.7714, EARTH = 6378137;
  const lonLat = (x, y) => [x / EARTH * 180 / Math.PI, (2 * Math.atan(Math.exp(y / EARTH)) - Math.PI / 2) * 180 / Math.PI];
  const greatCircle = (a, b) => {
    const r = Math.PI / 180, s = Math.sin((b[1] - a[1]) * r / 2), t = Math.sin((b[0] - a[0]) * r / 2);
    return 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(s * s + Math.cos(a[1] * r) * Math.cos(b[1] * r) * t * t)));
  };

  /**
   * All that the page shows for one choice.
   * @param {{mode: number, limit: number, sources: (Link|null)[], minutes: number[], far: number}} ask  sources: null for one that does not count
   */
  const figures = (model, ask) => {
    const mode = model.modes[ask.mode], far = Math.max(ask.far || 0, ask.limit, ...ask.minutes.map((m) => m * 60));
    const reached = field(model, mode, ask.sources, far, 1), near = atPoints(model, mode, ask.sources, reached, far, 1);
    const two = atPoints(model, mode, ask.sources, field(model, mode, ask.sources, ask.limit, 2), ask.limit, 2);
    const seconds = near.seconds[0], layers = model.layers.map(() => ({ total: 0, covered: 0, two: 0, within: ask.minutes.map(() => 0), rows: [] }));
    const communities = new Map();
    for (let i = 0; i < model.k; i++) {
      const w = model.weight[i], one = layers[model.layer[i]], inTime = seconds[i] <= ask.limit;
      one.total += w;
      one.rows.push(i);
      if (inTime) one.covered += w;
      if (two.label[1][i] >= 0) one.two += w;
      ask.minutes.forEach((minutes, j) => { if (seconds[i] <= minutes * 60) one.within[j] += w; });
      const key = model.layer[i] * 1e6 + model.community[i];
      let c = communities.get(key);
      if (!c) { c = { layer: model.layer[i], community: model.community[i], total: 0, covered: 0, rows: [] }; communities.set(key, c); }
      c.total += w;
      c.rows.push(i);
      if (inTime) c.covered += w;
    }
    for (const block of layers) { block.median = medianMinutes(seconds, model.weight, block.rows); delete block.rows; }
    const rows = [...communities.values()];
    for (const block of rows) { block.median = medianMinutes(seconds, model.weight, block.rows); delete block.rows; }
    return { layers, communities: rows, seconds, label: near.label[0], nodes: reached.seconds[0] };
  };

  /** People covered of every layer for many sets of sources: what an hour-by-hour strip needs. */
  const coveredBy = (model, ask) => ask.sets.map((sources) => {
    const mode = model.modes[ask.mode], seconds = atPoints(model, mode, sources, field(model, mode, sources, ask.limit, 1), ask.limit, 1).seconds[0];
    const covered = model.layers.map(() => 0);
    for (let i = 0; i < model.k; i++) if (seconds[i] <= ask.limit) covered[model.layer[i]] += model.weight[i];
    return covered;
  });

  /** The nearest way that a mode may use to a place (Mercator metres from the origin), or edge -1 beyond `most` metres. */
  const snap = (model, modeRow, px, py, q, scale, most) => {
    const mode = model.modes[modeRow], { pointFrom, xs, ys } = model.lines, X = px / q, Y = py / q;
    let best = (most * scale / q) ** 2, edge = -1, ratio = 0, ax = 0, ay = 0;
    for (let e = 0; e < model.m; e++) {
      if (mode.forward[e] === FAR && mode.backward[e] === FAR) continue;
      for (let i = pointFrom[e] + 1; i < pointFrom[e + 1]; i++) {
        const x0 = xs[i - 1], y0 = ys[i - 1], dx = xs[i] - x0, dy = ys[i] - y0, d2 = dx * dx + dy * dy;
        const t = d2 > 0 ? Math.max(0, Math.min(1, ((X - x0) * dx + (Y - y0) * dy) / d2)) : 0;
        const ex = x0 + t * dx - X, ey = y0 + t * dy - Y, away = ex * ex + ey * ey;
        if (away < best) { best = away; edge = e; ax = x0 + t * dx; ay = y0 + t * dy; ratio = i - 1 + t; }
      }
    }
    if (edge < 0) return { edge: -1, offset: 0, access: 0, x: px, y: py };
    let before = 0, whole = 0;
    for (let i = pointFrom[edge] + 1; i < pointFrom[edge + 1]; i++) {
      const step = Math.hypot(xs[i] - xs[i - 1], ys[i] - ys[i - 1]);
      if (i - 1 < Math.floor(ratio)) before += step;
      else if (i - 1 === Math.floor(ratio)) before += step * (ratio - Math.floor(ratio));
      whole += step;
    }
    return { edge, offset: whole > 0 ? Math.min(1, before / whole) * model.length[edge] : 0, access: Math.sqrt(best) * q / scale, x: ax * q, y: ay * q };
  };

  /** Whether a straight line between two places crosses a wall (rivers, railways: pieces x0, y0, x1, y1), asked by cells. */
  const makeWalls = (walls, size) => {
    const cells = new Map(), name = (x, y) => Math.floor(x / size) * 1e6 + Math.floor(y / size);
    for (let w = 0; w < walls.length; w += 4) {
      const steps = Math.ceil(Math.hypot(walls[w + 2] - walls[w], walls[w + 3] - walls[w + 1]) / size * 2) + 1, seen = new Set();
      for (let i = 0; i <= steps; i++) seen.add(name(walls[w] + (walls[w + 2] - walls[w]) * i / steps, walls[w + 1] + (walls[w + 3] - walls[w + 1]) * i / steps));
      for (const c of seen) { if (!cells.has(c)) cells.set(c, []); cells.get(c).push(w); }
    }
    const side = (ax, ay, bx, by, px, py) => Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
    return (ax, ay, bx, by) => {
      if (!cells.size) return false;
      for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) for (const w of cells.get(name(ax, ay) + dx * 1e6 + dy) || []) {
        const [x0, y0, x1, y1] = [walls[w], walls[w + 1], walls[w + 2], walls[w + 3]];
        if (side(ax, ay, bx, by, x0, y0) !== side(ax, ay, bx, by, x1, y1) && side(x0, y0, x1, y1, ax, ay) !== side(x0, y0, x1, y1, bx, by)) return true;
      }
      return false;
    };
  };
  /**
   * Groups of points that lie within `link` metres of one another with no wall between, most people first, as
   * geo/gaps/clusters.py makes them: one wider than `wide` is parted by community, or halved where there is none,
   * and one of less than a person joins the nearest.
   */
  const groups = (model, rows, link, walls, wide = Infinity) => {
    const { px, py, weight, community } = model, parted = makeWalls(walls || [], link), away = (i, j) => Math.hypot(px[i] - px[j], py[i] - py[j]);
    const span = (list) => {
      let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
      for (const i of list) { west = Math.min(west, px[i]); east = Math.max(east, px[i]); south = Math.min(south, py[i]); north = Math.max(north, py[i]); }
      return { west, south, x: east - west, y: north - south };
    };
    const tooWide = (list) => { const s = span(list); return Math.hypot(s.x, s.y) > wide; };
    const components = (list) => {
      const cell = new Map(), key = (i) => Math.floor(px[i] / link) * 1e6 + Math.floor(py[i] / link), seen = new Set(), out = [];
      for (const i of list) { const c = key(i); if (!cell.has(c)) cell.set(c, []); cell.get(c).push(i); }
      for (const start of list) {
        if (seen.has(start)) continue;
        const group = [], waiting = [start];
        seen.add(start);
        while (waiting.length) {
          const i = waiting.pop(), c = key(i);
          group.push(i);
          for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) for (const j of cell.get(c + dx * 1e6 + dy) || []) {
            if (!seen.has(j) && away(i, j) <= link && !parted(px[i], py[i], px[j], py[j])) { seen.add(j); waiting.push(j); }
          }
        }
        out.push(group);
      }
      return out;
    };
    const halves = (list) => {
      if (!list.length || !tooWide(list)) return list.length ? [list] : [];
      const s = span(list), at = s.x >= s.y ? px : py, middle = s.x >= s.y ? s.west + s.x / 2 : s.south + s.y / 2;
      return [...halves(list.filter((i) => at[i] <= middle)), ...halves(list.filter((i) => at[i] > middle))];
    };
    const smaller = (group) => {
      const by = new Map();
      for (const i of group) if (community[i] >= 0) { if (!by.has(community[i])) by.set(community[i], []); by.get(community[i]).push(i); }
      return [...by.values(), ...halves(group.filter((i) => community[i] < 0))].flatMap(components);
    };
    const found = components(rows).flatMap((group) => (tooWide(group) ? smaller(group) : [group])), sum = (list) => list.reduce((total, i) => total + weight[i], 0);
    const large = found.filter((group) => sum(group) >= 1), out = large.length ? large.map((group) => group.slice()) : found;
    if (large.length) for (const small of found.filter((group) => sum(group) < 1)) {
      let best = -1, least = wide;
      large.forEach((group, g) => { for (const i of small) for (const j of group) { const d = away(i, j); if (d < least) { least = d; best = g; } } });
      if (best >= 0) out[best].push(...small); else out.push(small);
    }
    return out.map((list) => {
      let people = 0, x = 0, y = 0;
      for (const i of list) { people += weight[i]; x += weight[i] * px[i]; y += weight[i] * py[i]; }
      return { rows: list, people, x: people ? x / people : px[list[0]], y: people ? y / people : py[list[0]] };
    }).sort((a, b) => b.people - a.people);
  };

  return { decode, graphOf, field, atPoints, figures, coveredBy, snap, groups, lonLat, greatCircle };
}

if (typeof module !== 'undefined') module.exports = { makeEngine };

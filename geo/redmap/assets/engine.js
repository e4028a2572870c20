/* engine.js: travel times in the page. Reads what geo/redmap/engine.py writes; no document, no network:
   the same code runs in a worker, in the page where workers are refused, and in Node's tests. */
'use strict';

/**
 * @typedef {{edge: number, offset: number, access: number}} Link  row of an edge (-1: none), metres
 * @typedef {{row: Int32Array, head: Int32Array, seconds: Float64Array}} Graph  arcs of a node: from row[i] to row[i + 1]
 * @typedef {{count: number, copyOf: Int32Array, arriveU: Int32Array, arriveV: Int32Array, enterU: Int32Array, enterV: Int32Array,
 *   departU: Int32Array, departV: Int32Array, tail: Int32Array, head: Int32Array, over: Int32Array}} Places  ends of edges; arcs between copies, over an edge (2e, 2e + 1) or none (-1)
 * @typedef {{mode: string, places: Places, forward: Float64Array, backward: Float64Array, access: number, wait: number, stations: Link[], sites: Link[],
 *   points?: {edge: Int32Array, offset: Float64Array, access: Float64Array}, graph?: Graph}} Mode  seconds a metre each way and off the ways, seconds at a signal
 * @typedef {{of: Int32Array, keys: [number, number][], count: number}} Blocks
 * @typedef {{n: number, m: number, k: number, x: Int32Array, y: Int32Array, u: Int32Array, v: Int32Array, kind: Uint8Array, length: Float64Array, signal: Uint8Array,
 *   modes: Mode[], community: Int32Array, weight: Float64Array, px: Float64Array, py: Float64Array, layer: Uint8Array, layers: string[],
 *   lines: {pointFrom: Int32Array, xs: Int32Array, ys: Int32Array}, blocks?: Blocks}} Model  n nodes, m edges, k points of the demand
 * @typedef {{seconds: Float64Array[], label: Int32Array[]}} Nearest  per rank one item a node or a point
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

  /**
   * Where a search can be if no turn is banned: at the nodes.
   * @returns {Places}
   */
  const plain = (n, u, v) => {
    const none = new Int32Array(0);
    return { count: n, copyOf: none, arriveU: u, arriveV: v, enterU: u, enterV: v, departU: u, departV: v, tail: none, head: none, over: none };
  };

  /**
   * The graph and the demand of a study from the bytes (already unzipped) and their header.
   * @param {Uint8Array} bytes
   * @param {any} head  as geo/redmap/engine.py writes it
   * @returns {Model}
   */
  const decode = (bytes, head) => {
    const { next, step } = reader(bytes), n = head.nodes, m = head.edges, k = head.points;
    const x = new Int32Array(n), y = new Int32Array(n);
    for (let i = 0, a = 0, b = 0; i < n; i++) { a += step(); b += step(); x[i] = a; y[i] = b; }
    const u = new Int32Array(m), v = new Int32Array(m), kind = new Uint8Array(m), length = new Float64Array(m);
    for (let e = 0, a = 0; e < m; e++) { a += next(); u[e] = a; }
    for (let e = 0; e < m; e++) v[e] = u[e] + next();
    for (let e = 0; e < m; e++) kind[e] = next();
    for (let e = 0; e < m; e++) length[e] = next() / 1000;
    /* Where a search can be and how edges hang together there: at nodes, and at their copies where turns are banned. */
    const places = ({ copies, arcs }) => {
      const some = (count, read) => { const values = new Int32Array(count); for (let i = 0, a = 0; i < count; i++) { a += read(); values[i] = a; } return values; };
      const copyOf = some(copies, step), at = [u, v, u, v, u, v].map((node) => {
        const place = node.slice(), count = next(), own = some(count, next), there = some(count, step);
        own.forEach((e, i) => { place[e] = there[i]; });
        return place;
      });
      const tail = some(arcs, step), to = some(arcs, step), over = Int32Array.from({ length: arcs }, () => next() - 1);
      return { count: n + copies, copyOf, arriveU: at[0], arriveV: at[1], enterU: at[2], enterV: at[3], departU: at[4], departV: at[5], tail, head: to, over };
    };
    const nodes = plain(n, u, v);
    const modes = head.modes.map((mode) => {
      const out = [new Float64Array(m), new Float64Array(m)];
      for (const costs of out) for (let e = 0; e < m; e++) { const row = next(); costs[e] = row ? mode.costs[row - 1] : FAR; }
      return { mode: mode.mode, forward: out[0], backward: out[1], places: mode.turns ? places(mode.turns) : nodes, access: mode.access, wait: mode.wait,
        stations: links(mode.stations), sites: links(mode.sites) };
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

  /**
   * Arcs of a mode as the search walks them: outwards from the stations, against the traffic.
   * @param {Model} model
   * @param {Mode} mode
   * @returns {Graph}
   */
  const graphOf = (model, mode) => {
    if (mode.graph) return mode.graph;
    const { m, u, v, length, signal } = model, { count, arriveU, arriveV, enterU, enterV, tail, head: to, over } = mode.places, row = new Int32Array(count + 1), half = mode.wait / 2;
    const open = (a) => over[a] < 0 || (over[a] % 2 ? mode.forward : mode.backward)[over[a] >> 1] < FAR;
    for (let e = 0; e < m; e++) {
      if (enterU[e] !== arriveV[e] && mode.backward[e] < FAR) row[enterU[e] + 1]++;
      if (enterV[e] !== arriveU[e] && mode.forward[e] < FAR) row[enterV[e] + 1]++;
    }
    for (let a = 0; a < tail.length; a++) if (open(a)) row[tail[a] + 1]++;
    for (let i = 0; i < count; i++) row[i + 1] += row[i];
    const fill = row.slice(), head = new Int32Array(row[count]), seconds = new Float64Array(row[count]);
    const arc = (from, there, s) => { const at = fill[from]++; head[at] = there; seconds[at] = s; };
    const along = (e, sPerM) => length[e] * sPerM[e] + half * (signal[u[e]] + signal[v[e]]);
    for (let e = 0; e < m; e++) {
      if (enterU[e] !== arriveV[e] && mode.backward[e] < FAR) arc(enterU[e], arriveV[e], along(e, mode.backward));
      if (enterV[e] !== arriveU[e] && mode.forward[e] < FAR) arc(enterV[e], arriveU[e], along(e, mode.forward));
    }
    for (let a = 0; a < tail.length; a++) if (open(a)) arc(tail[a], to[a], over[a] < 0 ? 0 : along(over[a] >> 1, over[a] % 2 ? mode.forward : mode.backward));
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

  /** A binary heap of (seconds, node, label) in typed arrays; `pop` leaves the least in `top`. */
  const makeHeap = (room) => {
    let size = 0, key = new Float64Array(room), node = new Int32Array(room), label = new Int32Array(room);
    const grow = () => {
      const wider = (old, /** @type {any} */ Kind) => { const next = new Kind(old.length * 2); next.set(old); return next; };
      key = wider(key, Float64Array); node = wider(node, Int32Array); label = wider(label, Int32Array);
    };
    const top = { s: 0, node: 0, label: 0 };
    return {
      top,
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
        if (size === 0) return false;
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
        return true;
      },
    };
  };

  /**
   * The nearest source of every node (and copy of one) within `limit`, and where `ranks` is 2 the next other one within `other`.
   * @param {Model} model
   * @param {Mode} mode
   * @param {(Link|null)[]} sources  where a label is a row of this list; unlinked ones reach nothing
   * @param {number} limit  seconds
   * @param {number} ranks
   * @param {number} [other]
   * @returns {Nearest} of the nodes; seconds of the second rank beyond `other` may be those of any source
   */
  const field = (model, mode, sources, limit, ranks, other = limit) => {
    const { row, head, seconds } = graphOf(model, mode), { count: n, arriveU: u, arriveV: v } = mode.places, two = ranks > 1;
    const best = new Float64Array(n).fill(FAR), who = new Int32Array(n).fill(-1);
    const next = two ? new Float64Array(n).fill(FAR) : best, whoNext = two ? new Int32Array(n).fill(-1) : who;
    const heap = makeHeap(1024), top = heap.top;
    // a quicker source moves the one before it to the second place
    const reach = (s, i, label) => {
      if (label === who[i]) { if (s >= best[i]) return; best[i] = s; }
      else if (s < best[i]) { if (two) { next[i] = best[i]; whoNext[i] = who[i]; } best[i] = s; who[i] = label; }
      else if (two && s < next[i] && s <= other) { next[i] = s; whoNext[i] = label; }
      else return;
      heap.push(s, i, label);
    };
    sources.forEach((link, label) => {
      if (!link || link.edge < 0) return;
      const [su, sv] = ends(model, mode, link, false);
      if (su <= limit) reach(su, u[link.edge], label);
      if (sv <= limit) reach(sv, v[link.edge], label);
    });
    while (heap.pop()) {
      const { s, node, label } = top;
      // what has been bettered since it was pushed leads nowhere
      if (label === who[node] ? s > best[node] : (!two || label !== whoNext[node] || s > next[node] || s > other)) continue;
      for (let a = row[node]; a < row[node + 1]; a++) {
        const there = s + seconds[a];
        if (there <= limit) reach(there, head[a], label);
      }
    }
    return two ? { seconds: [best, next], label: [who, whoNext] } : { seconds: [best], label: [who] };
  };

  /**
   * Seconds of every point of the demand to its nearest source within `limit`, and where `ranks` is 2 to the next
   * other one within `other`, and which these are. Both ends of a point's edge count, and so does the way straight
   * along an edge shared with a source.
   * @param {Model} model
   * @param {Mode} mode
   * @param {(Link|null)[]} sources
   * @param {Nearest} reached  of the nodes
   * @param {number} limit  seconds
   * @param {number} ranks
   * @param {number} [other]
   * @returns {Nearest} of the points
   */
  const atPoints = (model, mode, sources, reached, limit, ranks, other = limit) => {
    const { k, u, v, signal } = model, { departU, departV } = mode.places, { edge, offset, access } = mode.points, half = mode.wait / 2, two = ranks > 1;
    const best = new Float64Array(k).fill(FAR), who = new Int32Array(k).fill(-1);
    const next = two ? new Float64Array(k).fill(FAR) : best, whoNext = two ? new Int32Array(k).fill(-1) : who;
    // the sources along each edge as a chain
    const first = new Map(), after = new Int32Array(sources.length).fill(-1);
    sources.forEach((link, label) => { if (link && link.edge >= 0) { if (first.has(link.edge)) after[label] = first.get(link.edge); first.set(link.edge, label); } });
    let s0 = FAR, w0 = -1, s1 = FAR, w1 = -1;
    const take = (label, s) => {
      if (label < 0 || s > limit) return;
      if (label === w0) { if (s < s0) s0 = s; }
      else if (s < s0 || (s === s0 && label < w0)) { s1 = s0; w1 = w0; s0 = s; w0 = label; }
      else if (s < s1 || (s === s1 && label !== w1 && label < w1)) { s1 = s; w1 = label; }
    };
    for (let i = 0; i < k; i++) {
      const e = edge[i];
      if (e < 0) continue;
      const leg = access[i] * mode.access, a = u[e], b = v[e];
      const fromU = part(offset[i], mode.backward[e]) + half * signal[a] + leg, fromV = part(model.length[e] - offset[i], mode.forward[e]) + half * signal[b] + leg;
      s0 = s1 = FAR;
      w0 = w1 = -1;
      for (let r = 0; r < ranks; r++) {
        take(reached.label[r][departU[e]], reached.seconds[r][departU[e]] + fromU);
        take(reached.label[r][departV[e]], reached.seconds[r][departV[e]] + fromV);
      }
      if (first.has(e)) for (let label = first.get(e); label >= 0; label = after[label]) {
        const along = sources[label].offset - offset[i];
        take(label, part(Math.abs(along), along >= 0 ? mode.forward[e] : mode.backward[e]) + leg + sources[label].access * mode.access);
      }
      best[i] = s0;
      who[i] = w0;
      if (two && s1 <= other) { next[i] = s1; whoNext[i] = w1; }
    }
    return two ? { seconds: [best, next], label: [who, whoNext] } : { seconds: [best], label: [who] };
  };

  /** Rows by rising value, infinite ones last, equal ones in their order: by drawers as many as there are rows. */
  const byValue = (values, most) => {
    const k = values.length, drawers = k + 1, fill = new Int32Array(drawers + 1), order = new Int32Array(k);
    const drawer = (value) => (value <= most ? Math.min(k - 1, Math.floor(value / most * k)) : k);
    for (let i = 0; i < k; i++) fill[drawer(values[i]) + 1]++;
    for (let d = 0; d < drawers; d++) fill[d + 1] += fill[d];
    for (let i = 0; i < k; i++) order[fill[drawer(values[i])]++] = i;
    for (let i = 1; i < k; i++) {
      const row = order[i], value = values[row];
      let at = i;
      for (; at > 0 && values[order[at - 1]] > value; at--) order[at] = order[at - 1];
      order[at] = row;
    }
    return order;
  };

  /**
   * Where each layer and each community of it is counted: the layers first, then communities as they appear.
   * @param {Model} model
   * @returns {Blocks}
   */
  const blocksOf = (model) => {
    if (model.blocks) return model.blocks;
    const rows = new Map(), of = new Int32Array(model.k), keys = /** @type {[number, number][]} */ ([]), base = model.layers.length;
    for (let i = 0; i < model.k; i++) {
      const key = model.layer[i] * 1e6 + model.community[i];
      if (!rows.has(key)) { rows.set(key, base + keys.length); keys.push([model.layer[i], model.community[i]]); }
      of[i] = rows.get(key);
    }
    model.blocks = { of, keys, count: base + keys.length };
    return model.blocks;
  };

  /** Weighted medians of minutes of every block; null where most reach nothing. */
  const medians = (model, seconds, far) => {
    const { of, count } = blocksOf(model), { layer, weight } = model, order = byValue(seconds, far), total = new Float64Array(count), run = new Float64Array(count), out = new Array(count).fill(null), told = new Uint8Array(count);
    for (const i of order) { total[layer[i]] += weight[i]; total[of[i]] += weight[i]; }
    const step = (block, i) => {
      run[block] += weight[i];
      if (told[block] || run[block] < total[block] / 2) return;
      told[block] = 1;
      if (seconds[i] < FAR) out[block] = seconds[i] / 60;
    };
    for (const i of order) if (weight[i] > 0) { step(layer[i], i); step(of[i], i); }
    return out;
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
   * @param {Model} model
   * @param {{mode: number, limit: number, sources: (Link|null)[], minutes: number[], far: number}} ask  sources: null for one that does not count
   */
  const figures = (model, ask) => {
    const mode = model.modes[ask.mode], far = Math.max(ask.far || 0, ask.limit, ...ask.minutes.map((m) => m * 60));
    const reached = field(model, mode, ask.sources, far, 2, ask.limit), near = atPoints(model, mode, ask.sources, reached, far, 2, ask.limit);
    const seconds = near.seconds[0], second = near.label[1], { of, keys, count } = blocksOf(model), { layer, weight, k } = model, limits = ask.minutes.map((m) => m * 60);
    const total = new Float64Array(count), covered = new Float64Array(count), layers = model.layers.map(() => ({ two: 0, within: limits.map(() => 0) }));
    for (let i = 0; i < k; i++) {
      const w = weight[i], s = seconds[i], l = layer[i], one = layers[l];
      total[l] += w;
      total[of[i]] += w;
      if (s <= ask.limit) { covered[l] += w; covered[of[i]] += w; }
      if (second[i] >= 0) one.two += w;
      for (let j = 0; j < limits.length; j++) if (s <= limits[j]) one.within[j] += w;
    }
    const middle = medians(model, seconds, far), block = (b) => ({ total: total[b], covered: covered[b], median: middle[b] });
    return { layers: layers.map((one, l) => ({ ...block(l), ...one })), communities: keys.map(([l, community], i) => ({ layer: l, community, ...block(layers.length + i) })),
      seconds, label: near.label[0], nodes: reached.seconds[0] };
  };

  /**
   * The points of a layer that have people: those not reached within `limit` seconds, and those that are.
   * @param {Model} model
   * @param {Float64Array} seconds
   * @param {number} layer
   * @param {number} limit
   */
  const sides = (model, seconds, layer, limit) => {
    const missed = [], reached = [];
    for (let i = 0; i < model.k; i++) if (model.layer[i] === layer && model.weight[i] > 0) (seconds[i] <= limit ? reached : missed).push(i);
    return { missed, reached };
  };

  /**
   * People covered of every layer for many sets of sources: what an hour-by-hour strip needs.
   * @param {Model} model
   * @param {{mode: number, limit: number, sets: (Link|null)[][]}} ask
   */
  const coveredBy = (model, ask) => ask.sets.map((sources) => {
    const mode = model.modes[ask.mode], seconds = atPoints(model, mode, sources, field(model, mode, sources, ask.limit, 1), ask.limit, 1).seconds[0];
    const covered = model.layers.map(() => 0);
    for (let i = 0; i < model.k; i++) if (seconds[i] <= ask.limit) covered[model.layer[i]] += model.weight[i];
    return covered;
  });

  /**
   * The nearest way that a mode may use to a place (Mercator metres from the origin), or edge -1 beyond `most` metres.
   * @param {Model} model
   * @param {number} modeRow
   * @param {number} px
   * @param {number} py
   * @param {number} q  Mercator metres of a step of the drawn lines
   * @param {number} scale  Mercator metres of a metre on the ground
   * @param {number} most
   * @returns {Link & {x: number, y: number}}
   */
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

  return { decode, plain, graphOf, field, atPoints, figures, sides, coveredBy, snap, lonLat, greatCircle };
}

if (typeof module !== 'undefined') Object.assign(module.exports, { makeEngine });

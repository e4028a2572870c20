/* painters.js: what only the planner's map draws: roads, areas, gaps, the field of another choice. */
'use strict';
RedMap.paintAreas = (ctx, v, now) => {
  const layer = RedMap.layers.areas, c = RedMap.palette(), of = RedMap.areaClasses(now);
  for (let k = 0; k < 5; k++) {
    if (RedMap.path(ctx, layer, v, (tag) => of[tag] === k, true)) { ctx.fillStyle = c.area[k]; ctx.fill('evenodd'); }
  }
};
RedMap.paintBorders = (ctx, v) => {
  if (v.z < 11 || !RedMap.path(ctx, RedMap.layers.areas, v, () => true, true)) return;
  ctx.strokeStyle = RedMap.palette().border;
  ctx.lineWidth = v.z < 14 ? .7 : 1.1;
  ctx.stroke();
};
RedMap.ROAD = [ // drawing class: least zoom, width in px at zooms 12, 14, 16, 18
  { z: 0, w: [2, 3.4, 6, 10] }, { z: 11, w: [1.3, 2.6, 5, 8] }, { z: 13, w: [.7, 1.5, 3.6, 6.5] }, { z: 15, w: [.5, .7, 1.2, 1.8] },
];
RedMap.roadWidth = (k, z) => {
  const w = RedMap.ROAD[k].w, at = Math.max(0, Math.min(3, (z - 12) / 2)), i = Math.min(2, Math.floor(at));
  return w[i] + (w[i + 1] - w[i]) * (at - i);
};
RedMap.MOTORWAY = 6; // one that is not among the ways of the graph, drawn as other great roads are
RedMap.SHARE = 400; // ways stroked at once
RedMap.paintRoads = function* (ctx, v, kinds) {
  const layer = RedMap.layers.roads, c = RedMap.palette();
  const stroke = (kind, colour, width, dash) => {
    // round ends of thin lines are not seen, and cost three times as much
    ctx.lineCap = dash || width < 3 ? 'butt' : 'round';
    ctx.lineJoin = width < 3 ? 'bevel' : 'round';
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.setLineDash(dash || []);
    return RedMap.shares(ctx, layer, v, (tag) => (tag === RedMap.MOTORWAY ? 0 : tag) === kind, false, RedMap.SHARE, () => ctx.stroke());
  };
  if (kinds.includes(0)) yield* stroke(4, c.water, v.z < 13 ? 1.4 : v.z < 15 ? 2.2 : 3.2);
  if (v.z >= 15) yield* stroke(3, c.path, RedMap.roadWidth(3, v.z), [4, 3]);
  for (const wide of v.z < 11 ? [false] : [true, false]) {
    for (const k of kinds) {
      if (v.z < RedMap.ROAD[k].z) continue;
      yield* stroke(k, wide ? (k === 2 ? c.localCasing : c.casing) : v.z < 11 ? c.far : (k === 2 ? c.local : c.road), RedMap.roadWidth(k, v.z) + (wide ? 1.4 : 0));
    }
  }
  if (kinds.includes(0)) yield* stroke(5, c.rail, v.z < 14 ? 1.4 : 2.2, [7, 4]);
  ctx.setLineDash([]);
};
RedMap.paintGaps = function* (ctx, v, ratio) {
  const c = RedMap.palette(), pattern = RedMap.hatch(ctx, ratio, c.gap);
  // a pattern lives in device pixels: 8 px divides the tile, so that hatches meet at its borders
  pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  // two gaps with a wall between may overlap: by the even-odd rule they would wipe each other out
  yield* RedMap.shares(ctx, RedMap.layers.gaps, v, () => true, true, 60, () => {
    ctx.fillStyle = c.gapFill;
    ctx.fill('nonzero');
    ctx.globalAlpha = .6;
    ctx.fillStyle = pattern;
    ctx.fill('nonzero');
    ctx.globalAlpha = 1;
    ctx.strokeStyle = c.gap;
    ctx.lineWidth = v.z < 12 ? .7 : v.z < 13 ? 1.1 : 1.6;
    ctx.stroke();
  });
};
RedMap.paintReach = (ctx, v) => {
  const row = RedMap.selectedStation();
  if (row < 0 || !RedMap.path(ctx, RedMap.layers.reach, v, (tag) => tag === row, true)) return;
  ctx.strokeStyle = RedMap.palette().ring;
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = RedMap.palette().reach;
  ctx.lineWidth = 2.4;
  ctx.stroke();
};
/* What is reached under another choice: the ways within each number of minutes, as broad strokes. */
RedMap.paintField = function* (ctx, v, now) {
  const steps = RedMap.bandSteps(now.choice), layer = RedMap.layers.roads, { length } = RedMap.model, T = now.nodes, mode = RedMap.data.engine.modes[now.choice.mode];
  const { departU: u, departV: w } = RedMap.model.places[now.choice.mode];
  const cost = mode.costs[0] || 0, s = layer.q * v.k, ox = layer.x * v.k - v.left, oy = -layer.y * v.k - v.top, width = Math.max(3, 70 * now.scale * v.k);
  ctx.lineCap = ctx.lineJoin = 'round';
  ctx.lineWidth = width;
  for (let i = steps.length - 1; i >= 0; i--) {
    const limit = steps[i] * 60;
    let any = false;
    ctx.beginPath();
    for (let e = 0; e < length.length; e++) {
      if (e % layer.groups.size === 0 && !RedMap.groupSeen(layer, e / layer.groups.size, v, width)) { e += layer.groups.size - 1; continue; }
      const a = T[u[e]], b = T[w[e]];
      if (!(a <= limit || b <= limit) || !RedMap.partSeen(layer, e, v, width)) continue;
      const fromU = a <= limit && cost ? (limit - a) / cost : 0, fromV = b <= limit && cost ? (limit - b) / cost : 0, L = length[e];
      any = true;
      if (fromU + fromV >= L) { RedMap.trace(ctx, layer, e, v, false); continue; }
      if (fromU > 0) RedMap.tracePart(ctx, layer, e, s, ox, oy, fromU / L, false);
      if (fromV > 0) RedMap.tracePart(ctx, layer, e, s, ox, oy, fromV / L, true);
    }
    if (any) { ctx.strokeStyle = RedMap.bandColour(i, steps.length); ctx.stroke(); }
    yield;
  }
};
/* The first `share` of a line, or the last. */
RedMap.tracePart = (ctx, layer, p, s, ox, oy, share, back) => {
  const from = layer.pointFrom[p], n = layer.pointFrom[p + 1] - from, at = (i) => { const j = back ? from + n - 1 - i : from + i; return [ox + layer.xs[j] * s, oy - layer.ys[j] * s]; };
  let whole = 0;
  for (let i = 1; i < n; i++) { const [x0, y0] = at(i - 1), [x1, y1] = at(i); whole += Math.hypot(x1 - x0, y1 - y0); }
  let left = whole * Math.min(1, share), [x, y] = at(0);
  ctx.moveTo(x, y);
  for (let i = 1; i < n && left > 0; i++) {
    const [nx, ny] = at(i), step = Math.hypot(nx - x, ny - y), part = step > 0 ? Math.min(1, left / step) : 1;
    ctx.lineTo(x + (nx - x) * part, y + (ny - y) * part);
    left -= step;
    x = nx; y = ny;
  }
};
/* The minutes drawn: those of the study up to the limit chosen, which always is one. */
RedMap.bandSteps = (c) => [...new Set([...RedMap.data.minutes.filter((m) => m < c.minutes), c.minutes])].sort((a, b) => a - b);
/* Gaps under another choice, with the rule of geo/gaps/shapes.py: round the homes left out, never over a home that is
   reached; hatched and outlined as the study's own gaps are. Put together beside the tile, in whole pixels: that is quick. */
RedMap.CLEAR_M = 60;
RedMap.CORE_M = 20;
RedMap.RIM = 8; // round the tile, so that outlines go on in the next one; a whole hatch wide
RedMap.DOTS = 500; // drawn at once
RedMap.paintMissing = function* (ctx, v, ratio, now) {
  const c = RedMap.palette(), o = RedMap.data.layers.engine, { px, py } = RedMap.model, m = now.scale * v.k, side = (v.size + 2 * RedMap.RIM) * ratio, widen = Math.max(3, RedMap.data.engine.link / 2 * m);
  const x = (i) => (px[i] + o.x) * v.k - v.left + RedMap.RIM, y = (i) => RedMap.RIM - (py[i] + o.y) * v.k - v.top;
  const seen = (rows, far) => rows.filter((i) => x(i) > -far && y(i) > -far && x(i) < v.size + 2 * RedMap.RIM + far && y(i) < v.size + 2 * RedMap.RIM + far);
  const missing = seen(now.missing, widen);
  if (!missing.length) return;
  const [shape, pen] = [0, 1].map(() => RedMap.el('canvas', { width: side, height: side }).getContext('2d', { willReadFrequently: true }));
  const dots = function* (rows, radius, operation) {
    const r = Math.max(.5, radius * ratio), half = Math.ceil(r) + 1, dot = RedMap.el('canvas', { width: 2 * half, height: 2 * half }), round = dot.getContext('2d', { willReadFrequently: true });
    round.arc(half, half, r, 0, 7);
    round.fill();
    shape.globalCompositeOperation = operation;
    for (const [n, i] of rows.entries()) {
      shape.drawImage(dot, Math.round(x(i) * ratio) - half, Math.round(y(i) * ratio) - half);
      if (n % RedMap.DOTS === RedMap.DOTS - 1) { shape.getImageData(0, 0, 1, 1); yield; }
    }
  };
  yield* dots(missing, widen, 'source-over');
  yield* dots(seen(now.reached, RedMap.CLEAR_M * m), RedMap.CLEAR_M * m, 'destination-out');
  yield* dots(missing, RedMap.CORE_M * m, 'source-over');
  const lay = (style, alpha) => {
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = style;
    pen.fillRect(0, 0, side, side);
    ctx.globalAlpha = alpha;
    ctx.drawImage(pen.canvas, -RedMap.RIM, -RedMap.RIM, side / ratio, side / ratio);
    ctx.globalAlpha = 1;
  };
  for (const [style, alpha] of [[c.gapFill, 1], [RedMap.hatch(pen, ratio, c.gap), .6]]) {
    pen.globalCompositeOperation = 'copy';
    pen.drawImage(shape.canvas, 0, 0);
    lay(style, alpha);
  }
  pen.globalCompositeOperation = 'source-over';
  pen.clearRect(0, 0, side, side);
  const wide = Math.max(1, Math.round((v.z < 12 ? .6 : v.z < 13 ? .9 : 1.3) * ratio));
  for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) if (dx || dy) pen.drawImage(shape.canvas, dx * wide, dy * wide);
  pen.globalCompositeOperation = 'destination-out';
  pen.drawImage(shape.canvas, 0, 0);
  lay(c.gap, 1);
};
RedMap.paintProblems = (ctx, v) => {
  for (const s of RedMap.data.problems || []) {
    const [x, y] = RedMap.place(v, s.at);
    if (x > -20 && y > -20 && x < v.size + 20 && y < v.size + 20) RedMap.mark(ctx, s.state === 'closed' ? 'problemClosed' : 'problem', x, y, v.z < 12 ? 4.5 : 7);
  }
};

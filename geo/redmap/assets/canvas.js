/* canvas.js: the whole picture of the map, one canvas a tile, repainted in place. */
'use strict';
RedMap.PALETTES = {
  light: { ground: '#f3f1ec', band: [[186, 52, 62], [226, 129, 124], [246, 208, 202]], area: ['#dfeaf3', '#b8d2e6', '#84b0d3', '#4b88b8', '#22608f'],
    water: '#8fbfd6', rail: '#7d7a85', casing: 'rgba(112,98,92,.45)', road: '#ffffff', local: 'rgba(255,255,255,.92)', localCasing: 'rgba(112,98,92,.28)', path: 'rgba(120,104,96,.42)',
    border: 'rgba(70,66,84,.38)', edge: 'rgba(60,52,72,.75)', gap: '#4a3b78', gapFill: 'rgba(238,234,248,.55)', text: '#2b2a30', halo: 'rgba(255,255,255,.9)',
    open: '#0a6b46', closed: '#59606d', unknown: '#a75b00', ring: '#ffffff', site: '#1d4f9c', siteText: '#ffffff', reach: '#5c0c14', you: '#1466d8' },
  dark: { ground: '#1a1c21', band: [[214, 86, 92], [143, 56, 63], [82, 42, 48]], area: ['#26323d', '#2f4d66', '#3a6c92', '#5a94bf', '#95c5e6'],
    water: '#3d6f8a', rail: '#8b8894', casing: 'rgba(0,0,0,.5)', road: '#9a949b', local: 'rgba(150,144,152,.62)', localCasing: 'rgba(0,0,0,.25)', path: 'rgba(170,160,166,.38)',
    border: 'rgba(200,196,214,.36)', edge: 'rgba(220,214,232,.75)', gap: '#c3b4f4', gapFill: 'rgba(52,44,82,.5)', text: '#f0eef2', halo: 'rgba(20,20,24,.88)',
    open: '#35b985', closed: '#9aa1ad', unknown: '#f0a53c', ring: '#14151a', site: '#6ea6f5', siteText: '#10131a', reach: '#ffd9d9', you: '#5aa2ff' },
};
RedMap.dark = matchMedia('(prefers-color-scheme: dark)');
RedMap.palette = () => RedMap.PALETTES[RedMap.dark.matches && !document.body.classList.contains('printing') ? 'dark' : 'light'];

/* Colour of band i of n: nearer is stronger. */
RedMap.bandColour = (i, n) => {
  const stops = RedMap.palette().band, at = n < 2 ? 0 : i * (stops.length - 1) / (n - 1), k = Math.min(Math.floor(at), stops.length - 2);
  return 'rgb(' + stops[k].map((v, c) => Math.round(v + (stops[k + 1][c] - v) * (at - k))).join(',') + ')';
};
RedMap.AREA_BREAKS = [0.2, 0.4, 0.6, 0.8];
RedMap.areaClass = (share) => RedMap.AREA_BREAKS.filter((b) => share >= b).length;

RedMap.hatch = (ctx, ratio, colour) => {
  const size = 8 * ratio, tile = RedMap.el('canvas', { width: size, height: size }), pen = tile.getContext('2d');
  pen.strokeStyle = colour;
  pen.lineWidth = 1.3 * ratio;
  pen.beginPath();
  for (const shift of [-size, 0, size]) { pen.moveTo(shift, size); pen.lineTo(shift + size, 0); }
  pen.stroke();
  return ctx.createPattern(tile, 'repeat');
};

/* Marks, used on the map and in the legend alike. */
RedMap.mark = (ctx, kind, x, y, size, label) => {
  const c = RedMap.palette();
  ctx.lineWidth = size < 5 ? 1.2 : 2;
  ctx.strokeStyle = c.ring;
  ctx.lineJoin = 'round';
  ctx.beginPath();
  if (kind === 'open') { ctx.arc(x, y, size, 0, 7); ctx.fillStyle = c.open; }
  if (kind === 'closed') { ctx.rect(x - size * .82, y - size * .82, size * 1.64, size * 1.64); ctx.fillStyle = c.closed; }
  if (kind === 'unknown') { const s = size * 1.22; ctx.moveTo(x, y - s); ctx.lineTo(x + s, y); ctx.lineTo(x, y + s); ctx.lineTo(x - s, y); ctx.closePath(); ctx.fillStyle = c.unknown; }
  if (kind === 'site') { ctx.arc(x, y - size * 1.75, size * 1.25, Math.PI * .86, Math.PI * .14); ctx.lineTo(x, y); ctx.closePath(); ctx.fillStyle = c.site; }
  if (kind === 'gap') { const w = size * 1.1 + String(label).length * 3; ctx.roundRect ? ctx.roundRect(x - w, y - size, 2 * w, 2 * size, size) : ctx.rect(x - w, y - size, 2 * w, 2 * size); ctx.fillStyle = c.gap; }
  if (kind === 'problem' || kind === 'problemClosed') { ctx.moveTo(x - size, y - size); ctx.lineTo(x + size, y - size); ctx.lineTo(x + size, y + size * .5); ctx.lineTo(x, y + size * .5); ctx.lineTo(x - size * .5, y + size * 1.2); ctx.lineTo(x - size * .5, y + size * .5); ctx.lineTo(x - size, y + size * .5); ctx.closePath(); ctx.fillStyle = kind === 'problem' ? c.unknown : c.closed; }
  if (kind === 'you') { ctx.arc(x, y, size, 0, 7); ctx.fillStyle = c.you; ctx.lineWidth = 3; }
  ctx.fill();
  ctx.stroke();
  if (size >= 5 && (kind === 'open' || kind === 'closed' || kind === 'unknown')) { // a glyph when it can be seen
    ctx.fillStyle = ctx.strokeStyle = c.ring;
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    if (kind === 'open') { ctx.arc(x, y, size * .32, 0, 7); ctx.fill(); }
    if (kind === 'closed') { ctx.moveTo(x - size * .45, y); ctx.lineTo(x + size * .45, y); ctx.stroke(); }
    if (kind === 'unknown') { ctx.font = 'bold ' + Math.round(size * 1.5) + 'px sans-serif'; ctx.textAlign = 'center'; ctx.textBaseline = 'middle'; ctx.fillText('?', x, y + .5); }
  }
  if (label !== undefined) {
    ctx.fillStyle = kind === 'gap' ? c.ring : c.siteText;
    ctx.font = 'bold ' + Math.round(size * 1.35) + 'px ' + RedMap.FONT;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillText(label, x, kind === 'site' ? y - size * 1.7 : y + .5);
  }
};
RedMap.FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif';

/* ---- geometry of one tile ---- */
RedMap.tileView = (coords, size) => {
  const world = 256 * 2 ** coords.z, k = world / (2 * Math.PI * RedMap.EARTH);
  return { z: coords.z, size, k, left: coords.x * size - world / 2, top: coords.y * size - world / 2 };
};
RedMap.partSeen = (layer, p, v, pad) => {
  const s = layer.q * v.k, ox = layer.x * v.k - v.left, oy = -layer.y * v.k - v.top, b = layer.box;
  return ox + b[4 * p + 2] * s >= -pad && ox + b[4 * p] * s <= v.size + pad && oy - b[4 * p + 1] * s >= -pad && oy - b[4 * p + 3] * s <= v.size + pad;
};
RedMap.groupSeen = (layer, g, v, pad) => RedMap.partSeen({ x: layer.x, y: layer.y, q: layer.q, box: layer.groups.box }, g, v, pad);
/* Steps under a pixel are skipped: they cannot be seen. */
RedMap.trace = (ctx, layer, p, v, close) => {
  const s = layer.q * v.k, ox = layer.x * v.k - v.left, oy = -layer.y * v.k - v.top;
  const from = layer.pointFrom[p], to = layer.pointFrom[p + 1];
  let px = ox + layer.xs[from] * s, py = oy - layer.ys[from] * s;
  ctx.moveTo(px, py);
  for (let i = from + 1; i < to; i++) {
    const x = ox + layer.xs[i] * s, y = oy - layer.ys[i] * s;
    if (Math.abs(x - px) + Math.abs(y - py) < 1.2 && i < to - 1) continue;
    ctx.lineTo(x, y);
    px = x; py = y;
  }
  if (close) ctx.closePath();
};
/* One path of all features that pass, true when anything is in the tile. */
RedMap.path = (ctx, layer, v, passes, close, pad) => {
  let any = false;
  ctx.beginPath();
  for (let f = 0; f < layer.count; f++) {
    if (layer.groups && f < layer.groups.of && f % layer.groups.size === 0 && !RedMap.groupSeen(layer, f / layer.groups.size, v, pad || 4)) { f += Math.min(layer.groups.size, layer.groups.of - f) - 1; continue; }
    if (!passes(layer.tag[f])) continue;
    for (let p = layer.partFrom[f]; p < layer.partFrom[f + 1]; p++) {
      if (!RedMap.partSeen(layer, p, v, pad || 4)) continue;
      RedMap.trace(ctx, layer, p, v, close);
      any = true;
    }
  }
  return any;
};
RedMap.place = (v, at) => {
  const [x, y] = RedMap.mercator(at[0], at[1]);
  return [x * v.k - v.left, -y * v.k - v.top];
};

/* ---- painters, in drawing order ---- */
RedMap.paintBands = (ctx, v, now) => {
  if (now) { RedMap.paintField(ctx, v, now); return; }
  const layer = RedMap.layers.bands, minutes = RedMap.data.minutes;
  const rows = minutes.map((m, i) => i).sort((a, b) => minutes[b] - minutes[a]);
  rows.forEach((row, i) => {
    if (minutes[row] > RedMap.state.minutes) return;
    if (RedMap.path(ctx, layer, v, (tag) => tag === row, true)) {
      ctx.fillStyle = RedMap.bandColour(rows.length - 1 - i, rows.length);
      ctx.fill('evenodd');
    }
  });
};
/* What is reached under another choice: the ways within each number of minutes, as broad strokes. */
RedMap.paintField = (ctx, v, now) => {
  const steps = RedMap.bandSteps(now.choice), layer = RedMap.layers.roads, { u, v: w, length } = RedMap.model, T = now.nodes, mode = RedMap.data.engine.modes[now.choice.mode];
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
RedMap.paintMissing = (ctx, v, ratio, now) => {
  const c = RedMap.palette(), o = RedMap.data.layers.engine, { px, py } = RedMap.model, size = Math.max(4, 90 * now.scale * v.k), half = size / 2;
  ctx.beginPath();
  let any = false;
  for (const i of now.missing) {
    const x = (px[i] + o.x) * v.k - v.left, y = -(py[i] + o.y) * v.k - v.top;
    if (x < -half || y < -half || x > v.size + half || y > v.size + half) continue;
    ctx.rect(x - half, y - half, size, size);
    any = true;
  }
  if (!any) return;
  ctx.fillStyle = c.gapFill;
  ctx.fill();
  const pattern = RedMap.hatch(ctx, ratio, c.gap);
  pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  ctx.globalAlpha = .7;
  ctx.fillStyle = pattern;
  ctx.fill();
  ctx.globalAlpha = 1;
};
RedMap.paintAreas = (ctx, v) => {
  const layer = RedMap.layers.areas, c = RedMap.palette(), of = RedMap.areaClassOf;
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
RedMap.paintRoads = (ctx, v, kinds) => {
  const layer = RedMap.layers.roads, c = RedMap.palette();
  ctx.lineCap = ctx.lineJoin = 'round';
  if (kinds.includes(0) && RedMap.path(ctx, layer, v, (tag) => tag === 4, false)) {
    ctx.strokeStyle = c.water;
    ctx.lineWidth = v.z < 13 ? 1.4 : v.z < 15 ? 2.2 : 3.2;
    ctx.stroke();
  }
  if (v.z >= 15 && RedMap.path(ctx, layer, v, (tag) => tag === 3, false)) {
    ctx.strokeStyle = c.path;
    ctx.lineWidth = RedMap.roadWidth(3, v.z);
    ctx.setLineDash([4, 3]);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  for (const wide of [true, false]) {
    for (const k of kinds) {
      if (v.z < RedMap.ROAD[k].z || !RedMap.path(ctx, layer, v, (tag) => tag === k, false, 8)) continue;
      ctx.strokeStyle = wide ? (k === 2 ? c.localCasing : c.casing) : (k === 2 ? c.local : c.road);
      ctx.lineWidth = RedMap.roadWidth(k, v.z) + (wide ? 1.4 : 0);
      ctx.stroke();
    }
  }
  if (kinds.includes(0) && RedMap.path(ctx, layer, v, (tag) => tag === 5, false)) {
    ctx.lineCap = 'butt';
    ctx.strokeStyle = c.rail;
    ctx.lineWidth = v.z < 14 ? 1.4 : 2.2;
    ctx.setLineDash([7, 4]);
    ctx.stroke();
    ctx.setLineDash([]);
  }
};
RedMap.paintGaps = (ctx, v, ratio) => {
  if (!RedMap.path(ctx, RedMap.layers.gaps, v, () => true, true)) return;
  const c = RedMap.palette();
  ctx.fillStyle = c.gapFill;
  ctx.fill('evenodd');
  // a pattern lives in device pixels: 8 px divides the tile, so that hatches meet at its borders
  const pattern = RedMap.hatch(ctx, ratio, c.gap);
  pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  ctx.globalAlpha = .6;
  ctx.fillStyle = pattern;
  ctx.fill('evenodd');
  ctx.globalAlpha = 1;
  ctx.strokeStyle = c.gap;
  ctx.lineWidth = v.z < 12 ? .7 : v.z < 13 ? 1.1 : 1.6;
  ctx.stroke();
};
RedMap.paintEdge = (ctx, v) => {
  if (!RedMap.path(ctx, RedMap.layers.edge, v, () => true, true)) return;
  ctx.strokeStyle = RedMap.palette().edge;
  ctx.lineWidth = 1.6;
  ctx.setLineDash([10, 4, 2, 4]);
  ctx.stroke();
  ctx.setLineDash([]);
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
RedMap.paintStations = (ctx, v) => {
  const size = v.z < 12 ? 3.8 : v.z < 13 ? 5 : v.z < 15 ? 7 : 8.5;
  RedMap.data.stations.forEach((s, row) => {
    if (!RedMap.shown(s)) return;
    const [x, y] = RedMap.place(v, s.at);
    if (x < -20 || y < -20 || x > v.size + 20 || y > v.size + 20) return;
    const chosen = row === RedMap.selectedStation();
    RedMap.mark(ctx, RedMap.stateOf(s), x, y, chosen ? size * 1.5 : size);
  });
};
RedMap.paintProblems = (ctx, v) => {
  for (const s of RedMap.data.problems || []) {
    const [x, y] = RedMap.place(v, s.at);
    if (x > -20 && y > -20 && x < v.size + 20 && y < v.size + 20) RedMap.mark(ctx, s.state === 'closed' ? 'problemClosed' : 'problem', x, y, v.z < 12 ? 4.5 : 7);
  }
};
RedMap.paintSites = (ctx, v) => {
  for (const s of [...RedMap.data.sites].reverse()) {
    const [x, y] = RedMap.place(v, s.at);
    if (x > -30 && y > -10 && x < v.size + 30 && y < v.size + 50) RedMap.mark(ctx, 'site', x, y, v.z < 12 ? 7 : 9, s.rank);
  }
};

/* ---- labels: chosen once a zoom over the whole map, so that tiles agree ---- */
RedMap.labelCache = new Map();
RedMap.labels = (ctx, z) => {
  const key = [z, RedMap.state.lang, RedMap.state.service, Object.entries(RedMap.state.on).filter(([, on]) => on).map(([k]) => k).join()].join('|');
  if (RedMap.labelCache.has(key)) return RedMap.labelCache.get(key);
  if (RedMap.labelCache.size > 40) RedMap.labelCache.clear();
  const v = RedMap.tileView({ x: 0, y: 0, z }, 512), taken = new Map(), chosen = [];
  const cells = (b) => { const out = []; for (let i = b[0] >> 6; i <= b[2] >> 6; i++) for (let j = b[1] >> 6; j <= b[3] >> 6; j++) out.push(i + ':' + j); return out; };
  const free = (b) => cells(b).every((c) => (taken.get(c) || []).every((o) => b[0] > o[2] || b[2] < o[0] || b[1] > o[3] || b[3] < o[1]));
  const take = (b) => { for (const c of cells(b)) { if (!taken.has(c)) taken.set(c, []); taken.get(c).push(b); } };
  const add = (at, text, style, dy, from) => {
    if (z < from || !at || !text) return;
    const [x, y] = RedMap.place(v, at);
    ctx.font = style.font;
    const w = ctx.measureText(text).width / 2 + 4, b = [x - w, y + dy - 9, x + w, y + dy + 9];
    if (!free(b)) return;
    take(b);
    chosen.push({ x, y: y + dy, w, text, style });
  };
  const on = RedMap.state.on, d = RedMap.data, strong = { font: '600 12px ' + RedMap.FONT }, plain = { font: '12px ' + RedMap.FONT, soft: true };
  const keep = (at, w, up, down) => { const [x, y] = RedMap.place(v, at); take([x - w, y - up, x + w, y + down]); };
  if (on.sites) for (const s of d.sites) keep(s.at, 12, 30, 2);
  if (on.stations) for (const s of d.stations) if (RedMap.shown(s)) keep(s.at, 8, 8, 8);
  const ranks = z < 13 ? 10 : z < 14 ? 25 : Infinity; // small gaps get their number when there is room
  // a number stands in its gap, beside pins and stations; the worst ones get theirs in any case
  const beside = [0, -22, 22, -44, 44].flatMap((dy) => [0, 32, -32, 64, -64].map((dx) => [dx, dy])).sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
  if (on.gaps) for (const g of RedMap.now ? RedMap.now.gaps : d.gaps || []) {
    if (g.rank > ranks) continue;
    const [gx, gy] = RedMap.place(v, g.at), box = ([dx, dy]) => [gx + dx - 14, gy + dy - 9, gx + dx + 14, gy + dy + 9];
    const inside = ([dx, dy]) => RedMap.now ? true : RedMap.featureIn(RedMap.layers.gaps, (gx + dx + v.left) / v.k, -(gy + dy + v.top) / v.k) === g.area;
    const spot = beside.find((move) => free(box(move)) && inside(move)) || (g.rank <= 5 && beside.find((move) => Math.hypot(...move) < 40 && free(box(move))));
    if (!spot) continue;
    take(box(spot));
    chosen.push({ x: gx + spot[0], y: gy + spot[1], w: 60, gap: g.rank, dx: -spot[0], dy: -spot[1], away: !inside(spot) });
  }
  if (on.names) {
    if (on.stations) for (const s of d.stations) if (RedMap.shown(s)) add(s.at, s.name, strong, 18, d.page === 'public' ? 14 : 15);
    if (on.sites) for (const s of d.sites) add(s.at, s.name, strong, 12, 15);
    for (const a of d.communities || []) add(a.at, a.name, plain, 0, 13);
  }
  RedMap.labelCache.set(key, chosen);
  return chosen;
};
RedMap.paintLabels = (ctx, v, coords) => {
  const c = RedMap.palette(), left = coords.x * v.size, top = coords.y * v.size;
  for (const label of RedMap.labels(ctx, v.z)) {
    const x = label.x - left, y = label.y - top;
    const tall = label.gap ? 60 : 16;
    if (x < -label.w || y < -tall || x > v.size + label.w || y > v.size + tall) continue;
    if (label.away) { // a number beside its gap points at it
      ctx.strokeStyle = c.gap;
      ctx.lineWidth = 1.6;
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x + label.dx, y + label.dy);
      ctx.stroke();
    }
    if (label.gap) { RedMap.mark(ctx, 'gap', x, y, 8, label.gap); continue; }
    ctx.font = label.style.font;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.lineJoin = 'round';
    ctx.lineWidth = 3.5;
    ctx.strokeStyle = c.halo;
    ctx.strokeText(label.text, x, y);
    ctx.fillStyle = c.text;
    ctx.globalAlpha = label.style.soft ? .82 : 1;
    ctx.fillText(label.text, x, y);
    ctx.globalAlpha = 1;
  }
};

/* Left of the swipe stands what was pinned, right of it what is chosen now. */
RedMap.sides = (ctx, v, coords, paint) => {
  const now = RedMap.now || null, pinned = RedMap.pinned;
  if (!pinned) { paint(now); return; }
  const map = RedMap.map, edge = map.containerPointToLatLng([map.getSize().x * RedMap.swipe, 0]), x = RedMap.place(v, [edge.lng, 0])[0];
  for (const [from, to, side] of [[-8, x, pinned.now], [x, v.size + 8, now]]) {
    if (to <= 0 || from >= v.size) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, -8, to - from, v.size + 16);
    ctx.clip();
    paint(side);
    ctx.restore();
  }
};

RedMap.Ground = L.GridLayer.extend({
  options: { tileSize: 512, updateWhenIdle: false, updateWhenZooming: false, keepBuffer: 1, maxZoom: 19 },
  // Leaflet rounds the zoom of tiles and then stretches them; ours are drawn at the very zoom of the map
  _setView(center, zoom, ...rest) {
    this._exact = zoom;
    try { return L.GridLayer.prototype._setView.call(this, center, zoom, ...rest); } finally { this._exact = undefined; }
  },
  _clampZoom(zoom) { return this._exact === undefined ? zoom : this._exact; },
  createTile(coords) {
    const ratio = Math.min(2, Math.max(1, Math.round(devicePixelRatio || 1)));
    const tile = RedMap.el('canvas', { width: 512 * ratio, height: 512 * ratio });
    this.paint(tile, coords, ratio);
    return tile;
  },
  paint(tile, coords, ratio) {
    RedMap.paint(tile.getContext('2d'), RedMap.tileView(coords, 512), coords, ratio);
  },
  repaint() {
    const ratio = Math.min(2, Math.max(1, Math.round(devicePixelRatio || 1)));
    for (const tile of Object.values(this._tiles)) this.paint(tile.el, tile.coords, ratio);
  },
});
/* Everything that is on, in one square view; `coords` counts such squares from the corner of the world. */
RedMap.paint = (ctx, v, coords, ratio) => {
  const on = RedMap.state.on, has = RedMap.layers;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.fillStyle = RedMap.palette().ground;
  ctx.fillRect(0, 0, v.size, v.size);
  if (on.areas && has.areas) RedMap.paintAreas(ctx, v);
  // side streets lie under the bands until these are wide enough to carry them
  if (on.roads && has.roads && v.z < 15) RedMap.paintRoads(ctx, v, [2]);
  if (on.bands && has.bands) RedMap.sides(ctx, v, coords, (now) => RedMap.paintBands(ctx, v, now));
  if (on.roads && has.roads) RedMap.paintRoads(ctx, v, v.z < 15 ? [1, 0] : [2, 1, 0]);
  if (on.areas && has.areas) RedMap.paintBorders(ctx, v);
  if (has.edge) RedMap.paintEdge(ctx, v);
  if (on.gaps && has.gaps) RedMap.sides(ctx, v, coords, (now) => now ? RedMap.paintMissing(ctx, v, ratio, now) : RedMap.paintGaps(ctx, v, ratio));
  if (on.stations && has.reach) RedMap.paintReach(ctx, v);
  if (on.problems) RedMap.paintProblems(ctx, v);
  if (on.stations) RedMap.paintStations(ctx, v);
  RedMap.paintLabels(ctx, v, coords);
  if (on.sites) RedMap.paintSites(ctx, v);
  if (RedMap.state.you) { const [x, y] = RedMap.place(v, RedMap.state.you); RedMap.mark(ctx, 'you', x, y, 8); }
};

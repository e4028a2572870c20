/* canvas.js: the whole picture of the map, one canvas a tile, repainted in place. */
'use strict';
RedMap.PALETTES = {
  light: { ground: '#f3f1ec', band: [[186, 52, 62], [226, 129, 124], [246, 208, 202]], area: ['#e4edf5', '#b1c5d9', '#809fbd', '#507aa1', '#1d5585'],
    water: '#8fbfd6', rail: '#7d7a85', casing: 'rgba(112,98,92,.45)', far: '#b3a89f', road: '#ffffff', local: 'rgba(255,255,255,.92)', localCasing: 'rgba(112,98,92,.28)', path: 'rgba(120,104,96,.42)',
    border: 'rgba(70,66,84,.38)', edge: 'rgba(60,52,72,.75)', gap: '#4a3b78', gapFill: 'rgba(238,234,248,.55)', text: '#2b2a30', halo: 'rgba(255,255,255,.9)',
    open: '#0a6b46', closed: '#59606d', unknown: '#a75b00', ring: '#ffffff', site: '#1d4f9c', siteText: '#ffffff', reach: '#5c0c14', you: '#1466d8' },
  dark: { ground: '#1a1c21', band: [[214, 86, 92], [143, 56, 63], [82, 42, 48]], area: ['#26323d', '#2f4d66', '#3a6c92', '#5a94bf', '#95c5e6'],
    water: '#3d6f8a', rail: '#8b8894', casing: 'rgba(0,0,0,.5)', far: '#77717a', road: '#9a949b', local: 'rgba(150,144,152,.62)', localCasing: 'rgba(0,0,0,.25)', path: 'rgba(170,160,166,.38)',
    border: 'rgba(200,196,214,.36)', edge: 'rgba(220,214,232,.75)', gap: '#c3b4f4', gapFill: 'rgba(52,44,82,.5)', text: '#f0eef2', halo: 'rgba(20,20,24,.88)',
    open: '#35b985', closed: '#9aa1ad', unknown: '#f0a53c', ring: '#14151a', site: '#6ea6f5', siteText: '#10131a', reach: '#ffd9d9', you: '#5aa2ff' },
};
RedMap.dark = matchMedia('(prefers-color-scheme: dark)');
RedMap.THEMES = ['auto', 'light', 'dark'];
RedMap.night = () => false; // the riders' page is dark at night
RedMap.isDark = () => !document.body.classList.contains('printing') && (RedMap.state.theme === 'dark' || (RedMap.state.theme !== 'light' && (RedMap.dark.matches || RedMap.night())));
RedMap.palette = () => RedMap.PALETTES[RedMap.isDark() ? 'dark' : 'light'];
RedMap.drawTheme = () => {
  const dark = RedMap.isDark(), button = RedMap.byId('theme');
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  button.textContent = dark ? '☀' : '☾';
  button.setAttribute('aria-label', RedMap.t(dark ? 'toLight' : 'toDark'));
};

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
/* The same in shares of `most` parts, each given to `draw`: none takes a frame's time. */
RedMap.shares = function* (ctx, layer, v, passes, close, most, draw) {
  let parts = 0;
  ctx.beginPath();
  for (let f = 0; f < layer.count; f++) {
    if (layer.groups && f < layer.groups.of && f % layer.groups.size === 0 && !RedMap.groupSeen(layer, f / layer.groups.size, v, 8)) { f += Math.min(layer.groups.size, layer.groups.of - f) - 1; continue; }
    if (!passes(layer.tag[f])) continue;
    for (let p = layer.partFrom[f]; p < layer.partFrom[f + 1]; p++) if (RedMap.partSeen(layer, p, v, 8)) { RedMap.trace(ctx, layer, p, v, close); parts++; }
    if (parts < most) continue;
    draw();
    yield;
    parts = 0;
    ctx.beginPath();
  }
  if (parts) { draw(); yield; }
};
RedMap.place = (v, at) => {
  const [x, y] = RedMap.mercator(at[0], at[1]);
  return [x * v.k - v.left, -y * v.k - v.top];
};

/* ---- painters, in drawing order ---- */
RedMap.paintBands = function* (ctx, v, now) {
  if (now) { yield* RedMap.paintField(ctx, v, now); return; }
  const layer = RedMap.layers.bands, minutes = RedMap.data.minutes, rows = minutes.map((_, i) => i).sort((a, b) => minutes[b] - minutes[a]);
  for (const [i, row] of rows.entries()) {
    if (minutes[row] > RedMap.state.minutes) continue;
    if (RedMap.path(ctx, layer, v, (tag) => tag === row, true)) {
      ctx.fillStyle = RedMap.bandColour(rows.length - 1 - i, rows.length);
      ctx.fill('evenodd');
    }
    yield;
  }
};
RedMap.paintStations = (ctx, v, choice) => {
  const size = v.z < 12 ? 3.8 : v.z < 13 ? 5 : v.z < 15 ? 7 : 8.5;
  RedMap.data.stations.forEach((s, row) => {
    if (!RedMap.shown(s, choice)) return;
    const [x, y] = RedMap.place(v, s.at);
    if (x < -20 || y < -20 || x > v.size + 20 || y > v.size + 20) return;
    const chosen = row === RedMap.selectedStation();
    RedMap.mark(ctx, RedMap.stateUnder(s, choice), x, y, chosen ? size * 1.5 : size);
  });
};
RedMap.paintSites = (ctx, v) => {
  for (const s of [...RedMap.data.sites].reverse()) {
    const [x, y] = RedMap.place(v, s.at);
    if (x > -30 && y > -10 && x < v.size + 30 && y < v.size + 50) RedMap.mark(ctx, 'site', x, y, v.z < 12 ? 7 : 9, s.rank);
  }
};

RedMap.paintEdge = (ctx, v) => {
  if (!RedMap.path(ctx, RedMap.layers.edge, v, () => true, true)) return;
  ctx.strokeStyle = RedMap.palette().edge;
  ctx.lineWidth = 1.6;
  ctx.setLineDash([10, 4, 2, 4]);
  ctx.stroke();
  ctx.setLineDash([]);
};

/* ---- labels: chosen once a zoom over the whole map, so that tiles agree ---- */
RedMap.labelCache = new Map();
RedMap.labels = (ctx, z, now, choice) => {
  const key = z + '|' + (now ? now.turn : 0);
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
  if (on.stations) for (const s of d.stations) if (RedMap.shown(s, choice)) keep(s.at, 8, 8, 8);
  const ranks = z < 13 ? 10 : z < 14 ? 25 : Infinity; // small gaps get their number when there is room
  // a number stands in its gap, beside pins and stations; the worst ones get theirs in any case
  const beside = [0, -22, 22, -44, 44].flatMap((dy) => [0, 32, -32, 64, -64].map((dx) => /** @type {[number, number]} */ ([dx, dy]))).sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
  if (on.gaps) for (const g of now ? now.gaps : d.gaps || []) {
    if (g.rank > ranks) continue;
    const [gx, gy] = RedMap.place(v, g.at), box = ([dx, dy]) => [gx + dx - 14, gy + dy - 9, gx + dx + 14, gy + dy + 9];
    const inside = ([dx, dy]) => now ? true : RedMap.featureIn(RedMap.layers.gaps, (gx + dx + v.left) / v.k, -(gy + dy + v.top) / v.k) === g.area;
    const spot = beside.find((move) => free(box(move)) && inside(move)) || (g.rank <= 5 && beside.find((move) => Math.hypot(...move) < 40 && free(box(move))));
    if (!spot) continue;
    take(box(spot));
    chosen.push({ x: gx + spot[0], y: gy + spot[1], w: 60, gap: g.rank, dx: -spot[0], dy: -spot[1], away: !inside(spot) });
  }
  if (on.names) {
    if (on.stations) for (const s of d.stations) if (RedMap.shown(s, choice)) add(s.at, s.name, strong, 18, d.page === 'public' ? 14 : 15);
    if (on.sites) for (const s of d.sites) add(s.at, s.name, strong, 12, 15);
    for (const a of d.communities || []) add(a.at, a.name, plain, 0, 13);
  }
  RedMap.labelCache.set(key, chosen);
  return chosen;
};
RedMap.paintLabels = (ctx, v, coords, now, choice) => {
  const c = RedMap.palette(), left = coords.x * v.size, top = coords.y * v.size;
  for (const label of RedMap.labels(ctx, v.z, now, choice)) {
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

/* Everything that is on, in one square view, step by step; `coords` counts such squares from the corner of the world,
   `side` is `now` or what is pinned beside it. */
RedMap.painting = function* (ctx, v, coords, ratio, side) {
  const on = RedMap.state.on, has = RedMap.layers, pinned = side === 'pinned' && RedMap.pinned, now = (pinned ? pinned.now : RedMap.now) || null, choice = pinned ? pinned.choice : RedMap.choice;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  ctx.clearRect(0, 0, v.size, v.size);
  if (!RedMap.tiles) { ctx.fillStyle = RedMap.palette().ground; ctx.fillRect(0, 0, v.size, v.size); }
  if (on.areas && has.areas) { RedMap.paintAreas(ctx, v, now); yield; }
  // side streets lie under the bands until these are wide enough to carry them
  const roads = on.roads && has.roads && !RedMap.tiles; // a map from the net has roads of its own
  if (roads && v.z < 15) yield* RedMap.paintRoads(ctx, v, [2]);
  if (RedMap.tiles) ctx.globalAlpha = .55;
  if (on.bands && has.bands) yield* RedMap.paintBands(ctx, v, now);
  ctx.globalAlpha = 1;
  if (roads) yield* RedMap.paintRoads(ctx, v, v.z < 15 ? [1, 0] : [2, 1, 0]);
  if (on.areas && has.areas && RedMap.data.approval) RedMap.paintBorders(ctx, v);
  if (has.edge) { RedMap.paintEdge(ctx, v); yield; }
  if (on.gaps && has.gaps) { if (now) yield* RedMap.paintMissing(ctx, v, ratio, now); else yield* RedMap.paintGaps(ctx, v, ratio); yield; }
  if (on.stations && has.reach) RedMap.paintReach(ctx, v);
  if (on.problems) RedMap.paintProblems(ctx, v);
  if (on.stations) RedMap.paintStations(ctx, v, choice);
  yield;
  RedMap.paintLabels(ctx, v, coords, now, choice);
  if (on.sites) RedMap.paintSites(ctx, v);
  if (RedMap.state.you) { const [x, y] = RedMap.place(v, RedMap.state.you); RedMap.mark(ctx, 'you', x, y, 8); }
};
RedMap.paint = (...all) => { for (const step of RedMap.painting(...all)) if (step) throw new Error('a step gives nothing'); };

/* choice.js: what counts (mode, minutes, services, hour, stations, trial stations), and the figures for it.
   The study's own choice is `base`: its figures are those of the analysis; any other is computed in a worker. */
'use strict';
RedMap.HOURS_OF_TRIAL = ['24/7', 'Mo-Su 08:00-18:00', 'Mo-Su 08:00-22:00'];
RedMap.TRIAL_SERVICES = ['warmth', 'cooling', 'water', 'toilet', 'rest', 'first_aid', 'phone_charging', 'ebike_charging'];

/* The choice of the study itself. */
RedMap.baseChoice = () => ({ mode: 0, minutes: RedMap.data.standard.limit_minutes, services: [], kinds: [], issuers: [], at: -1, off: [], sites: [], add: [] });
RedMap.isBase = (c) => c.mode === 0 && c.minutes === RedMap.data.standard.limit_minutes && !c.services.length && !c.kinds.length && !c.issuers.length && c.at < 0 && !c.off.length && !c.sites.length && !c.add.length;
RedMap.changed = (c) => c.off.length + c.sites.length + c.add.length > 0;
RedMap.hourWord = (at) => at < 0 ? RedMap.t('anyTime') : RedMap.t(RedMap.DAY_WORDS[Math.floor(at / 24)]) + ' ' + String(at % 24).padStart(2, '0') + ':00';

/* ---- the address: #f=mode,minutes,service+service,hour & kind=|by= & off=ids & open=sites & add=lon,lat,services,hours;… ---- */
RedMap.TRIALS_IN_LINK = 300;
/* Services of a trial station as one short word: a bit each, in the order of the vocabulary. */
RedMap.mask = (services) => '~' + Object.keys(RedMap.data.strings.zh.svc).reduce((sum, s, i) => sum + (services.includes(s) ? 2 ** i : 0), 0).toString(36);
RedMap.unmask = (text) => {
  const all = Object.keys(RedMap.data.strings.zh.svc), bits = /^~[0-9a-z]{1,8}$/.test(text) ? parseInt(text.slice(1), 36) : -1;
  return bits < 0 ? (text || '').split('+').filter((s) => all.includes(s)) : all.filter((_, i) => Math.floor(bits / 2 ** i) % 2);
};
RedMap.choiceToHash = (c) => {
  if (!RedMap.model || RedMap.isBase(c)) return {};
  return { f: [RedMap.data.engine.modes[c.mode].mode, c.minutes, c.services.join('+'), c.at].join(','), kind: c.kinds.join('|'), by: c.issuers.join('|'), off: c.off.join(','), open: c.sites.join(','),
    add: c.add.slice(0, RedMap.TRIALS_IN_LINK).map((a) => [a.at[0].toFixed(5), a.at[1].toFixed(5), RedMap.mask(a.services), RedMap.HOURS_OF_TRIAL.indexOf(a.hours)].join(',')).join(';') };
};
RedMap.choiceFromHash = (asked) => {
  const c = RedMap.baseChoice(), d = RedMap.data, known = (list, text, split) => (text || '').split(split).filter((x) => x && list.includes(x));
  const [mode, minutes, services, at] = (asked.f || '').split(',');
  const row = d.engine.modes.findIndex((m) => m.mode === mode);
  if (row >= 0) c.mode = row;
  if (+minutes >= 1 && +minutes <= 60) c.minutes = Math.round(+minutes);
  c.services = known(Object.keys(d.strings.zh.svc), services, '+');
  if (/^\d{1,3}$/.test(at || '') && +at < 168) c.at = +at;
  c.kinds = known(RedMap.distinct('kind'), asked.kind, '|');
  c.issuers = known(RedMap.distinct('issuer'), asked.by, '|');
  c.off = known(d.stations.map((s) => s.id), asked.off, ',');
  c.sites = known(d.sites.map((s) => s.id), asked.open, ',');
  c.add = (asked.add || '').split(';').slice(0, RedMap.TRIALS_IN_LINK).map((text) => text.split(',')).filter((p) => p.length === 4 && Math.abs(+p[0]) <= 180 && Math.abs(+p[1]) <= 85)
    .map((p) => RedMap.trial([+p[0], +p[1]], RedMap.unmask(p[2]), RedMap.HOURS_OF_TRIAL[+p[3]] || '24/7'));
  return c;
};
RedMap.trial = (at, services, hours) => ({ at, services: services || [...RedMap.TRIAL_SERVICES], hours: hours || '24/7' });

/* ---- who counts ---- */
RedMap.weekOf = (station) => station.week ? (at) => (parseInt(station.week[at >> 2], 16) >> (3 - (at & 3))) & 1 : () => 0;
RedMap.trialOpen = (hours, at) => RedMap.openAt(hours, Math.floor(at / 24), (at % 24) * 60) === true;
/* The kinds of stations, or who runs them: most stations first. */
RedMap.distinct = (key) => {
  const count = new Map();
  for (const s of RedMap.data.stations) if (s[key]) count.set(s[key], (count.get(s[key]) || 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1]).map(([value]) => value);
};
RedMap.offers = (services, wanted) => wanted.every((s) => services.includes(s));
/* One link a station, then a site, then a trial station; null where it does not count. */
RedMap.sourcesOf = (c, at) => {
  const d = RedMap.data, mode = d.engine.modes[c.mode], link = ([edge, offset, access]) => ({ edge, offset: offset / 1000, access: access / 1000 });
  return [
    ...d.stations.map((s, i) => !RedMap.counts(s, c) || (at >= 0 && !RedMap.weekOf(s)(at)) ? null : link(mode.stations[i])),
    ...d.sites.map((s, i) => c.sites.includes(s.id) ? link(mode.sites[i]) : null),
    ...c.add.map((a) => !RedMap.offers(a.services, c.services) || (at >= 0 && !RedMap.trialOpen(a.hours, at)) ? null : { place: a.at }),
  ];
};
RedMap.counts = (station, c = RedMap.choice) => {
  return !c || (!c.off.includes(station.id) && RedMap.offers(station.services, c.services) && (!c.kinds.length || c.kinds.includes(station.kind)) && (!c.issuers.length || c.issuers.includes(station.issuer)));
};

/* ---- the engine: in a worker, or here where there is none ---- */
RedMap.engineRoom = () => {
  const task = function (makeEngine, makeGrouping) {
    const engine = makeEngine(), grouping = makeGrouping(), walls = { pieces: new Float64Array(0), link: 0, parted: null };
    let model = null, home = null;
    // a trial station is linked to the nearest way; its place is told in degrees
    const placed = (ask, sources) => sources.map((s) => {
      if (!s || !s.place) return s;
      const E = 6378137, x = E * s.place[0] * Math.PI / 180 - home.x, y = E * Math.log(Math.tan(Math.PI / 4 + s.place[1] * Math.PI / 360)) - home.y;
      return engine.snap(model, ask.mode, x, y, home.q, 1 / Math.cos(s.place[1] * Math.PI / 180), ask.access);
    });
    return {
      load: ({ bytes, head, origin }) => { home = origin; model = engine.decode(bytes, head); return true; },
      walls: (pieces) => { walls.pieces = pieces; walls.link = 0; return true; },
      figures: (ask) => {
        const from = Date.now(), sources = placed(ask, ask.sources), out = engine.figures(model, { ...ask, sources }), { layer, link, wide } = ask.gaps;
        if (walls.link !== link) { walls.link = link; walls.parted = grouping.makeWalls(walls.pieces, link); }
        const { missed, reached } = engine.sides(model, out.seconds, layer, ask.limit);
        return { ...out, sources, missing: Int32Array.from(missed), reached: Int32Array.from(reached), gaps: grouping.groups(model, missed, link, walls.parted, wide), ms: Date.now() - from };
      },
      covered: (ask) => engine.coveredBy(model, { ...ask, sets: ask.sets.map((set) => placed(ask, set)) }),
    };
  };
  const waiting = new Map();
  let worker = null, here = null, number = 0;
  try {
    const source = makeEngine.toString() + ';' + makeGrouping.toString() + ';const room=(' + task.toString() + ')(makeEngine,makeGrouping);onmessage=(event)=>{const{id,name,ask}=event.data;try{postMessage({id,out:room[name](ask)})}catch(error){postMessage({id,error:String(error)})}}';
    worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    worker.onmessage = ({ data }) => {
      const [done, fail] = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) fail(new Error(data.error)); else done(data.out);
    };
  } catch (error) { worker = null; }
  if (!worker) here = task(makeEngine, makeGrouping);
  return (name, ask) => worker ? new Promise((done, fail) => { waiting.set(++number, [done, fail]); worker.postMessage({ id: number, name, ask }); }) : Promise.resolve().then(() => here[name](ask));
};

RedMap.loadEngine = async () => {
  const bytes = await RedMap.unzip('engine'), head = RedMap.data.engine;
  RedMap.ask = RedMap.engineRoom();
  RedMap.ask('load', { bytes, head, origin: RedMap.data.layers.engine }).catch((error) => console.error(error));
  return makeEngine().decode(bytes, head); // the map is drawn from it while the worker starts
};
RedMap.startEngine = async (loading, asked) => {
  const header = RedMap.data.layers.engine;
  RedMap.model = await loading;
  RedMap.model.places = RedMap.model.modes.map((mode) => mode.places);
  RedMap.model.modes = null; // the worker has its own: here the graph is only drawn
  RedMap.layers.roads = RedMap.roadsOf(RedMap.model, header, RedMap.layers.roads);
  RedMap.ask('walls', RedMap.walls()).catch((error) => console.error(error));
  RedMap.choice = RedMap.choiceFromHash(asked);
  if (!RedMap.isBase(RedMap.choice)) await RedMap.compute();
  RedMap.strip();
};

/* Ask again; only the answer to the last question is shown. */
RedMap.asked = 0;
RedMap.askOf = (c) => {
  const d = RedMap.data, minutes = [...new Set([...d.minutes, 20, c.minutes])].sort((a, b) => a - b), names = Object.keys(d.summary.demand);
  const scale = 1 / Math.cos((d.bounds[1] + d.bounds[3]) / 2 * Math.PI / 180);
  return { mode: c.mode, limit: c.minutes * 60, minutes, far: 1200, access: d.standard.max_access_m || 500, sources: RedMap.sourcesOf(c, c.at), scale,
    gaps: { layer: Math.max(0, d.engine.layers.findIndex((l) => l.name === (names.includes('residents') ? 'residents' : names[0]))), link: d.engine.link * scale, wide: 3000 * scale } };
};
RedMap.compute = async () => {
  const turn = ++RedMap.asked, c = RedMap.choice;
  if (RedMap.isBase(c)) { RedMap.now = null; RedMap.awaitedAt = 0; RedMap.afterChoice(); return; }
  const ask = RedMap.askOf(c);
  if (!RedMap.awaitedAt) RedMap.awaitedAt = Date.now();
  let out;
  try { out = await RedMap.ask('figures', ask); } finally { if (turn === RedMap.asked) RedMap.awaitedAt = 0; }
  if (turn !== RedMap.asked) return;
  RedMap.now = RedMap.read(c, ask, out, turn);
  RedMap.afterChoice();
};
RedMap.afterChoice = () => {
  const now = RedMap.now;
  RedMap.shownTurn = now ? now.turn : 0;
  document.documentElement.setAttribute('data-computed', now ? String(RedMap.asked) : 'base');
  RedMap.render();
};

/* The figures of one choice as the panel reads them. */
RedMap.read = (c, ask, out, turn) => {
  const layers = {};
  RedMap.data.engine.layers.forEach((layer, i) => {
    const b = out.layers[i], total = b.total;
    layers[layer.name] = { total, covered: b.covered, share: total ? b.covered / total : 0, two: total ? b.two / total : 0, median: b.median, within: ask.minutes.map((m, j) => [m, total ? b.within[j] / total : 0]) };
  });
  const communities = new Map(out.communities.filter((r) => r.layer === ask.gaps.layer).map((r) => [r.community, r]));
  const gaps = out.gaps.map((g, i) => ({ rank: i + 1, people: g.people, at: RedMap.degrees(g.x, g.y), community: RedMap.mostPeople(g.rows), rows: g.rows }));
  return { turn, choice: c, limit: ask.limit, layers, communities, missing: out.missing, reached: out.reached, gaps, nodes: out.nodes, seconds: out.seconds, sources: out.sources, ms: out.ms, scale: ask.scale };
};
/* Rivers, railways and motorways as straight pieces, in metres from the engine's origin. */
RedMap.walls = () => {
  const layer = RedMap.layers.roads, out = [];
  for (let f = 0; f < layer.count; f++) if (layer.tag[f] >= 4) for (let p = layer.partFrom[f]; p < layer.partFrom[f + 1]; p++) {
    for (let i = layer.pointFrom[p] + 1; i < layer.pointFrom[p + 1]; i++) out.push(layer.xs[i - 1] * layer.q, layer.ys[i - 1] * layer.q, layer.xs[i] * layer.q, layer.ys[i] * layer.q);
  }
  return Float64Array.from(out);
};
RedMap.degrees = (x, y) => {
  const o = RedMap.data.layers.engine, E = RedMap.EARTH;
  return [(x + o.x) / E * 180 / Math.PI, (2 * Math.atan(Math.exp((y + o.y) / E)) - Math.PI / 2) * 180 / Math.PI];
};
RedMap.mostPeople = (rows) => {
  const sum = new Map();
  for (const i of rows) sum.set(RedMap.model.community[i], (sum.get(RedMap.model.community[i]) || 0) + RedMap.model.weight[i]);
  return [...sum].sort((a, b) => b[1] - a[1])[0][0];
};
/* A community as it stands under the choice: `area` is its row in the analysis. */
RedMap.communityNow = (c) => RedMap.communityUnder(c, RedMap.now);
RedMap.communityUnder = (c, now) => {
  if (!now) return c;
  const r = now.communities.get(c.area);
  return { ...c, covered: r ? r.covered : 0, share: r && r.total ? r.covered / r.total : null, median: r ? r.median : null };
};
/* The class of each area's share, kept with the figures that it comes from. */
RedMap.areaClasses = (now) => {
  const kept = now || RedMap.data;
  if (!kept.areaClasses) {
    kept.areaClasses = [];
    for (const c of RedMap.data.communities) if (c.area >= 0) { const share = RedMap.communityUnder(c, now).share; kept.areaClasses[c.area] = share === null ? 0 : RedMap.areaClass(share); }
  }
  return kept.areaClasses;
};
RedMap.blockNow = (name) => {
  const b = RedMap.data.summary.demand[name] || {}, n = RedMap.now && RedMap.now.layers[name];
  if (!n) return b;
  return { ...b, total: n.total, covered: n.covered, share: n.share, share_two_or_more: n.two, median_minutes: n.median, share_by_minutes: Object.fromEntries(n.within), share_straight_line: null, share_range: [] };
};

/* Change the choice; `live` while something is dragged. */
RedMap.choose = (patch) => {
  RedMap.choice = { ...RedMap.choice, ...patch };
  RedMap.drawTrials();
  RedMap.writeHash();
  const done = RedMap.compute();
  done.then(RedMap.strip); // the figures first
  return done;
};

/* ---- every hour of the week ---- */
RedMap.HOURS_AT_ONCE = 4;
RedMap.STRIP_WAITS_MS = 200; // for the next move of whoever drags or clicks on
RedMap.strip = async () => {
  const c = RedMap.choice, key = JSON.stringify([c.mode, c.minutes, c.services, c.kinds, c.issuers, c.off, c.sites, c.add]);
  if (!RedMap.model || key === RedMap.stripKey) return;
  RedMap.stripKey = key;
  await new Promise((done) => { setTimeout(done, RedMap.STRIP_WAITS_MS); });
  if (key !== RedMap.stripKey) return;
  const sets = [], which = [], seen = new Map();
  for (let at = 0; at < 168; at++) {
    const sources = RedMap.sourcesOf(c, at), mark = sources.map((s) => (s ? 1 : 0)).join('');
    if (!seen.has(mark)) { seen.set(mark, sets.length); sets.push(sources); }
    which.push(seen.get(mark));
  }
  const covered = [];
  // a few hours at a time: whoever changes a filter meanwhile does not wait for the whole week
  while (covered.length < sets.length) {
    covered.push(...await RedMap.ask('covered', { mode: c.mode, limit: c.minutes * 60, access: RedMap.data.standard.max_access_m || 500, sets: sets.slice(covered.length, covered.length + RedMap.HOURS_AT_ONCE) }));
    if (key !== RedMap.stripKey) return;
  }
  RedMap.week168 = which.map((set) => covered[set]);
  document.documentElement.setAttribute('data-week', '1');
  RedMap.render();
};

/* ---- the graph as a layer to draw: its edges, then water and railways ---- */
RedMap.roadsOf = (model, home, rest) => {
  const { pointFrom, xs, ys } = model.lines, m = model.kind.length, extra = rest ? rest.count : 0, shiftX = rest ? Math.round((rest.x - home.x) / home.q) : 0, shiftY = rest ? Math.round((rest.y - home.y) / home.q) : 0;
  const parts = rest ? rest.partFrom[rest.count] : 0, points = rest ? rest.xs.length : 0;
  const out = { x: home.x, y: home.y, q: home.q, count: m + extra, tag: new Int32Array(m + extra), partFrom: new Int32Array(m + extra + 1), pointFrom: new Int32Array(m + parts + 1), box: new Int32Array(4 * (m + parts)), xs: new Int32Array(xs.length + points), ys: new Int32Array(ys.length + points) };
  out.xs.set(xs); out.ys.set(ys);
  out.pointFrom.set(pointFrom);
  for (let e = 0; e < m; e++) { out.tag[e] = model.kind[e]; out.partFrom[e + 1] = e + 1; }
  for (let f = 0; f < extra; f++) { out.tag[m + f] = rest.tag[f]; out.partFrom[m + f + 1] = m + rest.partFrom[f + 1]; }
  for (let p = 0; p < parts; p++) out.pointFrom[m + p + 1] = xs.length + rest.pointFrom[p + 1];
  for (let i = 0; i < points; i++) { out.xs[xs.length + i] = rest.xs[i] + shiftX; out.ys[ys.length + i] = rest.ys[i] + shiftY; }
  for (let p = 0; p < m + parts; p++) {
    let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
    for (let i = out.pointFrom[p]; i < out.pointFrom[p + 1]; i++) { west = Math.min(west, out.xs[i]); east = Math.max(east, out.xs[i]); south = Math.min(south, out.ys[i]); north = Math.max(north, out.ys[i]); }
    out.box.set([west, south, east, north], 4 * p);
  }
  // groups of neighbours in one box: a tile looks at a few hundred boxes instead of all edges
  const size = 128, groups = Math.ceil(m / size);
  out.groups = { size, count: groups, box: new Int32Array(4 * groups), of: m };
  for (let g = 0; g < groups; g++) {
    let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
    for (let p = g * size; p < Math.min(m, (g + 1) * size); p++) { west = Math.min(west, out.box[4 * p]); south = Math.min(south, out.box[4 * p + 1]); east = Math.max(east, out.box[4 * p + 2]); north = Math.max(north, out.box[4 * p + 3]); }
    out.groups.box.set([west, south, east, north], 4 * g);
  }
  return out;
};

/* places.js: what both pages do with places: map set-up, state of stations, popups, scale, hit tests. */
'use strict';

/* open, closed or unknown: at the chosen time of week (planner) or now in China (public). */
RedMap.stateOf = (station) => RedMap.stateUnder(station, RedMap.choice);
RedMap.stateUnder = (station, chosen) => {
  if (RedMap.data.page === 'planner') {
    if (chosen && chosen.at >= 0) return station.week ? (RedMap.weekOf(station)(chosen.at) ? 'open' : 'closed') : 'unknown';
    const at = RedMap.data.times.indexOf(RedMap.state.time);
    if (station.open === null || at < 0) return 'unknown';
    return station.open[at] === '1' ? 'open' : 'closed';
  }
  const now = RedMap.state.now, open = RedMap.openAt(station.hours, now.day, now.minute);
  return open === null ? 'unknown' : open ? 'open' : 'closed';
};
RedMap.stateWord = (state) => RedMap.t(RedMap.data.page === 'planner'
  ? { open: 'open', closed: 'closed', unknown: 'openUnknown' }[state]
  : { open: 'openNow', closed: 'closedNow', unknown: 'unknownNow' }[state]);
/* Whether a station is asked for: by the planner's choice, by the public page's services. */
RedMap.shown = (station, choice = RedMap.choice) => !RedMap.counts || RedMap.counts(station, choice);
RedMap.chip = (state) => RedMap.el('span', { class: 'chip ' + state }, RedMap.stateWord(state));

RedMap.selectedStation = () => {
  const [kind, id] = RedMap.split(RedMap.state.sel);
  return kind === 'station' ? RedMap.data.stations.findIndex((s) => s.id === id) : -1;
};
RedMap.split = (sel) => { const i = (sel || '').indexOf(':'); return i < 0 ? ['', ''] : [sel.slice(0, i), sel.slice(i + 1)]; };

RedMap.row = (label, value) => value === '' || value === null || value === undefined ? []
  : [RedMap.el('dt', {}, label), RedMap.el('dd', {}, value)];
RedMap.calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
RedMap.fly = (at, zoom) => {
  const to = [at[1], at[0]], z = Math.max(RedMap.map.getZoom(), zoom || 15);
  if (RedMap.calm() || RedMap.map.getZoom() === z) RedMap.map.setView(to, z, { animate: !RedMap.calm() });
  else {
    RedMap.map.flyTo(to, z, { duration: .7 });
    RedMap.flying = true; // what is flown over need not be painted
    RedMap.map.once('zoomend movestart', () => { RedMap.flying = false; });
  }
};

/* The station or site under a pixel, nearest first. */
RedMap.hit = (point, reach) => {
  let best = null, least = reach;
  const test = (kind, item, dy) => {
    const p = RedMap.map.latLngToContainerPoint([item.at[1], item.at[0]]), d = Math.hypot(p.x - point.x, p.y + dy - point.y);
    if (d < least) { least = d; best = { kind, item }; }
  };
  if (RedMap.state.on.sites) for (const s of RedMap.data.sites) test('site', s, -15);
  if (RedMap.state.on.stations) for (const s of RedMap.data.stations) if (RedMap.shown(s)) test('station', s, 0);
  if (RedMap.state.on.problems) for (const s of RedMap.data.problems || []) test('problem', s, 0);
  return best;
};

RedMap.scale = () => {
  const map = RedMap.map, y = map.getSize().y / 2;
  const metres = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([100, y]));
  if (!(metres > 0)) return;
  const power = 10 ** Math.floor(Math.log10(metres)), round = [5, 2, 1].map((k) => k * power).find((v) => v <= metres);
  const bar = RedMap.byId('scale');
  bar.style.width = Math.round(100 * round / metres) + 'px';
  bar.textContent = round >= 1000 ? RedMap.t('kilometres', { n: round / 1000 }) : RedMap.t('metres', { n: Math.round(round) });
};

RedMap.home = () => {
  const [w, s, e, n] = RedMap.data.bounds;
  if (w === null || !(e > w && n > s)) return;
  RedMap.map.fitBounds([[s, w], [n, e]], { paddingTopLeft: [14, 14], paddingBottomRight: [14, 34], animate: false });
};

/* Show the place that an address asks for: zoom/latitude/longitude; false where it is none. */
RedMap.look = (text) => {
  const view = /^(\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(text || '');
  if (!view || +view[1] > 19 || Math.abs(+view[2]) > 85 || Math.abs(+view[3]) > 180) return false;
  RedMap.map.setView([+view[2], +view[3]], +view[1], { animate: false });
  return true;
};
/* Start: read the data, restore the state, draw, say so. Errors surface in the console. */
RedMap.start = async (map) => {
  RedMap.map = map;
  RedMap.data = JSON.parse(RedMap.byId('redmap-data').textContent);
  const asked = RedMap.readHash();
  RedMap.state.lang = ['zh', 'en'].includes(asked.lang) ? asked.lang : RedMap.data.lang;
  const engine = RedMap.data.layers.engine ? RedMap.loadEngine() : null; // the worker reads while the page does
  for (const [id, header] of Object.entries(RedMap.data.layers)) if (id !== 'engine') RedMap.layers[id] = await RedMap.decode(id, header);
  RedMap.setup(asked);
  if (engine) await RedMap.startEngine(engine, asked);
  map.invalidateSize({ animate: false });
  if (!RedMap.look(asked.map)) RedMap.home();
  RedMap.ground = new RedMap.Ground().addTo(map);
  RedMap.byId('zoom-in').addEventListener('click', () => map.zoomIn());
  RedMap.byId('zoom-out').addEventListener('click', () => map.zoomOut());
  RedMap.byId('zoom-home').addEventListener('click', () => RedMap.home());
  RedMap.byId('language').addEventListener('click', () => RedMap.set({ lang: RedMap.state.lang === 'zh' ? 'en' : 'zh' }));
  map.on('moveend zoomend resize', () => { RedMap.scale(); RedMap.writeHash(); });
  map.on('popupclose', (event) => { if (!RedMap.quiet && event.popup === RedMap.open) { RedMap.open = null; RedMap.byId('stage').classList.remove('carded'); RedMap.set({ sel: '' }); if (RedMap.goBack) setTimeout(RedMap.goBack, 0); } });
  RedMap.dark.addEventListener('change', () => RedMap.render());
  addEventListener('resize', () => map.invalidateSize({ animate: false }));
  map.on('mousemove', (event) => {
    const found = RedMap.hit(event.containerPoint, 13), tip = RedMap.byId('tip');
    map.getContainer().classList.toggle('pointing', !!found);
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = found.item.name;
    tip.style.left = event.originalEvent.clientX + 14 + 'px';
    tip.style.top = event.originalEvent.clientY + 14 + 'px';
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && RedMap.open && event.target !== RedMap.byId('search')) map.closePopup(RedMap.open); });
  map.on('mouseout', () => { RedMap.byId('tip').hidden = true; });
  RedMap.tellHeight();
  RedMap.byId('theme').addEventListener('click', () => RedMap.set({ theme: RedMap.isDark() ? 'light' : 'dark' }));
  RedMap.views.unshift(RedMap.drawTheme, RedMap.words, RedMap.scale);
  map.on('move zoom', () => { RedMap.movedAt = Date.now(); });
  RedMap.render();
  if (RedMap.ready) RedMap.ready(asked);
  RedMap.ground.flush();
  performance.mark('redmap-ready');
  document.documentElement.setAttribute('data-ready', '1');
};

/* public.js: for riders: the nearest stations from a tap or from the device's place, in one hand, at night. */
'use strict';
RedMap.NEAREST = 5;
RedMap.NIGHT = { from: 19 * 60, to: 6 * 60 };
// what riders look for stands first
RedMap.SERVICE_ORDER = ['toilet', 'water', 'rest', 'warmth', 'cooling', 'phone_charging', 'ebike_charging', 'battery_swap', 'microwave', 'meals', 'first_aid', 'medical', 'shower', 'fridge', 'wifi', 'repair', 'books', 'gym'];
RedMap.MAPS = ['amap', 'baidu', 'tencent', 'apple'];

RedMap.setup = (asked) => {
  const s = RedMap.state, d = RedMap.data;
  d.sites = []; d.gaps = []; d.communities = [];
  s.on = { bands: true, stations: true, names: true };
  s.steps = [...d.minutes].sort((a, b) => a - b);
  s.now = RedMap.chinaMoment();
  s.theme = RedMap.THEMES.includes(asked.theme) ? asked.theme : 'auto';
  s.sel = ''; // a station of the address is shown when the map stands
  s.you = null;
  s.from = '';
  s.hint = 'tapHint';
  s.onlyOpen = asked.open === '1';
  const used = new Set(d.stations.flatMap((x) => x.services));
  s.services = [...RedMap.SERVICE_ORDER.filter((k) => used.has(k)), ...[...used].filter((k) => !RedMap.SERVICE_ORDER.includes(k))];
  for (const station of d.stations) station.services.sort((a, b) => s.services.indexOf(a) - s.services.indexOf(b));
  s.wanted = (asked.s || '').split(',').filter((k) => s.services.includes(k));
  // the place of the reader never enters the address
  RedMap.hashOf = () => ({ lang: s.lang, s: s.wanted.join(','), open: s.onlyOpen ? '1' : '', theme: s.theme === 'auto' ? '' : s.theme, sel: s.sel });
  RedMap.views.push(RedMap.drawPublic);
  RedMap.byId('locate').addEventListener('click', RedMap.locate);
  RedMap.byId('only-open').addEventListener('click', () => RedMap.set({ onlyOpen: !s.onlyOpen }));
  RedMap.byId('method').addEventListener('click', (event) => {
    event.preventDefault(); // the address is the page's own
    RedMap.set({ sel: '' });
    RedMap.raise(true);
    RedMap.byId('source-note').scrollIntoView({ block: 'end' });
    RedMap.byId('scroll').focus({ preventScroll: true });
  });
  RedMap.byId('handle').addEventListener('click', () => RedMap.raise(!document.body.classList.contains('raised')));
  RedMap.map.on('click', (event) => {
    const found = RedMap.hit(event.containerPoint, 24);
    if (found) RedMap.show(found.item, false);
    else RedMap.set({ you: [event.latlng.lng, event.latlng.lat], from: 'fromTap', hint: '', sel: '' });
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && s.sel) RedMap.leave(); });
  setInterval(() => RedMap.set({ now: RedMap.chinaMoment() }), 60000);
};
RedMap.ready = (asked) => {
  const [kind, id] = RedMap.split(asked.sel), station = kind === 'station' && RedMap.data.stations.find((x) => x.id === id);
  if (station) RedMap.show(station, true);
};

/* ---- dark as the device says, and at night ---- */
RedMap.night = () => RedMap.state.now.minute >= RedMap.NIGHT.from || RedMap.state.now.minute < RedMap.NIGHT.to;

/* ---- state of stations: now, in China ---- */
RedMap.opennessOf = (station) => {
  const { now } = RedMap.state, known = RedMap.opennessKnown.get(station);
  if (known && known.now === now) return known.value;
  const value = RedMap.openness(station.hours, now);
  RedMap.opennessKnown.set(station, { now, value });
  return value;
};
RedMap.opennessKnown = new Map();
RedMap.stateUnder = (station) => RedMap.opennessOf(station).state;
RedMap.shown = (station) => RedMap.state.wanted.every((k) => station.services.includes(k)) && !(RedMap.state.onlyOpen && RedMap.stateOf(station) === 'closed');
RedMap.stateText = (station) => {
  const { state, until, next } = RedMap.opennessOf(station), { t, state: s } = RedMap;
  if (state === 'open') return until === Infinity ? t('allDay') : t('openUntil', { at: RedMap.momentText(until, s.now) });
  if (state === 'closed') return next === null ? t('closedNow') : t('opensAt', { at: RedMap.momentText(next, s.now) });
  return t('hoursUnknown');
};

/* ---- service areas: tag = station's row × steps + step, or only the step where stations are too many ---- */
RedMap.useful = (station) => RedMap.shown(station) && RedMap.stateOf(station) !== 'closed';
RedMap.paintBands = function* (ctx, v) {
  const layer = RedMap.layers.bands, { steps } = RedMap.state, each = RedMap.data.bandsOf === 'station', chosen = each ? RedMap.selectedStation() : -1;
  for (let k = steps.length - 1; k >= 0; k--) {
    ctx.fillStyle = RedMap.bandColour(k, steps.length);
    for (let f = 0; f < layer.count; f++) {
      const row = Math.floor(layer.tag[f] / steps.length);
      if (layer.tag[f] % steps.length !== k || (each && (chosen >= 0 ? row !== chosen : !RedMap.useful(RedMap.data.stations[row])))) continue;
      ctx.beginPath();
      let any = false;
      for (let p = layer.partFrom[f]; p < layer.partFrom[f + 1]; p++) if (RedMap.partSeen(layer, p, v, 4)) { RedMap.trace(ctx, layer, p, v, true); any = true; }
      if (any) ctx.fill('evenodd');
    }
    yield;
  }
};
/* The least step whose area of a station holds a place: row → minutes. Empty where areas are not by station. */
RedMap.minutesFrom = ([lon, lat]) => {
  const layer = RedMap.layers.bands, { steps } = RedMap.state, found = new Map();
  if (RedMap.data.bandsOf !== 'station') return found;
  const [mx, my] = RedMap.mercator(lon, lat), x = (mx - layer.x) / layer.q, y = (my - layer.y) / layer.q;
  for (let f = 0; f < layer.count; f++) {
    let inside = false;
    for (let p = layer.partFrom[f]; p < layer.partFrom[f + 1]; p++) {
      if (x < layer.box[4 * p] || x > layer.box[4 * p + 2] || y < layer.box[4 * p + 1] || y > layer.box[4 * p + 3]) continue;
      for (let i = layer.pointFrom[p], j = layer.pointFrom[p + 1] - 1; i < layer.pointFrom[p + 1]; j = i++) {
        const yi = layer.ys[i], yj = layer.ys[j];
        if ((yi > y) !== (yj > y) && x < (layer.xs[j] - layer.xs[i]) * (y - yi) / (yj - yi) + layer.xs[i]) inside = !inside;
      }
    }
    if (!inside) continue;
    const row = Math.floor(layer.tag[f] / steps.length), minutes = steps[layer.tag[f] % steps.length];
    if (!(found.get(row) <= minutes)) found.set(row, minutes);
  }
  return found;
};

/* Open first, then unknown, closed last; within each fewest minutes, then nearest. */
RedMap.nearest = () => {
  const s = RedMap.state, order = { open: 0, unknown: 1, closed: 2 }, reached = s.you ? RedMap.minutesFrom(s.you) : new Map();
  const rows = RedMap.data.stations.map((station, row) => ({ station, row })).filter(({ station }) => RedMap.shown(station)).map(({ station, row }) => ({
    station, state: RedMap.stateOf(station), minutes: reached.has(row) ? reached.get(row) : null,
    metres: s.you ? RedMap.map.distance([s.you[1], s.you[0]], [station.at[1], station.at[0]]) : null }));
  const rank = (r) => (r.minutes === null ? Infinity : r.minutes);
  const by = (a, b) => order[a.state] - order[b.state] || (a.metres === null ? a.station.name.localeCompare(b.station.name, 'zh', { numeric: true }) : (rank(a) === rank(b) ? 0 : rank(a) - rank(b)) || a.metres - b.metres);
  return rows.sort(by);
};
RedMap.wayText = ({ minutes, metres }) => {
  const { t, state: s } = RedMap, mode = t(RedMap.data.standard.mode), far = Math.max(0, ...s.steps);
  const time = minutes !== null ? t('withinBy', { mode, n: minutes }) : RedMap.data.bandsOf === 'station' && far ? t('beyondBy', { mode, n: far }) : '';
  return [time, t('straightDistance', { d: RedMap.distance(metres) })].filter(Boolean).join(' · ');
};

/* ---- the sheet ---- */
RedMap.raise = (up) => {
  document.body.classList.toggle('raised', up);
  const handle = RedMap.byId('handle');
  handle.setAttribute('aria-expanded', String(up));
  handle.setAttribute('aria-label', RedMap.t(up ? 'lower' : 'raise'));
};
RedMap.show = (station, move) => {
  RedMap.back = RedMap.state.sel ? RedMap.back : document.activeElement;
  RedMap.set({ sel: 'station:' + station.id });
  if (move) RedMap.fly(station.at, 16);
  RedMap.byId('scroll').scrollTop = 0;
  RedMap.byId('card').querySelector('h2').focus({ preventScroll: true });
};
RedMap.leave = () => {
  const id = RedMap.split(RedMap.state.sel)[1];
  RedMap.set({ sel: '' });
  const again = [...RedMap.byId('list').children].find((node) => node.dataset.id === id) || RedMap.byId('locate');
  again.focus();
};
RedMap.locate = () => {
  RedMap.raise(false);
  if (!navigator.geolocation) { RedMap.set({ hint: 'locationFailed', sel: '' }); return; }
  RedMap.set({ hint: 'locating', sel: '' });
  navigator.geolocation.getCurrentPosition((found) => {
    const you = [found.coords.longitude, found.coords.latitude];
    RedMap.set({ you, from: 'fromHere', hint: '' });
    const first = RedMap.nearest()[0];
    if (first) RedMap.map.fitBounds([[you[1], you[0]], [first.station.at[1], first.station.at[0]]], { padding: [50, 50], maxZoom: 16, animate: !RedMap.calm() });
  }, () => RedMap.set({ hint: 'locationFailed' }), { enableHighAccuracy: true, timeout: 10000, maximumAge: 60000 });
};
RedMap.serviceList = (station) => RedMap.el('ul', { class: 'services' }, [...station.services]
  .sort((a, b) => RedMap.state.wanted.includes(b) - RedMap.state.wanted.includes(a))
  .map((k) => RedMap.el('li', {}, RedMap.icon(k), RedMap.word('svc', k))));
RedMap.telephone = (text) => (/^[\d\s+()-]{5,}$/.test(text) ? RedMap.el('a', { class: 'big', href: 'tel:' + text.replace(/[^\d+]/g, '') }, RedMap.t('call', { n: text })) : RedMap.name(text));
RedMap.drawCard = (station) => {
  const { el, t, name, state: s } = RedMap, state = RedMap.stateOf(station), hours = RedMap.hoursText(station.hours), links = RedMap.handover(station);
  const way = s.you ? RedMap.nearest().find((r) => r.station === station) : null;
  const card = RedMap.byId('card');
  if (card.dataset.id !== station.id) { card.replaceChildren(); card.dataset.id = station.id; }
  RedMap.patch(card, [
    el('button', { type: 'button', class: 'back', id: 'back', onclick: RedMap.leave }, '‹ ' + t('back')),
    el('h2', { tabIndex: -1 }, name(station.name)),
    el('p', { class: 'status' }, RedMap.chip(state), el('span', {}, RedMap.stateText(station))),
    way ? el('p', { class: 'way num' }, RedMap.wayText(way)) : '',
    station.services.length ? RedMap.serviceList(station) : el('p', { class: 'muted' }, t('servicesUnknown')),
    station.access ? el('p', { class: 'entry' }, el('b', {}, t('entry')), ' ', name(station.access)) : '',
    el('div', { class: 'maps', role: 'group', 'aria-label': t('openIn') }, el('p', {}, t('openIn')),
      RedMap.MAPS.map((key) => el('a', { href: links[key], target: '_blank', rel: 'noopener noreferrer' }, t(key)))),
    el('dl', {},
      RedMap.row(t('hours'), hours || t('unknown')),
      station.said && !hours ? RedMap.row(t('asTyped'), name(station.said)) : [],
      RedMap.row(t('address'), station.address ? name(station.address) : ''),
      RedMap.row(t('phone'), station.phone ? RedMap.telephone(station.phone) : ''),
      station.plates.length > 1 ? RedMap.row(t('plates'), name(station.plates.join(' · '))) : [])]);
};
RedMap.drawPublic = () => {
  const { el, t, name, state: s, data: d } = RedMap, rows = RedMap.nearest(), chosen = d.stations[RedMap.selectedStation()];
  RedMap.raise(document.body.classList.contains('raised'));
  RedMap.byId('card').hidden = !chosen;
  RedMap.byId('found').hidden = !!chosen;
  RedMap.byId('only-open').setAttribute('aria-pressed', String(s.onlyOpen));
  if (chosen) { RedMap.drawCard(chosen); return; }
  RedMap.byId('hint').textContent = s.hint ? t(s.hint) : t(s.from);
  RedMap.patch(RedMap.byId('services'), s.services.map((k) => el('button', { type: 'button', key: k, 'data-service': k, 'aria-pressed': String(s.wanted.includes(k)),
    onclick: () => RedMap.set({ wanted: s.wanted.includes(k) ? s.wanted.filter((x) => x !== k) : [...s.wanted, k] }) }, RedMap.icon(k), RedMap.word('svc', k))));
  RedMap.byId('list-title').textContent = s.you ? t('nearestTitle') : t('allCount', { n: RedMap.number(rows.length) });
  const listed = s.you ? rows.filter((r) => r.state !== 'closed').slice(0, RedMap.NEAREST) : rows.slice(0, 60);
  RedMap.patch(RedMap.byId('list'), [...listed.map((row) => el('button', { type: 'button', key: row.station.id, class: 'item', 'data-id': row.station.id, onclick: () => RedMap.show(row.station, true) },
    el('span', { class: 'item-head' }, name(row.station.name), RedMap.chip(row.state)),
    row.metres === null ? null : el('span', { class: 'way num' }, RedMap.wayText(row)),
    el('span', { class: 'when' }, RedMap.stateText(row.station)),
    row.station.services.length ? el('span', { class: 'icons' }, row.station.services.map((k) => el('span', { class: 'one' }, RedMap.icon(k), el('span', { class: 'live' }, RedMap.word('svc', k) + ' ')))) : null,
    row.station.access ? el('span', { class: 'entry' }, name(row.station.access)) : null)),
  listed.length ? '' : el('p', { class: 'empty' }, t(s.wanted.length || s.onlyOpen ? 'nothingFits' : 'none'))]);
  const line = RedMap.byId('hotline');
  line.hidden = !d.hotline;
  line.replaceChildren(...(d.hotline ? [el('span', {}, t('hotline')), ' ', RedMap.telephone(d.hotline)] : []));
  const swatch = (colour) => { const dot = el('i', { class: 'dot' }); dot.style.background = colour; return dot; };
  RedMap.byId('legend').replaceChildren(...['open', 'unknown', 'closed'].map((k) => RedMap.chip(k)),
    el('span', { class: 'bands' }, t(d.bandsOf === 'station' ? 'layerBandsPublic' : 'layerBandsAll', { mode: t(d.standard.mode) }), ...s.steps.map((m, i) => el('span', {}, swatch(RedMap.bandColour(i, s.steps.length)), t('bandLegend', { m })))),
    s.you ? el('span', {}, el('i', { class: 'dot you' }), t('you')) : '');
  const year = new Date(s.now.day * 864e5).getUTCFullYear(), known = d.calendar.years;
  RedMap.byId('calendar-note').textContent = year >= known[0] && year <= known[1] ? '' : t('calendarUnknown', { year });
  RedMap.byId('source-note').textContent = [d.edition ? t('edition', { edition: d.edition }) : '', d.sourceDate ? t('roadsOf', { date: d.sourceDate.slice(0, 10) }) : ''].filter(Boolean).join(' · ');
};

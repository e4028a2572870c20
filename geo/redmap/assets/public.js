/* public.js: for riders: the nearest stations from a tap or from the device's location. */
'use strict';
RedMap.WALK_M_PER_MIN = 4000 / 60;
RedMap.DETOUR = 1.3; // usual ratio of way to straight line in a street grid; said on the page

RedMap.setup = (asked) => {
  const s = RedMap.state, d = RedMap.data;
  d.sites = []; d.gaps = []; d.communities = [];
  s.on = { bands: true, stations: true, names: true, areas: false, gaps: false, sites: false, roads: false };
  s.minutes = Math.max(0, ...d.minutes);
  s.now = RedMap.chinaNow();
  s.sel = '';
  s.you = null;
  s.hint = 'tapHint';
  const used = new Set(d.stations.flatMap((x) => x.services));
  s.services = Object.keys(d.strings.zh.svc).filter((k) => used.has(k));
  s.service = s.services.includes(asked.service) ? asked.service : '';
  // the place of the reader never enters the address
  RedMap.hashOf = () => ({ lang: s.lang, service: s.service });
  RedMap.views.push(RedMap.drawPublic);
  RedMap.byId('locate').addEventListener('click', RedMap.locate);
  RedMap.byId('service').addEventListener('change', (event) => RedMap.set({ service: event.target.value }));
  RedMap.map.on('click', (event) => {
    const found = RedMap.hit(event.containerPoint, 24);
    if (found) RedMap.show(found.item, false);
    else RedMap.set({ you: [event.latlng.lng, event.latlng.lat], from: 'fromTap', hint: '' });
  });
  setInterval(() => RedMap.set({ now: RedMap.chinaNow() }), 60000);
};
RedMap.show = (station, move) => {
  RedMap.state.sel = 'station:' + station.id;
  if (move) RedMap.fly(station.at, 16);
  RedMap.popup(station.at, RedMap.stationCard(station), -6);
  RedMap.render();
  if (move) scrollTo({ top: 0, behavior: RedMap.calm() ? 'auto' : 'smooth' });
};
RedMap.locate = () => {
  if (!navigator.geolocation) { RedMap.set({ hint: 'locationFailed' }); return; }
  RedMap.set({ hint: 'locating' });
  navigator.geolocation.getCurrentPosition((found) => {
    const you = [found.coords.longitude, found.coords.latitude];
    RedMap.set({ you, from: 'fromHere', hint: '' });
    const first = RedMap.nearest()[0];
    if (first) RedMap.map.fitBounds([[you[1], you[0]], [first.station.at[1], first.station.at[0]]], { padding: [50, 50], maxZoom: 16 });
  }, () => RedMap.set({ hint: 'locationFailed' }), { enableHighAccuracy: true, timeout: 10000, maximumAge: 60000 });
};
/* Open first, then unknown, closed last; within each the nearest first. */
RedMap.nearest = () => {
  const s = RedMap.state, order = { open: 0, unknown: 1, closed: 2 };
  const rows = RedMap.data.stations.filter(RedMap.shown).map((station) => ({
    station, state: RedMap.stateOf(station),
    metres: s.you ? RedMap.map.distance([s.you[1], s.you[0]], [station.at[1], station.at[0]]) : null }));
  return rows.sort((a, b) => order[a.state] - order[b.state] || (a.metres === null ? a.station.name.localeCompare(b.station.name, 'zh', { numeric: true }) : a.metres - b.metres));
};
RedMap.drawPublic = () => {
  const { el, t, name, state: s, data: d } = RedMap, rows = RedMap.nearest();
  RedMap.byId('hint').textContent = s.hint ? t(s.hint) : t(s.from);
  RedMap.byId('service').replaceChildren(el('option', { value: '' }, t('anyService')), ...s.services.map((k) => el('option', { value: k, selected: k === s.service }, RedMap.word('svc', k))));
  const swatch = (colour) => { const dot = el('i', { class: 'dot' }); dot.style.background = colour; return dot; };
  const steps = [...d.minutes].sort((a, b) => a - b);
  RedMap.byId('legend').replaceChildren(...['open', 'unknown', 'closed'].map((k) => RedMap.chip(k)),
    el('span', { class: 'band-legend' }, t('layerBandsPublic'), ...steps.map((m, i) => el('span', {}, swatch(RedMap.bandColour(i, steps.length)), t('bandLegend', { m })))), s.you ? el('span', { class: 'band-legend' }, el('span', {}, el('i', { class: 'dot you' }), t('you'))) : '');
  RedMap.byId('list-title').textContent = s.you ? t('nearestTitle') : t('allStations') + (RedMap.state.lang === 'zh' ? '（' + rows.length + '）' : ' (' + rows.length + ')');
  RedMap.byId('list').replaceChildren(...rows.slice(0, s.you ? 5 : 60).map(({ station, state, metres }) => el('button', { type: 'button', class: 'item station', onclick: () => RedMap.show(station, true) },
    el('span', { class: 'item-body' }, el('span', { class: 'item-head' }, name(station.name), RedMap.chip(state)),
      metres === null ? null : el('span', { class: 'muted num' }, t('straightDistance', { d: RedMap.distance(metres) }) + ' · ' + t('about', { n: Math.max(1, Math.ceil(metres * RedMap.DETOUR / RedMap.WALK_M_PER_MIN)) })),
      el('span', { class: 'muted' }, RedMap.hoursText(station.hours) || t('hoursUnknown')),
      station.services.length ? RedMap.services(station.services) : null))));
  const chosen = d.stations[RedMap.selectedStation()];
  if (chosen && RedMap.open) RedMap.open.setContent(RedMap.stationCard(chosen));
};

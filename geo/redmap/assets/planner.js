/* planner.js: the planner's panel, layers, search and downloads. */
'use strict';
RedMap.TABS = ['overview', 'gaps', 'sites', 'whatif', 'communities', 'data'];
RedMap.ON = { bands: true, areas: false, gaps: true, sites: true, stations: true, problems: true, roads: true, names: true };
RedMap.SHOWN_ROWS = 200;
RedMap.rows = RedMap.SHOWN_ROWS;

/* The part of the state that an address may ask for. */
RedMap.take = (asked) => {
  const d = RedMap.data, s = RedMap.state, layers = Object.keys(d.summary.demand);
  s.on = { ...RedMap.ON };
  if (asked.on !== undefined) for (const key of Object.keys(s.on)) s.on[key] = asked.on.split(',').includes(key);
  s.steps = [...d.minutes].sort((a, b) => a - b);
  s.minutes = s.steps.includes(+asked.m) ? +asked.m : (s.steps[s.steps.length - 1] || d.standard.limit_minutes);
  s.time = d.times.includes(asked.t) ? asked.t : (d.times.find((t) => /15:00|12:00/.test(t)) || d.times[0] || '');
  s.demand = layers.includes(asked.d) ? asked.d : RedMap.mainLayer();
  s.tab = RedMap.TABS.includes(asked.tab) ? asked.tab : 'overview';
  s.theme = RedMap.THEMES.includes(asked.theme) ? asked.theme : 'auto';
  s.sel = '';
};
RedMap.setup = (asked) => {
  const s = RedMap.state;
  RedMap.take(asked);
  s.sort = 'uncovered';
  RedMap.hashOf = () => {
    const c = RedMap.map.getCenter();
    return { map: [+RedMap.map.getZoom().toFixed(2), c.lat.toFixed(5), c.lng.toFixed(5)].join('/'), lang: s.lang, theme: s.theme === 'auto' ? '' : s.theme, on: Object.keys(s.on).filter((k) => s.on[k]).join(',') || 'none',
      m: String(s.minutes), t: s.time, d: s.demand, tab: s.tab, sel: s.sel, ...(RedMap.choice ? RedMap.choiceToHash(RedMap.choice) : {}) };
  };
  RedMap.views.push(RedMap.tileLabel, RedMap.drawTabs, RedMap.drawPane, RedMap.drawControls, RedMap.drawLegend, RedMap.refreshPopup);
  RedMap.wireSearch();
  RedMap.byId('print').addEventListener('click', () => print());
  RedMap.byId('method').addEventListener('click', (event) => { event.preventDefault(); RedMap.set({ tab: 'data' }); RedMap.byId('panel').scrollTop = 0; RedMap.byId('pane').focus(); });
  RedMap.wireFullScreen();
  RedMap.hint();
  RedMap.byId('copy').addEventListener('click', RedMap.copyLink);
  if (matchMedia('(min-width: 1081px)').matches) RedMap.byId('rail').open = true; // on less it would lie on the map
  RedMap.byId('rail').addEventListener('toggle', () => RedMap.map.invalidateSize({ animate: false }));
  RedMap.map.on('click', RedMap.onMapClick);
  RedMap.map.getContainer().addEventListener('keydown', RedMap.placeByKeys);
  addEventListener('beforeprint', RedMap.beforePrint);
  addEventListener('afterprint', RedMap.afterPrint);
};
RedMap.ready = (asked) => {
  if (RedMap.choice) RedMap.drawTrials();
  const [kind, id] = RedMap.split(asked.sel);
  if (RedMap.find(kind, id)) RedMap.select(kind, id, !asked.map);
  RedMap.wireHistory();
};
/* The layer that gaps and sites are about, as in the pipeline. */
RedMap.mainLayer = () => { const layers = Object.keys(RedMap.data.summary.demand); return layers.includes('residents') ? 'residents' : layers[0]; };
RedMap.toast = (text) => {
  RedMap.say(text);
  const note = RedMap.el('div', { class: 'toast' }, text);
  document.body.append(note);
  setTimeout(() => note.remove(), 2400);
};

RedMap.copyLink = async () => {
  try { await navigator.clipboard.writeText(location.href); RedMap.toast(RedMap.t('copied')); } catch (error) { RedMap.toast(RedMap.t('copyFailed')); }
};

/* ---- choosing a place ---- */
RedMap.TABLES = new Map([['station', 'stations'], ['site', 'sites'], ['gap', 'gaps'], ['community', 'communities'], ['problem', 'problems']]);
RedMap.find = (kind, id) => RedMap.TABLES.has(kind) ? RedMap.data[RedMap.TABLES.get(kind)].find((x) => x.id === id) : undefined;
RedMap.select = (kind, id, move, at) => {
  const item = RedMap.find(kind, id);
  if (!item || !(at || item.at)) return;
  if (move && kind === 'gap') RedMap.map.fitBounds([[item.box[1], item.box[0]], [item.box[3], item.box[2]]], { maxZoom: 16, padding: [60, 60], animate: !RedMap.calm() });
  else if (move) RedMap.fly(item.at, kind === 'community' ? 15 : 16);
  RedMap.where = at || item.at;
  const layer = { station: 'stations', site: 'sites', gap: 'gaps', problem: 'problems' }[kind];
  if (layer) RedMap.state.on[layer] = true;
  RedMap.state.sel = kind + ':' + id;
  const from = document.activeElement, asked = from && from.closest('#panel, .search');
  RedMap.popup(RedMap.where, RedMap.cardOf(kind, item), kind === 'site' ? -26 : -4, move);
  RedMap.render();
  if (asked) { RedMap.cameFrom = from; RedMap.cardBox.querySelector('h3').focus({ preventScroll: true }); }
  if (move) RedMap.settle(RedMap.open);
  if (move && !matchMedia('(min-width: 761px)').matches) scrollTo({ top: 0, behavior: RedMap.calm() ? 'auto' : 'smooth' });
};
/* A closed card gives the focus back to what opened it. */
RedMap.goBack = () => {
  const from = RedMap.cameFrom, lost = document.activeElement === document.body || !document.activeElement;
  RedMap.cameFrom = null;
  if (from && lost) (from.isConnected ? from : RedMap.byId('pane')).focus({ preventScroll: true });
};
RedMap.refreshPopup = () => {
  const [kind, id] = RedMap.split(RedMap.state.sel), item = RedMap.find(kind, id);
  if (!item || !RedMap.open) return;
  RedMap.patch(RedMap.cardBox, [RedMap.cardOf(kind, item)]);
  RedMap.fitCard();
};
RedMap.onMapClick = (event) => {
  if (RedMap.placing) { RedMap.addTrial([event.latlng.lng, event.latlng.lat]); return; }
  const found = RedMap.hit(event.containerPoint, event.originalEvent.pointerType === 'touch' ? 24 : 14);
  if (found) { RedMap.select(found.kind, found.item.id, false); return; }
  const { lng, lat } = event.latlng, d = RedMap.data;
  const gap = RedMap.state.on.gaps && !RedMap.now ? RedMap.featureAt(RedMap.layers.gaps, lng, lat) : -1;
  if (gap >= 0) { RedMap.select('gap', d.gaps.find((g) => g.area === gap).id, false, [lng, lat]); return; }
  const area = RedMap.featureAt(RedMap.layers.areas, lng, lat), community = d.communities.find((c) => c.area === area);
  if (area >= 0 && community) RedMap.select('community', community.id, false, [lng, lat]);
};
/* ---- panel ---- */
RedMap.drawTabs = () => {
  const { el, t, state } = RedMap;
  RedMap.patch(RedMap.byId('tabs'), RedMap.TABS.map((tab, i) => el('button', {
    type: 'button', role: 'tab', id: 'tab-' + tab, tabIndex: tab === state.tab ? 0 : -1, 'aria-selected': String(tab === state.tab), 'aria-controls': 'pane',
    onclick: () => { RedMap.set({ tab }); RedMap.byId('panel').scrollTop = 0; },
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = RedMap.TABS[(i + step + RedMap.TABS.length) % RedMap.TABS.length];
      RedMap.set({ tab: next });
      RedMap.byId('tab-' + next).focus();
    } }, t('tab' + tab[0].toUpperCase() + tab.slice(1)))));
  RedMap.byId('pane').setAttribute('aria-labelledby', 'tab-' + state.tab);
};
RedMap.drawPane = () => {
  const draw = { overview: RedMap.overview, gaps: RedMap.gapList, sites: RedMap.siteList, whatif: RedMap.whatIf, communities: RedMap.communityTable, data: RedMap.dataPane };
  const pane = RedMap.byId('pane'), tab = RedMap.state.tab;
  if (pane.dataset.tab !== tab) { pane.replaceChildren(); pane.dataset.tab = tab; } // one tab's buttons are not another's
  RedMap.patch(pane, draw[tab]());
};
RedMap.block = () => RedMap.blockNow(RedMap.state.demand);

RedMap.bars = (rows) => RedMap.el('div', { class: 'bars' }, rows.map(({ label, share, current, act }) => {
  const { el, percent } = RedMap, fill = el('span', { class: 'fill' });
  fill.style.width = Math.max(0, Math.min(1, share || 0)) * 100 + '%';
  return el(act ? 'button' : 'div', { class: 'bar' + (current ? ' current' : ''), type: act ? 'button' : null, 'aria-pressed': act ? String(!!current) : null, onclick: act || (() => {}) },
    el('span', { class: 'bar-label' }, label), el('span', { class: 'track' }, fill), el('span', { class: 'bar-value' }, percent(share)));
}));

RedMap.overview = () => {
  const { el, t, number, percent, data: d, state: s } = RedMap, b = RedMap.block(), sum = d.summary, layers = Object.keys(sum.demand);
  const mode = t(RedMap.now ? d.engine.modes[RedMap.choice.mode].mode : d.standard.mode), limit = RedMap.now ? RedMap.choice.minutes : d.standard.limit_minutes;
  const delta = b.share_straight_line === null || b.share_straight_line === undefined ? null : (b.share_straight_line - b.share) * 100;
  const kpi = (id, value, label) => el('div', { class: 'kpi', id }, el('b', { class: 'num' }, value), el('span', {}, label));
  const straight = el('div', { class: 'versus' }, [['network', t('networkFigure'), b.share], ['straight', t('straightFigure'), b.share_straight_line]].map(([cls, label, share]) => {
    const fill = el('span', { class: 'fill' });
    fill.style.width = (share || 0) * 100 + '%';
    return el('div', { class: 'versus-row ' + cls }, el('span', {}, label), el('span', { class: 'track' }, fill), el('b', { class: 'num', id: 'share-' + cls }, percent(share)));
  }));
  const range = b.share_range || [];
  return [
    RedMap.banner(),
    layers.length > 1 ? el('div', { class: 'segments', key: 'demand', role: 'group', 'aria-label': t('demand') }, layers.map((key) => el('button', { type: 'button', key, 'aria-pressed': String(key === s.demand), class: RedMap.isWord(key) ? '' : 'data', onclick: () => RedMap.set({ demand: key }) }, RedMap.layerName(key)))) : null,
    el('div', { class: 'headline' },
      el('p', {}, t('headline', { who: RedMap.layerName(s.demand), mode, minutes: limit })),
      el('strong', { class: 'num', id: 'headline' }, percent(b.share)),
      el('p', { class: 'muted' }, t('ofPeople', { covered: RedMap.count(b.covered), total: RedMap.count(b.total) })),
      RedMap.now ? null : straight,
      delta === null ? null : el('p', { class: 'muted', id: 'delta' }, t(delta >= 0 ? 'straightNote' : 'straightUnder', { pp: number(Math.abs(delta), 1) })),
      range.length === 2 ? el('p', { class: 'muted', id: 'range' }, t('rangeNote', { low: percent(range[0]), high: percent(range[1]) })) : null),
    ...(RedMap.now ? [] : RedMap.brief()),
    el('div', { class: 'kpis' },
      kpi('kpi-uncovered', RedMap.count((b.total || 0) - (b.covered || 0)), t('notCovered')), kpi('kpi-two', percent(b.share_two_or_more), t('twoOrMore')),
      kpi('kpi-median', number(b.median_minutes, 1), t('medianMinutes')), kpi('kpi-stations', number(sum.stations.used) + ' / ' + number(sum.stations.listed), t('stationsUsed')),
      kpi('kpi-hours', number(sum.stations.hours_known) + ' / ' + number(sum.stations.used), t('hoursKnown')), kpi('kpi-gaps', number(RedMap.now ? RedMap.now.gaps.length : sum.gaps.count), t('gapCount'))),
    ...RedMap.barBlock('byMinutes', Object.entries(b.share_by_minutes || {}).sort((a, c) => +a[0] - +c[0]).map(([m, share]) => ({ label: t('withinMinutes', { m }), share, current: +m === limit }))),
    ...(RedMap.now ? [] : RedMap.barBlock('byTime', d.times.filter((time) => time in (b.share_by_time || {})).map((time) => ({ label: RedMap.time(time), share: b.share_by_time[time], current: time === s.time, act: () => RedMap.set({ time }) })), t('byTimeNote'))),
    ...(RedMap.now ? [] : RedMap.barBlock('byService', Object.entries(b.share_by_service || {}).map(([key, share]) => ({ label: RedMap.word('svc', key), share })))),
  ];
};
RedMap.barBlock = (title, rows, note) => rows.length ? [RedMap.el('section', { class: 'block' }, RedMap.el('h2', {}, RedMap.t(title)), RedMap.bars(rows), note ? RedMap.el('p', { class: 'note' }, note) : null)] : [];

/* The answer at a glance: who is left out, why, and the first doors to knock on. */
RedMap.FIRST = 3;
RedMap.brief = () => {
  const { el, t, number, percent, data: d } = RedMap, plan = d.plan, out = [], words = d.strings[RedMap.state.lang].reasons, people = new Map();
  const more = (tab, label) => el('button', { type: 'button', class: 'more', onclick: () => { RedMap.set({ tab }); RedMap.byId('panel').scrollTop = 0; } }, label);
  const line = (kind, item, title, value, note) => el('button', { type: 'button', key: kind + ':' + item.id, class: 'line ' + kind + (RedMap.state.sel === kind + ':' + item.id ? ' chosen' : ''), onclick: () => RedMap.select(kind, item.id, true) },
    el('span', { class: 'rank' }, String(item.rank)), el('span', { class: 'line-body' }, RedMap.name(title), el('span', { class: 'muted' }, note)), el('b', { class: 'num' }, value));
  const reason = (g) => Object.prototype.hasOwnProperty.call(words, g.reason) ? words[g.reason] : words.other;
  for (const g of d.gaps) people.set(reason(g), (people.get(reason(g)) || 0) + (g.people || 0));
  const all = [...people.values()].reduce((a, b) => a + b, 0);
  if (d.gaps.length) out.push(el('section', { class: 'block brief', id: 'brief-gaps' }, el('h2', {}, t('briefGaps', { who: RedMap.layerName(RedMap.mainLayer()), people: RedMap.count(d.summary.gaps.people) })),
    el('p', {}, [...people].sort((a, b) => b[1] - a[1]).map(([word, n]) => t('reasonShare', { reason: word, share: percent(n / all, 0) })).join(' · ')),
    el('div', { class: 'lines' }, d.gaps.slice(0, RedMap.FIRST).map((g) => line('gap', g, RedMap.gapName(g), t('people', { n: number(g.people) }), reason(g)))), more('gaps', t('allGaps', { n: d.summary.gaps.count }))));
  if (d.sites.length) out.push(el('section', { class: 'block brief', id: 'brief-sites' }, el('h2', {}, t('briefSites', { n: Math.min(RedMap.FIRST, d.sites.length) })),
    el('div', { class: 'lines' }, d.sites.slice(0, RedMap.FIRST).map((s) => line('site', s, s.name, t('gain', { n: number(s.gain) }), s.kind ? RedMap.word('kinds', s.kind) : ''))),
    more('sites', plan && plan.total ? t('allSites', { n: d.sites.length, before: percent(plan.before / plan.total), after: percent(plan.after / plan.total) }) : t('sitesTitle'))));
  return out;
};

RedMap.item = (kind, item, badge, title, value, ...more) => RedMap.el('button', { type: 'button', key: kind + ':' + item.id, class: 'item ' + kind + (RedMap.state.sel === kind + ':' + item.id ? ' chosen' : ''), onclick: () => RedMap.select(kind, item.id, true) },
  RedMap.el('span', { class: 'rank' }, String(badge)), RedMap.el('span', { class: 'item-body' }, RedMap.el('span', { class: 'item-head' }, RedMap.name(title), RedMap.el('b', { class: 'num' }, value)), ...more));
RedMap.gapList = () => {
  const { el, t, number, data: d } = RedMap;
  if (RedMap.now) {
    const left = RedMap.now.gaps.reduce((sum, g) => sum + g.people, 0), names = new Map(d.communities.map((c) => [c.area, c.name]));
    return [RedMap.banner(), el('h2', {}, t('gapsTitle')), el('p', { class: 'muted' }, t('gapsIntro', { n: number(RedMap.now.gaps.length), people: number(left) })), el('p', { class: 'note' }, t('gapsRough', { m: number(d.engine.link) })),
      el('div', { class: 'list', id: 'gap-list' }, RedMap.now.gaps.slice(0, RedMap.rows).map((g) => el('button', { type: 'button', key: 'gap ' + g.rank, class: 'item gap', onclick: () => RedMap.fly(g.at, 15) }, el('span', { class: 'rank' }, String(g.rank)),
        el('span', { class: 'item-body' }, el('span', { class: 'item-head' }, RedMap.name(names.get(g.community) || t('gap') + ' ' + g.rank), el('b', { class: 'num' }, t('people', { n: number(g.people) })))))))];
  }
  return [el('h2', {}, t('gapsTitle')),
    el('p', { class: 'muted' }, d.gaps.length ? t('gapsIntro', { n: number(d.summary.gaps.count), people: RedMap.count(d.summary.gaps.people) }) : t('gapsNone')),
    el('div', { class: 'list', id: 'gap-list' }, d.gaps.slice(0, RedMap.rows).map((g) => RedMap.item('gap', g, g.rank, RedMap.gapName(g), t('people', { n: number(g.people) }),
      el('span', { class: 'why data' }, RedMap.why(g)),
      RedMap.nearestUntold(g) ? el('span', { class: 'muted' }, t('nearestIs', { name: '' }), RedMap.name(g.nearest), g.minutes === null ? '' : ' · ' + t('minutesValue', { n: number(g.minutes, 1) })) : null)))];
};
RedMap.siteList = () => {
  const { el, t, number, percent, data: d } = RedMap, plan = d.plan;
  const words = (texts) => texts.map((w) => w[RedMap.state.lang === 'en' ? w.length - 1 : 0]), found = plan && plan.status !== 'infeasible' && (d.sites.length || plan.closed.length);
  const all = plan && RedMap.choice && RedMap.choice.sites.length === d.sites.length && plan.closed.every((id) => RedMap.choice.off.includes(id));
  const goal = plan && { share: 'planShare', minutes: 'planMinutes', worst: 'planWorst', backup: 'planBackup' }[plan.goal];
  return [RedMap.banner(), el('h2', {}, t('sitesTitle')),
    found ? el('p', {}, t(plan.gain < 0 ? 'sitesLost' : 'sitesIntro', { n: d.sites.length, gain: number(Math.abs(plan.gain)) })) : el('p', { class: 'muted' }, t(plan && plan.conflict.length ? 'planConflict' : 'sitesNone')),
    plan && plan.conflict.length ? el('ul', { id: 'plan-conflict' }, words(plan.conflict).map((w) => el('li', {}, w))) : null,
    found && goal ? el('p', { id: 'plan-goal' }, t(goal, { n: number(plan.objective, plan.goal === 'worst' ? 1 : 0) })) : null,
    plan && (goal || plan.said.length > 2) ? el('ul', { id: 'plan-said', class: 'muted' }, words([...plan.said, ...plan.notes]).map((w) => el('li', {}, w))) : null,
    found && plan.closed.length ? el('p', { id: 'plan-closed' }, t('planClosed', { list: '' }), plan.closed.map((id, i) => [i ? ' · ' : '', RedMap.name(d.stations.find((s) => s.id === id).name)])) : null,
    found && plan.total ? el('p', { class: 'muted' }, t('coverageTo', { before: percent(plan.before / plan.total), after: percent(plan.after / plan.total) })) : null,
    found ? el('p', { class: 'note' }, plan.status === 'time_limit' ? t('sitesLimit') + ' · ' : '', plan.status === 'optimal' && plan.gap < 5e-5 ? t('sitesBest') : t('sitesProof', { gap: percent(plan.gap, 2) })) : null,
    RedMap.model && found ? el('div', { class: 'segments', key: 'sides', id: 'before-after', role: 'group', 'aria-label': t('sitesTitle') }, [[false, 'sitesBefore'], [true, 'sitesAfter']].map(([side, word]) => el('button', { type: 'button', key: word, 'aria-pressed': String(all === side), onclick: () => RedMap.choose({ sites: side ? d.sites.map((s) => s.id) : [], off: [...RedMap.choice.off.filter((id) => !plan.closed.includes(id)), ...(side ? plan.closed : [])] }) }, t(word)))) : null,
    RedMap.now ? el('p', { key: 'share', class: 'big num', id: 'sites-share' }, percent(RedMap.blockNow(RedMap.mainLayer()).share)) : null,
    el('div', { class: 'list', id: 'site-list' }, d.sites.map((s) => RedMap.item('site', s, s.rank, s.name, t('gain', { n: number(s.gain) }),
      s.kind ? el('span', { class: 'muted' }, RedMap.word('kinds', s.kind)) : null,
      s.for.some((f) => f.name) ? el('span', { class: 'muted' }, t('benefits', { list: '' }), RedMap.name(s.for.map((f) => f.name).filter(Boolean).slice(0, 3).join(' · '))) : null)))];
};
/* Everything that the figures take for granted, in words: [what, how]. */
RedMap.assumptions = () => {
  const { t, number, data: d } = RedMap, s = d.standard, kmh = (cost) => 3.6 / cost;
  const speeds = d.engine ? d.engine.modes.map((m) => { const all = m.costs.map(kmh), least = Math.min(...all), most = Math.max(...all); return t(m.mode) + ' ' + (most - least < .05 ? number(most, 1) : number(least, 0) + '–' + number(most, 0)); }) : [];
  return [
    [t('assumeAccess'), d.engine ? t('assumeAccessHow', { n: number(s.max_access_m), v: number(kmh(d.engine.modes[0].access), 1) }) : ''],
    [t('assumeSignals'), s.signal_wait_s ? t('assumeSignalsHow', { n: number(s.signal_wait_s) }) : t('assumeNoSignals')],
    [t('assumeHours'), t('assumeHoursHow')],
    [t('assumeStraight'), s.speed_kmh ? t('assumeStraightHow', { d: RedMap.distance(s.speed_kmh * s.limit_minutes / .06) }) : ''],
    [t('assumeSpeeds'), speeds.length ? t('kmh', { n: speeds.join(' · ') }) : ''],
    [t('assumeGaps'), d.engine ? t('gapsRough', { m: number(d.engine.link) }) : ''],
    [t('assumeTrials'), t('assumeTrialsHow')],
  ];
};
RedMap.dataPane = () => {
  const { el, t, number, percent, row, name, data: d } = RedMap, sum = d.summary, net = sum.network || {}, iso = sum.isochrones || {}, from = sum.provenance || {};
  const list = (title, ...rows) => [el('h2', {}, title), el('dl', { class: 'facts' }, rows.flat())];
  return [
    el('p', { class: 'downloads' }, RedMap.csvButton('communities'), RedMap.csvButton('stations'), el('button', { type: 'button', class: 'outline', id: 'save-png', onclick: () => RedMap.savePicture() }, t('savePng')), el('button', { type: 'button', class: 'outline', id: 'save-geo', onclick: () => RedMap.saveGeoJson() }, t('saveGeo')),
      el('span', { class: 'small-screen' }, el('button', { type: 'button', class: 'outline', id: 'copy-here', onclick: RedMap.copyLink }, t('copy')), el('button', { type: 'button', class: 'outline', id: 'print-here', onclick: () => print() }, t('print')))),
    ...list(t('standard'), row(t('mode'), t(d.standard.mode)), row(t('speed'), d.standard.speed_kmh ? t('kmh', { n: number(d.standard.speed_kmh, 1) }) : ''), row(t('limit'), t('minutesValue', { n: number(d.standard.limit_minutes) })),
      row(t('countedTimes'), d.times.map(RedMap.time).join(' · ')), row(t('countedServices'), (d.standard.services || []).map((s) => RedMap.word('svc', s)).join(' · '))),
    ...list(t('assumptions'), ...RedMap.assumptions().map(([what, how]) => row(what, how))),
    ...list(t('stationRecords'), Object.entries(sum.stations).map(([key, n]) => row(t(key === 'hours_known' ? 'hoursKnown' : key), number(n)))),
    ...list(t('network'), row(t('networkSource'), name(d.source)), row(t('networkDate'), d.sourceDate ? name(d.sourceDate) : t('unknown')),
      row(t('networkExtent'), t('networkSize', { nodes: number(net.nodes), edges: number(net.edges), km: number(net.km, 1) })), row(t('density'), net.km_per_km2 === null || net.km_per_km2 === undefined ? '' : t('densityValue', { n: number(net.km_per_km2, 1) })), row(t('offNetwork'), percent(net.off_network_share))),
    ...list(t('isoQuality'), row(t('falseShare'), percent(iso.false_share, 2)), row(t('missedShare'), percent(iso.missed_share, 2))),
    el('p', { class: 'note' }, t('isoNote')),
    ...list(t('audit'), Object.keys(d.audit).length ? Object.entries(d.audit).map(([key, n]) => row(t(key), number(n))) : row(t('none'), '0')),
    d.notes.length ? el('h2', {}, t('notes')) : null, d.notes.length ? el('ul', { class: 'notes data' }, d.notes.map((n) => el('li', {}, n))) : null,
    el('h2', {}, t('inputs')), el('dl', { class: 'facts hashes' }, Object.entries(from.inputs || {}).map(([file, hash]) => [el('dt', { class: 'data' }, file), el('dd', { class: 'data num' }, hash)])),
    el('dl', { class: 'facts' }, row(t('created'), from.created ? name(from.created) : ''), row(t('version'), from.redmap ? name(from.redmap) : '')),
  ];
};

/* ---- layers, legend ---- */
RedMap.swatch = (kind) => {
  const ratio = 2, canvas = RedMap.el('canvas', { class: 'swatch', width: 28 * ratio, height: 20 * ratio, 'aria-hidden': 'true' }), ctx = canvas.getContext('2d'), c = RedMap.palette();
  ctx.scale(ratio, ratio);
  const box = (colour) => { ctx.fillStyle = colour; ctx.fillRect(2, 3, 24, 14); };
  const line = (colour, width, dash, casing) => {
    ctx.fillStyle = c.ground; ctx.fillRect(0, 2, 28, 16);
    if (casing) { ctx.strokeStyle = casing; ctx.lineWidth = width + 1.4; ctx.beginPath(); ctx.moveTo(2, 10); ctx.lineTo(26, 10); ctx.stroke(); }
    ctx.strokeStyle = colour; ctx.lineWidth = width; ctx.setLineDash(dash || []); ctx.beginPath(); ctx.moveTo(2, 10); ctx.lineTo(26, 10); ctx.stroke();
  };
  if (typeof kind === 'object') box(kind.colour);
  else if (kind === 'gap') {
    box(c.ground); box(c.gapFill);
    const pattern = RedMap.hatch(ctx, ratio, c.gap);
    pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
    ctx.globalAlpha = .6; box(pattern); ctx.globalAlpha = 1; ctx.strokeStyle = c.gap; ctx.lineWidth = 1.6; ctx.strokeRect(2, 3, 24, 14);
  } else if (kind === 'major') line(c.road, 3.4, null, c.casing);
  else if (kind === 'local') line(c.local, 1.5, null, c.localCasing);
  else if (kind === 'path') line(c.path, 1.2, [4, 3]);
  else if (kind === 'border') line(c.border, 1.1);
  else if (kind === 'water') line(c.water, 2.4);
  else if (kind === 'railway') line(c.rail, 2, [6, 3]);
  else if (kind === 'edge') line(c.edge, 1.6, [8, 3, 2, 3]);
  else if (kind === 'reach') line(c.reach, 2.4);
  else if (kind === 'site') RedMap.mark(ctx, 'site', 14, 18.5, 6.6, 1);
  else RedMap.mark(ctx, kind, 14, 10, 6.5);
  return canvas;
};
RedMap.drawControls = () => {
  const { el, t, state: s, data: d } = RedMap, at = Math.max(0, s.steps.indexOf(s.minutes));
  RedMap.patch(RedMap.byId('controls'), [
    d.times.length && !(RedMap.choice && RedMap.choice.at >= 0) ? el('label', { class: 'field', key: 'time' }, el('span', {}, t('time')), el('select', { id: 'time', onchange: (event) => RedMap.set({ time: event.target.value }) }, d.times.map((time) => el('option', { value: time, selected: time === s.time }, RedMap.time(time))))) : null,
    s.steps.length && !RedMap.now ? el('label', { class: 'field slider', key: 'minutes' }, el('span', {}, t('minutes'), el('b', { id: 'minutes-value' }, t('minutesValue', { n: s.minutes }))),
      el('input', { type: 'range', id: 'minutes', min: 0, max: Math.max(0, s.steps.length - 1), step: 1, value: at, 'aria-valuetext': t('minutesValue', { n: s.minutes }), oninput: (event) => RedMap.set({ minutes: s.steps[+event.target.value] }) })) : null,
  ]);
};
RedMap.toggle = (key, on) => {
  const next = { ...RedMap.state.on, [key]: on };
  // two fills over each other cannot be read: one hides the other
  if (on && key === 'areas') next.bands = false;
  if (on && key === 'bands') next.areas = false;
  RedMap.set({ on: next });
};
/* What stands under each layer: a line of units, then [swatch, words]. */
RedMap.legendOf = (key) => {
  const { t, state: s, data: d, layers, now, choice } = RedMap, c = RedMap.palette();
  if (!layers.roads.kinds) layers.roads.kinds = new Set(layers.roads.tag);
  const has = (kind, row) => (layers.roads.kinds.has(kind) ? [row] : []);
  const steps = now ? RedMap.bandSteps(choice) : s.steps.filter((m) => m <= s.minutes), colour = (m, i) => (now ? RedMap.bandColour(i, steps.length) : RedMap.bandColour(s.steps.indexOf(m), s.steps.length));
  const states = new Set(d.stations.filter((station) => RedMap.shown(station)).map(RedMap.stateOf));
  const parts = {
    bands: () => [t('unitMinutes', { mode: t(now ? d.engine.modes[choice.mode].mode : d.standard.mode) }), ...steps.map((m, i) => [{ colour: colour(m, i) }, t('bandLegend', { m })])],
    stations: () => [choice && choice.at >= 0 ? RedMap.hourWord(choice.at) : RedMap.time(s.time), ...[['open', t('open')], ['closed', t('closed')], ['unknown', t('openUnknown')]].filter(([state]) => states.has(state)), ...(RedMap.selectedStation() >= 0 ? [['reach', t('reachLegend')]] : [])],
    gaps: () => ['', ['gap', t('gapLegend')]],
    sites: () => ['', ['site', t('siteLegend')]],
    problems: () => ['', ['problem', t('problemLegend')]],
    areas: () => [t('areaLegend'), ...c.area.map((shade, i) => [{ colour: shade }, [0, 20, 40, 60, 80][i] + '–' + [20, 40, 60, 80, 100][i] + '%']), ...(d.approval ? [['border', t('borderLegend')]] : [])],
    roads: () => ['', ['major', t('roadMajor')], ['local', t('roadLocal')], ...has(3, ['path', t('roadPath')]), ...has(4, ['water', t('water')]), ...has(5, ['railway', t('railway')]), ...(layers.edge ? [['edge', t('edgeLegend')]] : [])],
    names: () => [''],
  };
  return parts[key]();
};
/* A layer of which the legend says the same as before keeps its element: its swatches cost more than the rest of the panel. */
RedMap.drawLegend = () => {
  const { el, t, state: s, data: d } = RedMap, legend = RedMap.byId('legend');
  const label = { bands: 'layerBands', stations: 'layerStations', gaps: 'layerGaps', sites: 'layerSites', problems: 'layerProblems', areas: 'layerAreas', roads: 'layerRoads', names: 'layerNames' };
  const layer = (key) => {
    const [unit, ...rows] = s.on[key] ? RedMap.legendOf(key) : [], old = legend.querySelector(':scope > [data-key="' + key + '"]');
    return RedMap.same(old, JSON.stringify([RedMap.isDark(), s.lang, s.on[key], unit, rows]), (told) => el('div', { class: 'layer' + (s.on[key] ? '' : ' off'), key, told },
      el('label', { class: 'check' }, el('input', { type: 'checkbox', id: 'on-' + key, checked: s.on[key], onchange: (event) => RedMap.toggle(key, event.target.checked) }), el('span', {}, t(label[key]))),
      s.on[key] ? el('ul', { class: 'entries' + (['areas', 'bands', 'stations', 'roads'].includes(key) ? ' tight' : '') },
        unit ? el('li', { class: 'unit' }, unit) : null, rows.map(([kind, words]) => el('li', {}, RedMap.swatch(kind), el('span', {}, words)))) : null));
  };
  RedMap.patch(legend, [...['bands', ...(d.communities.length ? ['areas'] : []), 'gaps', ...(d.sites.length ? ['sites'] : []), 'stations', ...(d.problems.length ? ['problems'] : []), 'roads', 'names'].map(layer), RedMap.tileControl()]);
};

/* ---- search: any part of a name ---- */
RedMap.wireSearch = () => {
  const { el, t } = RedMap, input = RedMap.byId('search'), list = RedMap.byId('search-list');
  const index = [['station', RedMap.data.stations], ['community', RedMap.data.communities], ['site', RedMap.data.sites], ['problem', RedMap.data.problems]]
    .flatMap(([kind, items]) => items.filter((i) => i.at).map((item) => ({ kind, item, text: (item.name + ' ' + (item.street || '') + ' ' + (item.address || '') + ' ' + (item.py || '')).toLowerCase() })));
  const hide = () => { list.hidden = true; };
  const draw = () => {
    const asked = input.value.trim().toLowerCase();
    if (!asked) { hide(); return; }
    const found = index.filter((entry) => entry.text.includes(asked));
    RedMap.say(found.length ? t('searchCount', { n: RedMap.number(found.length) }) : t('searchNone'));
    RedMap.patch(list, (found.length ? found.slice(0, 12).map(({ kind, item }) => el('button', { type: 'button', key: kind + ':' + item.id, onclick: () => { hide(); RedMap.select(kind, item.id, true); } },
      RedMap.name(item.name), el('span', { class: 'muted' }, t(kind)))) : [el('p', { class: 'muted' }, t('searchNone'))]));
    list.hidden = false;
  };
  input.addEventListener('input', draw);
  input.addEventListener('focus', draw);
  document.addEventListener('pointerdown', (event) => { if (!(/** @type {Element} */ (event.target)).closest('.search')) hide(); });
  const move = (event, to) => { if (to) { to.focus(); event.preventDefault(); } };
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { input.value = ''; hide(); }
    if (event.key === 'ArrowDown') move(event, list.querySelector('button'));
    if (event.key === 'Enter' && list.querySelector('button')) list.querySelector('button').click();
  });
  list.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') move(event, document.activeElement.nextElementSibling);
    if (event.key === 'ArrowUp') move(event, document.activeElement.previousElementSibling || input);
    if (event.key === 'Escape') { hide(); input.focus(); }
  });
};

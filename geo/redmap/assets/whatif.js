/* whatif.js: the pane that asks "what if": mode, minutes, services, hours of the week, stations shut, trial stations. */
'use strict';
RedMap.placing = false;
RedMap.swipe = .5;

RedMap.whatIf = () => {
  const { el, t, number, percent, data: d } = RedMap;
  if (!RedMap.model) return [el('p', { class: 'muted' }, t('engineMissing'))];
  const c = RedMap.choice, b = RedMap.blockNow(RedMap.state.demand), was = d.summary.demand[RedMap.state.demand] || {};
  const press = (on, label, act, cls, key) => el('button', { type: 'button', key: key || label, class: 'pill' + (cls ? ' ' + cls : ''), 'aria-pressed': String(on), onclick: act }, label);
  const used = [...new Set(d.stations.flatMap((s) => s.services))], order = Object.keys(d.strings.zh.svc).filter((s) => used.includes(s) || c.services.includes(s));
  // kinds of stations and who runs them: asked only where there is more than one
  const filter = (list, key, label, word) => { const all = RedMap.distinct(key); return all.length < 2 ? [] : [el('h2', { key: list + ' title' }, label), el('div', { key: list, class: 'row', role: 'group', 'aria-label': label }, all.slice(0, 24).map((value) => press(c[list].includes(value), word(value), () => RedMap.choose({ [list]: c[list].includes(value) ? c[list].filter((x) => x !== value) : [...c[list], value] }), null, value)))]; };
  const gained = RedMap.changed(c) || !RedMap.isBase(c) ? RedMap.gainers() : [];
  return [
    el('div', { class: 'whatif-head' },
      el('div', { class: 'kpi' }, el('span', {}, t('before')), el('b', { class: 'num' }, percent(was.share))),
      el('div', { class: 'kpi' }, el('span', {}, t('now')), el('b', { class: 'num', id: 'now-share' }, percent(b.share)), el('span', { id: 'now-people' }, !RedMap.now ? '' : (b.covered >= was.covered ? '+' : '−') + number(Math.abs(b.covered - was.covered)) + ' ' + t('peopleWord')))),
    el('p', { class: 'muted' }, RedMap.choiceWords()),
    el('div', { key: 'back', class: 'row' }, press(false, t('reset'), () => RedMap.choose(RedMap.baseChoice()), 'reset'), press(!!RedMap.pinned, t(RedMap.pinned ? 'unpin' : 'pin'), RedMap.pinned ? RedMap.unpin : RedMap.pin, null, 'pin')),
    RedMap.pinned ? el('label', { key: 'swipe', class: 'field' }, el('span', {}, t('swipe', { a: RedMap.pinned.words }), el('b', {}, '')), el('input', { type: 'range', id: 'swipe', min: 0, max: 100, value: Math.round(RedMap.swipe * 100), 'aria-label': t('swipeAria'), oninput: (event) => RedMap.slide(+event.target.value / 100) })) : null,
    el('h2', {}, t('mode')), el('div', { key: 'modes', class: 'row', role: 'group', 'aria-label': t('mode') }, d.engine.modes.map((m, i) => press(c.mode === i, t(m.mode), () => RedMap.choose({ mode: i })))),
    el('label', { key: 'limit', class: 'field slider' }, el('span', {}, t('limit'), el('b', { id: 'limit-value' }, t('minutesValue', { n: c.minutes }))),
      el('input', { type: 'range', id: 'limit', min: 1, max: 30, step: 1, value: c.minutes, 'aria-valuetext': t('minutesValue', { n: c.minutes }), oninput: (event) => RedMap.choose({ minutes: +event.target.value }) })),
    el('h2', {}, t('mustOffer')), order.length ? null : el('p', { class: 'note' }, t('noServicesTold')), el('div', { key: 'services', class: 'row', role: 'group', 'aria-label': t('mustOffer') }, order.map((s) => press(c.services.includes(s), RedMap.word('svc', s), () => RedMap.choose({ services: c.services.includes(s) ? c.services.filter((x) => x !== s) : [...c.services, s] })))),
    filter('kinds', 'kind', t('stationKind'), (kind) => RedMap.data.strings.zh.kinds[kind] ? RedMap.word('kinds', kind) : RedMap.name(kind)), filter('issuers', 'issuer', t('issuer'), (issuer) => RedMap.name(issuer)),
    el('h2', {}, t('openWhen'), el('span', { class: 'muted' }, ' ' + RedMap.hourWord(c.at))), el('div', { key: 'now', class: 'row' }, press(c.at === RedMap.hourNow(), t('openNowFilter'), () => RedMap.choose({ at: c.at === RedMap.hourNow() ? -1 : RedMap.hourNow() }), null, 'now')), ...RedMap.stripView(),
    el('h2', {}, t('trials')), el('p', { class: 'note' }, t('trialsNote')),
    el('div', { key: 'try', class: 'row' }, press(RedMap.placing, t(RedMap.placing ? 'placingNow' : 'addTrial'), () => RedMap.place1(!RedMap.placing), 'strong', 'add'), press(false, t('saveTrials'), RedMap.saveTrials), press(false, t('loadTrials'), () => RedMap.byId('trial-file').click())),
    RedMap.placing ? el('p', { key: 'keys', class: 'note' }, t('placingKeys')) : null,
    el('input', { type: 'file', id: 'trial-file', accept: '.json,application/json', hidden: true, onchange: RedMap.loadTrials }),
    el('div', { class: 'list', id: 'trial-list' }, [
      ...c.add.map((a, i) => RedMap.trialItem(a, i)),
      ...c.sites.map((id) => RedMap.changeItem(d.sites.find((s) => s.id === id), 'site', t('siteOpened'), () => RedMap.choose({ sites: c.sites.filter((x) => x !== id) }))),
      ...c.off.map((id) => RedMap.changeItem(d.stations.find((s) => s.id === id), 'off', t('stationShut'), () => RedMap.choose({ off: c.off.filter((x) => x !== id) }))),
    ]),
    gained.length ? el('h2', {}, t('whoGains')) : null,
    gained.length ? el('ul', { class: 'benefits', id: 'gainers' }, gained.map(([name, people]) => el('li', {}, RedMap.name(name), el('b', { class: 'num' }, (people > 0 ? '+' : '−') + number(Math.abs(people)))))) : null,
  ];
};
/* The hour of the week that it is in China. */
RedMap.hourNow = () => { const { day, minute } = RedMap.chinaNow(); return day * 24 + Math.floor(minute / 60); };
RedMap.choiceWords = () => {
  const { t, data: d } = RedMap, c = RedMap.choice;
  return [t(d.engine.modes[c.mode].mode), t('minutesValue', { n: c.minutes }), c.services.map((s) => RedMap.word('svc', s)).join(' + '), [...c.kinds, ...c.issuers].join(' / '), RedMap.hourWord(c.at), RedMap.changed(c) ? t('changes', { n: c.off.length + c.sites.length + c.add.length }) : ''].filter(Boolean).join(' · ');
};
/* Communities by how many people are won or lost against the study's own figures. */
RedMap.gainers = () => {
  if (!RedMap.now) return [];
  const rows = RedMap.data.communities.map((c) => [c.name, (RedMap.communityNow(c).covered || 0) - (c.covered || 0)]).filter(([, n]) => Math.abs(n) >= 1);
  return rows.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 8);
};
RedMap.changeItem = (item, kind, note, undo) => RedMap.el('div', { key: kind + ':' + item.id, class: 'item ' + kind }, RedMap.el('span', { class: 'item-body' }, RedMap.name(item.name), RedMap.el('span', { class: 'muted' }, note)),
  RedMap.el('button', { type: 'button', class: 'outline', onclick: undo }, RedMap.t('undo')));
RedMap.trialItem = (a, i) => {
  const { el, t } = RedMap, edit = (patch) => RedMap.choose({ add: RedMap.choice.add.map((x, j) => (j === i ? { ...x, ...patch } : x)) });
  return el('div', { class: 'item trial' }, el('span', { class: 'rank' }, 'T' + (i + 1)), el('span', { class: 'item-body' },
    el('button', { type: 'button', class: 'plain', onclick: () => RedMap.fly(a.at, 15) }, t('trialName', { n: i + 1 })),
    el('span', { class: 'muted data num' }, a.at[1].toFixed(5) + ', ' + a.at[0].toFixed(5)),
    el('label', { class: 'field' }, el('span', {}, t('hours')), el('select', { onchange: (event) => edit({ hours: event.target.value }) }, RedMap.HOURS_OF_TRIAL.map((h) => el('option', { value: h, selected: h === a.hours }, RedMap.hoursText(h))))),
    el('span', { class: 'row', role: 'group', 'aria-label': t('services') }, [...new Set([...RedMap.TRIAL_SERVICES, ...a.services])].map((s) => el('button', { type: 'button', class: 'pill small', 'aria-pressed': String(a.services.includes(s)), onclick: () => edit({ services: a.services.includes(s) ? a.services.filter((x) => x !== s) : [...a.services, s] }) }, RedMap.word('svc', s)))),
    el('button', { type: 'button', class: 'outline', onclick: () => RedMap.choose({ add: RedMap.choice.add.filter((_, j) => j !== i) }) }, t('remove'))));
};

/* ---- the week: 7 x 24 cells, one tab stop, arrows move ---- */
RedMap.stripView = () => {
  const { el, t, percent, data: d } = RedMap, c = RedMap.choice, rows = RedMap.week168;
  // a list without hours says nothing of any hour: a grid of noughts would read as "closed"
  if (!c.add.length && !d.stations.some((s) => s.week)) return [el('p', { class: 'note' }, t('noHoursTold'))];
  if (!rows) return [el('p', { class: 'muted' }, t('computing'))];
  const which = d.engine.layers.findIndex((l) => l.name === RedMap.state.demand), total = (d.summary.demand[RedMap.state.demand] || {}).total || 0;
  const share = (at) => (total ? rows[at][which] / total : 0), least = Math.min(...rows.map((_, at) => share(at))), most = Math.max(...rows.map((_, at) => share(at)));
  const focus = c.at < 0 ? 0 : c.at;
  const cell = (at) => {
    const step = most > least ? Math.min(4, Math.floor((share(at) - least) / (most - least) * 5)) : most > 0 ? 4 : 0, button = el('button', {
      type: 'button', role: 'gridcell', class: 'hour' + (at === c.at ? ' chosen' : '') + ' h' + step, id: 'hour-' + at, tabIndex: at === focus ? 0 : -1, 'aria-label': RedMap.hourWord(at) + ' ' + percent(share(at)), 'aria-selected': String(at === c.at), title: RedMap.hourWord(at) + ' ' + percent(share(at)),
      onclick: () => RedMap.choose({ at: at === c.at ? -1 : at }),
      onkeydown: (event) => {
        const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 24, ArrowUp: -24 }[event.key];
        if (!move) return;
        event.preventDefault();
        const next = RedMap.byId('hour-' + ((at + move + 168) % 168));
        event.target.tabIndex = -1; next.tabIndex = 0; next.focus();
      } });
    return button;
  };
  const marks = el('div', { class: 'hours-head', 'aria-hidden': 'true' }, el('span', {}, ''), [0, 6, 12, 18].map((h) => el('span', { class: 'at' + h }, h + ':00')));
  const week = (told) => el('div', { class: 'week', role: 'grid', id: 'week', 'aria-label': t('weekAria'), told }, marks,
    RedMap.DAY_WORDS.map((day, i) => el('div', { class: 'day', role: 'row' }, el('span', { class: 'day-name', role: 'rowheader' }, t(day)), Array.from({ length: 24 }, (_, h) => cell(i * 24 + h)))));
  return [RedMap.same(RedMap.byId('week'), JSON.stringify([RedMap.state.lang, c.at, rows.map((_, at) => share(at))]), week),
  el('p', { class: 'note' }, t('weekNote', { low: percent(least), high: percent(most) }), ' ', c.at >= 0 ? el('button', { type: 'button', class: 'more', onclick: () => RedMap.choose({ at: -1 }) }, t('anyTime')) : null)];
};

/* ---- two choices beside each other ---- */
RedMap.pin = () => {
  RedMap.pinned = { now: RedMap.now, choice: RedMap.choice, words: RedMap.choiceWords() };
  RedMap.pinnedGround = new RedMap.Ground({ side: 'pinned' }).addTo(RedMap.map);
  RedMap.divider();
  RedMap.render();
};
RedMap.unpin = () => {
  RedMap.pinned = null;
  RedMap.pinnedGround.remove();
  RedMap.pinnedGround = null;
  RedMap.divider();
  RedMap.render();
};
RedMap.slide = (share) => { RedMap.swipe = Math.max(.02, Math.min(.98, share)); RedMap.divider(); };
/* Left of the divider stands what was pinned, right of it what is chosen now: two layers, each cut to its side. */
RedMap.cut = () => {
  const map = RedMap.map, size = map.getSize(), a = map.containerPointToLayerPoint([0, 0]), b = map.containerPointToLayerPoint(size), x = a.x + size.x * RedMap.swipe;
  const box = (left, right) => 'polygon(' + [[left, a.y], [right, a.y], [right, b.y], [left, b.y]].map(([px, py]) => px + 'px ' + py + 'px').join(',') + ')';
  RedMap.ground.getContainer().style.clipPath = RedMap.pinned ? box(x, b.x) : '';
  if (RedMap.pinned) RedMap.pinnedGround.getContainer().style.clipPath = box(a.x, x);
};
RedMap.divider = () => {
  let bar = RedMap.byId('divider');
  RedMap.cut();
  if (!RedMap.pinned) { if (bar) bar.remove(); RedMap.map.off('move zoom zoomend resize', RedMap.cut); return; }
  if (!bar) {
    bar = RedMap.el('div', { id: 'divider', class: 'divider', 'aria-hidden': 'true' }, RedMap.el('i', {}));
    bar.addEventListener('pointerdown', (event) => { bar.setPointerCapture(event.pointerId); event.preventDefault(); });
    bar.addEventListener('pointermove', (event) => {
      if (!bar.hasPointerCapture(event.pointerId)) return;
      const box = RedMap.map.getContainer().getBoundingClientRect();
      RedMap.slide((event.clientX - box.left) / box.width);
      const input = RedMap.byId('swipe');
      if (input) input.value = Math.round(RedMap.swipe * 100);
    });
    RedMap.map.getContainer().parentElement.append(bar);
    RedMap.map.on('move zoom zoomend resize', RedMap.cut);
  }
  bar.style.left = RedMap.swipe * 100 + '%';
};

/* ---- trial stations on the map ---- */
RedMap.place1 = (on) => {
  RedMap.placing = on;
  RedMap.map.getContainer().classList.toggle('placing', on);
  RedMap.render();
  if (!on) return;
  RedMap.say(RedMap.t('placingNow') + ' ' + RedMap.t('placingKeys'));
  RedMap.map.getContainer().focus({ preventScroll: true });
};
/* Without a mouse: Enter puts a trial station in the middle of the map, Escape lets it be. */
RedMap.placeByKeys = (event) => {
  if (!RedMap.placing || event.target !== RedMap.map.getContainer()) return;
  if (event.key === 'Escape') { RedMap.place1(false); RedMap.byId('pane').focus({ preventScroll: true }); }
  if (event.key !== 'Enter') return;
  const { lng, lat } = RedMap.map.getCenter();
  RedMap.addTrial([lng, lat]);
  const pin = RedMap.markers[RedMap.markers.length - 1];
  if (pin) pin.getElement().focus({ preventScroll: true });
};
RedMap.STEP_PX = 10; // of an arrow key; one with Shift
RedMap.addTrial = (at) => {
  RedMap.place1(false);
  if (RedMap.choice.add.length >= RedMap.TRIALS_IN_LINK) { RedMap.toast(RedMap.t('trialsFull', { n: RedMap.TRIALS_IN_LINK })); return Promise.resolve(); }
  return RedMap.choose({ add: [...RedMap.choice.add, RedMap.trial(at)] });
};
RedMap.markers = [];
RedMap.drawTrials = () => {
  const add = RedMap.choice ? RedMap.choice.add : [];
  while (RedMap.markers.length > add.length) RedMap.markers.pop().remove();
  add.forEach((a, i) => {
    let marker = RedMap.markers[i];
    if (!marker) {
      const face = RedMap.el('span', { class: 'trial-pin' }, 'T' + (i + 1));
      marker = L.marker([a.at[1], a.at[0]], { draggable: true, keyboard: true, icon: L.divIcon({ className: 'trial-icon', html: face, iconSize: [30, 30], iconAnchor: [15, 15] }) }).addTo(RedMap.map);
      marker.getElement().setAttribute('aria-label', RedMap.t('trialName', { n: i + 1 }));
      let last = 0;
      const moved = () => { const p = marker.getLatLng(); return RedMap.choose({ add: RedMap.choice.add.map((x, j) => (j === i ? { ...x, at: [p.lng, p.lat] } : x)) }); };
      marker.on('drag', () => { if (Date.now() - last > 90) { last = Date.now(); moved(); } });
      marker.on('dragend', moved);
      marker.getElement().addEventListener('keydown', (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key], far = event.shiftKey ? 1 : RedMap.STEP_PX;
        if (!way) return;
        event.preventDefault();
        event.stopPropagation();
        const p = RedMap.map.latLngToContainerPoint(marker.getLatLng());
        marker.setLatLng(RedMap.map.containerPointToLatLng([p.x + way[0] * far, p.y + way[1] * far]));
        moved();
      });
      RedMap.markers[i] = marker;
    } else if (!marker.dragging || !marker.dragging._draggable || !marker.dragging._draggable._moving) marker.setLatLng([a.at[1], a.at[0]]);
  });
};

/* ---- a small file of trial stations, which `redmap build --trial` reads too ---- */
RedMap.saveTrials = () => {
  const c = RedMap.choice, sites = c.sites.map((id) => RedMap.data.sites.find((s) => s.id === id)).map((s) => ({ name: s.name, lon: s.at[0], lat: s.at[1], services: [...RedMap.TRIAL_SERVICES], hours: '24/7', site: s.id }));
  const add = c.add.map((a, i) => ({ name: RedMap.t('trialName', { n: i + 1 }), lon: +a.at[0].toFixed(7), lat: +a.at[1].toFixed(7), services: a.services, hours: a.hours }));
  RedMap.save('trial.json', JSON.stringify({ redmap: 'trial', study: RedMap.data.name, close: c.off, add: [...sites, ...add] }, null, 1), 'application/json');
};
RedMap.loadTrials = async (event) => {
  const file = event.target.files[0];
  if (!file) return;
  try {
    const found = JSON.parse(await file.text()), d = RedMap.data;
    if (found.redmap !== 'trial' || !Array.isArray(found.add) || !Array.isArray(found.close)) throw new Error('no trial');
    const words = Object.keys(d.strings.zh.svc), fine = found.add.filter((a) => Math.abs(+a.lon) <= 180 && Math.abs(+a.lat) <= 85);
    await RedMap.choose({
      off: found.close.filter((id) => d.stations.some((s) => s.id === id)),
      sites: fine.filter((a) => d.sites.some((s) => s.id === a.site)).map((a) => a.site),
      add: fine.filter((a) => !d.sites.some((s) => s.id === a.site)).slice(0, RedMap.TRIALS_IN_LINK).map((a) => RedMap.trial([+a.lon, +a.lat], (a.services || []).filter((s) => words.includes(s)), RedMap.HOURS_OF_TRIAL.includes(a.hours) ? a.hours : '24/7')),
    });
    RedMap.toast(RedMap.t('trialsLoaded'));
  } catch (error) { RedMap.toast(RedMap.t('trialsBad')); }
};

/* Buttons on the cards of stations and sites. */
RedMap.shutButton = (s) => {
  const c = RedMap.choice;
  if (!RedMap.model) return null;
  const off = c.off.includes(s.id);
  return RedMap.el('button', { type: 'button', class: 'outline act', id: 'shut', onclick: () => RedMap.choose({ off: off ? c.off.filter((id) => id !== s.id) : [...c.off, s.id] }) }, RedMap.t(off ? 'reopen' : 'shut'));
};
RedMap.openButton = (s) => {
  const c = RedMap.choice;
  if (!RedMap.model) return null;
  const on = c.sites.includes(s.id);
  return RedMap.el('button', { type: 'button', class: 'outline act', id: 'open-site', onclick: () => RedMap.choose({ sites: on ? c.sites.filter((id) => id !== s.id) : [...c.sites, s.id] }) }, RedMap.t(on ? 'siteClose' : 'siteOpen'));
};
/* What is shown is not the study's own choice: say so, and offer the way back. */
RedMap.banner = () => {
  const { el, t, percent, data: d } = RedMap;
  if (!RedMap.now) return null;
  const was = (d.summary.demand[RedMap.state.demand] || {}).share;
  return el('div', { class: 'banner', id: 'banner' }, el('span', {}, el('b', {}, t('shownFor')), ' ', RedMap.choiceWords()), el('span', { class: 'muted' }, t('studySays', { share: percent(was) })),
    el('button', { type: 'button', class: 'more', onclick: () => RedMap.choose(RedMap.baseChoice()) }, t('reset')));
};

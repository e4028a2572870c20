/* cards.js: the planner's cards on the map: stations, gaps, sites, communities, the riders' ledger. */
'use strict';
RedMap.phone = (text) => /^[\d\s+()-]+$/.test(text) && text.length > 4
  ? RedMap.el('a', { href: 'tel:' + text.replace(/[^\d+]/g, ''), class: 'data' }, text) : RedMap.name(text);
RedMap.services = (list) => RedMap.el('ul', { class: 'services' }, list.map((s) => RedMap.el('li', {}, RedMap.word('svc', s))));

/* A place in WGS-84, and as maps in China show it; latitude first, as these do. */
RedMap.coordinates = (at) => {
  const text = ([lon, lat]) => RedMap.name(lat.toFixed(5) + ', ' + lon.toFixed(5), 'num');
  return [RedMap.row(RedMap.t('coordinates'), text(at)), RedMap.row(RedMap.t('coordinatesGcj'), text(RedMap.gcj02(at)))];
};
/* A kind of station as it was written, where the page has no word for it. */
RedMap.kindWord = (kind) => RedMap.data.strings.zh.kinds[kind] ? RedMap.word('kinds', kind) : RedMap.name(kind);
/* The way there, in the map applications that people have. */
RedMap.handoverLinks = (s) => {
  const links = RedMap.handover(s);
  return RedMap.el('p', { class: 'maps' }, RedMap.el('span', { class: 'muted' }, RedMap.t('directions')), ['amap', 'baidu', 'tencent', 'apple'].map((key) => RedMap.el('a', { href: links[key], target: '_blank', rel: 'noopener noreferrer' }, RedMap.t(key))));
};
RedMap.stationCard = (s) => {
  const { el, t, name, row } = RedMap, state = RedMap.stateOf(s);
  const hours = RedMap.hoursText(s.hours);
  return el('div', { class: 'card-body' },
    el('p', { class: 'eyebrow' }, t('station')),
    el('h3', { tabIndex: -1 }, name(s.name)),
    el('p', { class: 'status' }, RedMap.chip(state), el('span', { class: 'muted' }, RedMap.choice && RedMap.choice.at >= 0 ? RedMap.hourWord(RedMap.choice.at) : RedMap.state.time ? RedMap.time(RedMap.state.time) : '')),
    s.linked ? null : el('p', { class: 'warn' }, t('notLinked')),
    el('dl', {},
      row(t('hours'), hours ? el('span', {}, hours) : el('span', { class: 'muted' }, t('unknown'))),
      !hours && s.said ? row(t('asTyped'), name(s.said)) : [],
      s.services.length ? row(t('services'), RedMap.services(s.services)) : [],
      row(t('address'), s.address ? name(s.address) : ''),
      row(t('phone'), s.phone ? RedMap.phone(s.phone) : ''),
      s.plates.length > 1 ? row(t('plates'), name(s.plates.join(' · '))) : [],
      row(t('kind'), s.kind ? RedMap.kindWord(s.kind) : ''),
      row(t('issuer'), s.issuer ? name(s.issuer) : t('unknown')),
      row(t('date'), s.date ? name(s.date) : t('unknown')),
      RedMap.coordinates(s.at)),
    RedMap.handoverLinks(s),
    RedMap.shutButton(s));
};

/* A card that is flown to pans when the flight is over: its pan before would pass for the end of it. */
RedMap.popup = (at, content, offset, flown) => {
  if (RedMap.open) { RedMap.quiet = true; RedMap.map.closePopup(RedMap.open); RedMap.quiet = false; }
  const size = RedMap.map.getSize(), narrow = matchMedia('(max-width: 760px)').matches, wide = Math.min(300, size.x - (narrow ? 48 : 90));
  RedMap.open = L.popup({ autoPan: !flown, maxWidth: wide, minWidth: Math.min(256, wide), offset: [0, offset || -4], autoPanPaddingTopLeft: [narrow ? 8 : 66, 10], autoPanPaddingBottomRight: [narrow ? 8 : 16 + RedMap.covered(), 40], maxHeight: Math.max(160, size.y - (narrow ? 70 : 90)) })
    .setLatLng([at[1], at[0]]).setContent(RedMap.cardBox = RedMap.el('div', {}, content)).openOn(RedMap.map);
  RedMap.byId('stage').classList.add('carded');
  const close = RedMap.open.getElement().querySelector('.leaflet-popup-close-button');
  if (close) close.setAttribute('aria-label', RedMap.t('close'));
};
/* A card that has grown or come into view anew; Leaflet's own `update` takes the focus away, and it lets a pan pass by that follows one of its own. */
RedMap.fitCard = () => { const card = RedMap.open; card._updateLayout(); card._updatePosition(); card._autopanning = false; card._adjustPan(); };
/* A flight ends with the whole card in view: once nothing moves any more, for pans and zooms may follow each other. */
RedMap.STILL_MS = 120;
RedMap.settle = (card) => {
  const { map } = RedMap;
  let timer = 0;
  const wait = () => { clearTimeout(timer); timer = setTimeout(fit, RedMap.STILL_MS); }, hold = () => clearTimeout(timer);
  const done = () => { hold(); card.options.autoPan = true; map.off({ moveend: wait, movestart: hold, dragstart: done }); };
  const fit = () => {
    if (RedMap.open === card && (map._animatingZoom || RedMap.flying || (map._panAnim && map._panAnim._inProgress))) { wait(); return; }
    done();
    if (RedMap.open === card) RedMap.fitCard();
  };
  map.on({ moveend: wait, movestart: hold, dragstart: done });
  wait();
};
/* Pixels at the right of the map that lie under the open legend. */
RedMap.covered = () => {
  const rail = RedMap.byId('rail');
  return rail && rail.open ? Math.max(0, RedMap.map.getContainer().getBoundingClientRect().right - rail.getBoundingClientRect().left) : 0;
};
RedMap.gapName = (g) => (RedMap.state.lang === 'zh' ? g.zh : g.en) || g.id;
RedMap.why = (g) => RedMap.state.lang === 'zh' ? g.whyZh : g.whyEn;
/* A reason names the nearest station as a rule: then it is not said twice. */
RedMap.nearestUntold = (g) => g.nearest && !RedMap.why(g).includes(g.nearest);
RedMap.cardOf = (kind, found) => {
  const item = kind === 'community' ? RedMap.communityNow(found) : found;
  const { el, t, name, row, number, percent } = RedMap;
  if (kind === 'station') return RedMap.stationCard(item);
  const minutes = (m) => m === null ? t('unknown') : t('minutesValue', { n: number(m, 1) });
  if (kind === 'gap') return el('div', { class: 'card-body' }, el('p', { class: 'eyebrow' }, t('gap') + ' ' + item.rank), el('h3', { tabIndex: -1 }, name(RedMap.gapName(item))),
    el('p', { class: 'big' }, t('people', { n: number(item.people) })), el('p', { class: 'why data' }, RedMap.why(item)),
    el('dl', {}, row(t('nearest'), RedMap.nearestUntold(item) ? el('span', {}, name(item.nearest), ' · ' + minutes(item.minutes) + (item.straight === null ? '' : ' · ' + t('straightIs', { d: RedMap.distance(item.straight) }))) : ''), row(t('areaSize'), item.km2 === null ? '' : t('km2', { n: number(item.km2, 2) })), RedMap.coordinates(RedMap.where)));
  if (kind === 'problem') return el('div', { class: 'card-body' }, el('p', { class: 'eyebrow' }, t('problem') + (item.kind ? ' · ' : ''), item.kind ? name(item.kind) : null), el('h3', { tabIndex: -1 }, name(item.name)),
    el('p', { class: 'status' }, el('span', { class: 'chip ' + { open: 'unknown', in_progress: 'unknown', closed: 'open' }[item.state] }, t('problem_' + item.state)), item.time ? name(item.time.replace('T', ' '), 'muted') : null),
    el('dl', {}, row(t('place'), item.place ? name(item.place) : ''), row(t('nearest'), item.nearest ? el('span', {}, name(item.nearest), ' · ' + minutes(item.minutes)) : t('noneNear')), row(t('gap'), item.gap ? name(item.gap) : '')));
  if (kind === 'site') return el('div', { class: 'card-body' }, el('p', { class: 'eyebrow' }, t('site') + ' · ' + t('rank', { n: item.rank })), el('h3', { tabIndex: -1 }, name(item.name)),
    el('p', { class: 'big' }, t('gain', { n: number(item.gain) })),
    el('dl', {}, row(t('kind'), item.kind ? RedMap.word('kinds', item.kind) : ''), item.workers ? row(t('siteWorkers'), '+' + number(item.workers)) : [],
      item.saved ? row(t('siteSaved'), t('personMinutes', { n: number(item.saved) })) : [], row(t('siteOverlap'), item.overlap === null ? '' : percent(item.overlap)),
      item.slow === null || item.fast === null ? [] : row(t('siteSpeeds'), percent(item.slow) + ' / ' + percent(item.fast)), item.kept === null ? [] : row(t('siteKept'), percent(item.kept)),
      row(t('siteInstead'), item.instead ? el('span', {}, name(item.instead), item.insteadLoss === null ? '' : ' (' + RedMap.insteadLoss(item.insteadLoss) + ')') : ''),
      RedMap.coordinates(item.at)),
    RedMap.benefits(item), RedMap.lacking('siteNeeds', item.needs, (key) => RedMap.word('svc', key)), RedMap.lacking('siteHours', item.hours, RedMap.time), RedMap.handoverLinks(item), RedMap.openButton(item));
  return el('div', { class: 'card-body' }, el('p', { class: 'eyebrow' }, t('community')), el('h3', { tabIndex: -1 }, name(item.name)),
    el('p', { class: 'big' }, percent(item.share)),
    el('dl', {}, row(t('street'), item.street ? name(item.street) : ''), row(t('population'), number(item.people)), row(t('uncovered'), number((item.people || 0) - (item.covered || 0))),
      RedMap.now ? [] : row(t('shareStraight'), percent(item.straight)), row(t('median'), item.median === null ? '–' : number(item.median, 1)),
      RedMap.now || !item.nearest ? [] : row(t('nearest'), name(item.nearest)), RedMap.coordinates(RedMap.where)));
};
/* What the plan loses where a site says no and the next best takes its place, in what the plan counts. */
RedMap.insteadLoss = (loss) => {
  const goal = RedMap.data.plan.goal, word = { minutes: 'lostMinutes', worst: 'lostWorst' }[goal], n = RedMap.number(loss, goal === 'worst' ? 1 : 0);
  return word ? RedMap.t(word, { n }) : (loss < 0 ? '+' + n.slice(1) : '−' + n);
};
/* For whom a site must offer a service, or be open at an hour: nobody else does, or is. */
RedMap.lacking = (key, list, say) => list.length ? [RedMap.el('p', { class: 'muted' }, RedMap.t(key)), RedMap.el('ul', { class: 'services' }, list.map((f) => RedMap.el('li', {}, say(f.key) + ' ' + RedMap.number(f.people) + (f.has ? ' ✓' : ''))))] : [];
RedMap.benefits = (site) => site.for.length ? RedMap.el('ul', { class: 'benefits' }, site.for.filter((f) => f.name).map((f) => RedMap.el('li', {}, RedMap.name(f.name), RedMap.el('b', {}, '+' + RedMap.number(f.people))))) : null;

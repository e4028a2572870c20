/* tables.js: the communities as a table to sort and filter; tables to download. */
'use strict';
RedMap.communityTable = () => {
  const { el, t, number, percent, data: d, state: s } = RedMap, left = (c) => (c.people || 0) - (c.covered || 0);
  const value = { uncovered: (c) => -left(c), share: (c) => c.share === null ? 2 : c.share, people: (c) => -(c.people || 0), median: (c) => -(c.median === null ? 1e9 : c.median) }[s.sort];
  const asked = (s.filter || '').trim().toLowerCase(), fits = (c) => !asked || (c.name + ' ' + c.street + ' ' + (c.py || '')).toLowerCase().includes(asked);
  const matching = d.communities.filter(fits), rows = matching.map(RedMap.communityNow).sort((a, b) => value(a) - value(b)).slice(0, RedMap.rows);
  const head = (key, label) => el('th', { scope: 'col', 'aria-sort': s.sort === key ? 'other' : null }, el('button', { type: 'button', class: s.sort === key ? 'current' : '', onclick: () => RedMap.set({ sort: key }) }, label));
  return [RedMap.banner(), el('h2', {}, t('communitiesTitle')),
    el('input', { type: 'search', id: 'filter', class: 'filter', value: s.filter || '', placeholder: t('filter'), 'aria-label': t('filter'), autocomplete: 'off', oninput: (event) => { if (!event.isComposing) RedMap.filterCommunities(event.target); }, oncompositionend: (event) => RedMap.filterCommunities(event.target) }),
    matching.length ? null : el('p', { class: 'muted' }, t('searchNone')),
    matching.length > rows.length ? el('p', { class: 'muted' }, t('shownOf', { shown: rows.length, all: number(matching.length) })) : null,
    el('div', { class: 'table-wrap' }, el('table', { id: 'communities' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('name')), head('people', t('population')), head('uncovered', t('uncovered')), head('share', t('share')), head('median', t('median')))),
      el('tbody', {}, rows.map((c) => el('tr', { key: 'community:' + c.id, class: s.sel === 'community:' + c.id ? 'chosen' : '', onclick: () => RedMap.select('community', c.id, true) },
        el('th', { scope: 'row' }, el('button', { type: 'button', class: 'plain', onclick: (event) => { event.stopPropagation(); RedMap.select('community', c.id, true); } }, RedMap.name(c.name)), c.street ? RedMap.name(c.street, 'sub') : null),
        el('td', {}, number(c.people)), el('td', {}, number(left(c))), el('td', {}, percent(c.share)), el('td', {}, c.median === null ? '–' : number(c.median, 1))))))),
    el('p', {}, RedMap.csvButton('communities'))];
};
RedMap.filterCommunities = (input) => {
  RedMap.state.filter = input.value;
  RedMap.drawPane();
  RedMap.say(RedMap.t('searchCount', { n: RedMap.byId('communities').tBodies[0].rows.length }));
};
RedMap.csvButton = (which) => RedMap.el('button', { type: 'button', class: 'outline', id: 'csv-' + which, onclick: () => RedMap.downloads[which]() }, RedMap.t(which === 'stations' ? 'csvStations' : 'csvCommunities'));
RedMap.downloads = {
  communities() {
    const t = RedMap.t, head = ['id', 'name', 'street', 'population', 'covered', 'share', 'shareStraight', 'median', 'nearest'].map((k) => k === 'id' ? 'ID' : t(k));
    RedMap.save('communities.csv', RedMap.csv([head, ...RedMap.data.communities.map(RedMap.communityNow).map((c) => [c.id, c.name, c.street, c.people, c.covered, c.share, RedMap.now ? '' : c.straight, c.median, RedMap.now ? '' : c.nearest])]));
  },
  stations() {
    const t = RedMap.t, head = ['ID', t('name'), t('kind'), 'lon (WGS-84)', 'lat (WGS-84)', t('services'), t('hours'), t('address'), t('phone'), t('street'), t('community'), t('issuer'), t('date'), ...RedMap.data.times.map(RedMap.time)];
    const at = (s, i) => RedMap.t(s.open === null ? 'openUnknown' : s.open[i] === '1' ? 'open' : 'closed');
    RedMap.save('stations.csv', RedMap.csv([head, ...RedMap.data.stations.map((s) => [s.id, s.name, RedMap.word('kinds', s.kind), s.at[0], s.at[1], s.services.map((k) => RedMap.word('svc', k)).join(' '), s.hours || s.said, s.address, s.phone, s.street, s.community, s.issuer, s.date,
      ...RedMap.data.times.map((_, i) => at(s, i))])]));
  },
};

/* core.js: the page's data, its words, its state (kept in the address), small helpers.
   Every text that comes from data reaches the page through textContent only. */
'use strict';
const RedMap = {
  data: null, map: null, layers: {}, state: {}, views: [], formats: {},

  /* An element: props are properties, `class` and aria-* included; children are nodes or texts. */
  el(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props || {})) {
      if (value === null || value === undefined) continue;
      if (key === 'class') node.className = value;
      else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else if (key.includes('-') || key === 'role' || key === 'for') node.setAttribute(key, value);
      else node[key] = value;
    }
    for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) node.append(child);
    return node;
  },
  byId(id) { return document.getElementById(id); },

  /* A text that is data (a name): shown as it is in both languages. */
  name(text, cls) { return RedMap.el('span', { class: 'data' + (cls ? ' ' + cls : ''), translate: false }, text); },

  t(key, values) {
    let text = RedMap.data.strings[RedMap.state.lang][key];
    if (text === undefined) return key;
    for (const [k, v] of Object.entries(values || {})) text = text.split('{' + k + '}').join(v);
    return text;
  },
  /* A word of a closed vocabulary, as it is where the page has no translation. */
  word(group, key) { return RedMap.data.strings[RedMap.state.lang][group][key] || key; },
  isWord(key) { return Object.prototype.hasOwnProperty.call(RedMap.data.strings.zh, key); },
  layerName(key) { return RedMap.isWord(key) ? RedMap.t(key) : key; },
  time(key) { const [day, clock] = key.split(' '); return RedMap.t(day) + ' ' + clock; },

  number(value, digits) {
    if (value === null || value === undefined) return '–';
    const key = RedMap.state.lang + (digits || 0); // a formatter costs more than a hundred numbers
    if (!RedMap.formats[key]) RedMap.formats[key] = new Intl.NumberFormat(RedMap.state.lang === 'zh' ? 'zh-CN' : 'en-US', { minimumFractionDigits: digits || 0, maximumFractionDigits: digits || 0 });
    return RedMap.formats[key].format(value);
  },
  percent(share, digits) {
    return share === null || share === undefined ? '–' : RedMap.number(share * 100, digits === undefined ? 1 : digits) + '%';
  },
  distance(m) {
    return m < 1000 ? RedMap.t('metres', { n: RedMap.number(Math.round(m / 10) * 10) }) : RedMap.t('kilometres', { n: RedMap.number(m / 1000, 1) });
  },
  say(text) { RedMap.byId('live').textContent = text; },

  /* ---- state and address ---- */
  readHash() {
    const found = {};
    let asked;
    try { asked = new URLSearchParams(location.hash.slice(1)); } catch (error) { return found; }
    for (const [key, value] of asked) if (value.length < 300) found[key] = value;
    return found;
  },
  writeHash() {
    if (!RedMap.hashOf) return;
    const text = '#' + Object.entries(RedMap.hashOf()).filter(([, v]) => v !== null && v !== '')
      .map(([k, v]) => k + '=' + encodeURIComponent(v).replace(/%2F/g, '/').replace(/%2C/g, ',').replace(/%3A/g, ':')).join('&');
    if (text !== location.hash) history.replaceState(null, '', text);
  },
  set(patch) {
    Object.assign(RedMap.state, patch);
    RedMap.render();
  },
  render() {
    for (const view of RedMap.views) view();
    if (RedMap.ground) RedMap.ground.repaint();
    RedMap.writeHash();
  },

  /* ---- static words of the markup ---- */
  words() {
    const html = document.documentElement;
    html.lang = RedMap.state.lang === 'zh' ? 'zh-CN' : 'en';
    const put = (attribute, apply) => {
      for (const node of document.querySelectorAll('[' + attribute + ']')) apply(node, RedMap.t(node.getAttribute(attribute)));
    };
    put('data-i18n', (node, text) => { node.textContent = text; });
    put('data-i18n-aria', (node, text) => node.setAttribute('aria-label', text));
    put('data-i18n-placeholder', (node, text) => { node.placeholder = text; });
    put('data-i18n-title', (node, text) => { node.title = text; });
    const d = RedMap.data, standard = d.standard;
    RedMap.byId('study-name').textContent = d.name;
    const line = [d.edition ? RedMap.t('edition', { edition: d.edition }) : '',
      RedMap.t(standard.speed_kmh ? 'standardLine' : 'standardLineNoSpeed',
        { mode: RedMap.t(standard.mode), minutes: standard.limit_minutes, speed: standard.speed_kmh })];
    RedMap.byId('study-line').textContent = d.page === 'public' ? RedMap.t('publicTitle') : line.filter(Boolean).join(' · ');
    RedMap.byId('synthetic').hidden = !d.synthetic;
    document.title = [d.name, d.edition, RedMap.t('app')].filter(Boolean).join(' · ');
    const button = RedMap.byId('language');
    button.textContent = RedMap.t('langName');
    button.lang = RedMap.state.lang === 'zh' ? 'en' : 'zh-CN';
    button.setAttribute('aria-label', RedMap.t('langAria'));
    RedMap.byId('approval').textContent = d.approval ? RedMap.t('approval', { n: d.approval }) : RedMap.t('approvalEmpty');
    RedMap.map.getContainer().setAttribute('aria-label', RedMap.t('mapAria'));
    RedMap.map.getContainer().setAttribute('role', 'region');
  },

  /* ---- tables to files: UTF-8 with BOM, CRLF, and no cell that a spreadsheet would run ---- */
  csv(rows) {
    const cell = (value) => {
      let text = value === null || value === undefined ? '' : String(value);
      if (typeof value === 'string' && /^[\s]*[=+\-@\t\r]/.test(text)) text = "'" + text;
      return /[",\r\n;]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    };
    return '\ufeff' + rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
  },
  save(name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type: (type || 'text/csv') + ';charset=utf-8' }));
    const link = RedMap.el('a', { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 4000);
  },
};

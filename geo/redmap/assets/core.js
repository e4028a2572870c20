/* core.js: the page's data, its words, its state (kept in the address), small helpers.
   Every text that comes from data reaches the page through textContent only. */
'use strict';
const RedMap = {
  LONGEST: 12000, // of a value in the address: three hundred trial stations
  data: null, map: null, layers: {}, state: {}, views: [], formats: {},

  /* An element: props are properties, `class` and aria-* included; children are nodes or texts.
     `key` tells `patch` which element of a list it is. */
  el(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props || {})) {
      if (value === null || value === undefined) continue;
      if (key === 'class') node.className = value;
      else if (key === 'key') node.dataset.key = value;
      else if (key.startsWith('on')) RedMap.listen(node, key.slice(2), value);
      else if (key.includes('-') || key === 'role' || key === 'for') node.setAttribute(key, value);
      else node[key] = value;
    }
    for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) node.append(child);
    return node;
  },
  /** @returns {any} the element; what kind it is, the markup says */
  byId(id) { return document.getElementById(id); },
  /* One listener an event, so that `patch` can give an element the newer one. */
  listen(node, type, act) {
    if (!node.acts) node.acts = {};
    if (!node.acts[type]) node.addEventListener(type, RedMap.hear);
    node.acts[type] = act;
  },
  hear(event) { const act = (event.currentTarget.acts || {})[event.type]; if (act) act(event); },

  /* Make the children of `box` those wanted and keep every element that may stay: one that is pressed, typed in
     or dragged while the page is drawn anew goes on being the same. */
  patch(box, wanted) {
    const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.key || '' : ''), held = /** @type {HTMLElement} */ (document.activeElement);
    const list = wanted.flat(Infinity).filter((x) => x !== null && x !== undefined && x !== '').map((x) => (typeof x === 'object' ? x : document.createTextNode(x)));
    const keys = new Set(list.map(keyOf)), keyed = new Map();
    for (const node of [...box.childNodes]) { const key = keyOf(node); if (!key) continue; if (keys.has(key)) keyed.set(key, node); else node.remove(); }
    let at = box.firstChild;
    for (const next of list) {
      const key = keyOf(next), old = key ? keyed.get(key) : at && !keyOf(at) ? at : null;
      if (!old || old.nodeName !== next.nodeName || old.nodeName === 'CANVAS') { box.insertBefore(next, at); continue; }
      keyed.delete(key);
      if (old === at) at = at.nextSibling; else box.insertBefore(old, at);
      if (old !== next) RedMap.become(old, next);
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
    if (held && held !== document.activeElement && box.contains(held)) held.focus({ preventScroll: true });
  },
  /* The element on the page where it was made of the same (its `told`), else a new one. */
  same(old, told, make) { return old && old.told === told ? old : make(told); },
  become(old, next) {
    old.told = next.told;
    if (old.nodeType !== 1) { if (old.data !== next.data) old.data = next.data; return; }
    for (const { name } of [...old.attributes]) if (name !== 'style' && !next.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of next.attributes) if (name !== 'style' && old.getAttribute(name) !== value) old.setAttribute(name, value);
    if (old.style.cssText !== next.style.cssText) old.style.cssText = next.style.cssText;
    for (const [type, act] of Object.entries(next.acts || {})) RedMap.listen(old, type, act);
    for (const type of Object.keys(old.acts || {})) if (!(next.acts || {})[type]) delete old.acts[type];
    RedMap.patch(old, [...next.childNodes]);
    // what is being typed is the reader's, not ours
    const typed = old === document.activeElement && /^(text|search)$/.test(old.type);
    for (const key of ['checked', 'selected', 'value']) if (key in next && next.nodeName !== 'BUTTON' && next.nodeName !== 'LI' && !(typed && key === 'value') && old[key] !== next[key]) old[key] = next[key];
  },

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
  /* People in figures that are read at a glance: from a hundred thousand on in 万, where the page is in Chinese. */
  count(value) {
    return RedMap.state.lang === 'zh' && value >= 1e5 ? RedMap.t('wan', { n: RedMap.number(value / 1e4, 1) }) : RedMap.number(value);
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
    const found = RedMap.askedInWords(location.hash.length > 1 ? '' : location.search);
    let asked;
    try { asked = new URLSearchParams(location.hash.slice(1)); } catch (error) { return found; }
    for (const [key, value] of asked) if (value.length < RedMap.LONGEST) found[key] = value;
    return found;
  },
  writeHash() {
    if (!RedMap.hashOf) return;
    const text = '#' + Object.entries(RedMap.hashOf()).filter(([, v]) => v !== null && v !== '')
      .map(([k, v]) => k + '=' + encodeURIComponent(v).replace(/%2F/g, '/').replace(/%2C/g, ',').replace(/%3A/g, ':')).join('&');
    if (text === location.hash) return;
    if (RedMap.keep) RedMap.keep(text); else history.replaceState(null, '', text);
  },
  set(patch) {
    Object.assign(RedMap.state, patch);
    RedMap.render();
  },
  render() {
    for (const view of RedMap.views) view();
    RedMap.repaint();
    RedMap.writeHash();
  },

  /* ---- static words of the markup ---- */
  words() {
    if (RedMap.wordsAre === RedMap.state.lang) return;
    RedMap.wordsAre = RedMap.state.lang;
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
    const date = RedMap.byId('data-date');
    if (date) date.textContent = d.sourceDate ? RedMap.t('roadsOf', { date: d.sourceDate.slice(0, 10) }) : '';
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

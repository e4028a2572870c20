/* picture.js: what is shown, taken along: a PNG of the map, the layers as GeoJSON; full screen; the first visit. */
'use strict';

/* The map alone as it stands on the screen, `ratio` times its size; what is pinned beside it on its side. */
RedMap.mapPicture = (ratio) => {
  const map = RedMap.map, size = map.getSize(), z = map.getZoom(), world = 256 * 2 ** z, corner = map.getPixelBounds().min, side = Math.max(size.x, size.y);
  const v = { z, size: side, k: world / (2 * Math.PI * RedMap.EARTH), left: corner.x - world / 2, top: corner.y - world / 2 };
  const out = RedMap.el('canvas', { width: size.x * ratio, height: size.y * ratio }), pen = out.getContext('2d');
  const painted = (which) => {
    const square = RedMap.el('canvas', { width: side * ratio, height: side * ratio });
    RedMap.paint(square.getContext('2d'), v, { x: corner.x / side, y: corner.y / side, z }, ratio, which);
    return square;
  };
  pen.drawImage(painted('now'), 0, 0);
  if (RedMap.pinned) {
    const x = Math.round(size.x * RedMap.swipe * ratio);
    pen.clearRect(0, 0, x, out.height);
    pen.drawImage(painted('pinned'), 0, 0, x, out.height, 0, 0, x, out.height);
    pen.fillStyle = RedMap.palette().text;
    pen.fillRect(x - ratio, 0, 2 * ratio, out.height);
  }
  return out;
};
/* The same at twice its size, with title, legend, scale and sources. */
RedMap.pictureOf = () => {
  const map = RedMap.map, size = map.getSize(), ratio = 2, head = 58, legend = RedMap.legendLine(size.x - 32), foot = legend.rows * 24 + 40, c = RedMap.palette();
  const canvas = RedMap.el('canvas', { width: size.x * ratio, height: (size.y + head + foot) * ratio }), ctx = canvas.getContext('2d');
  ctx.fillStyle = c.ground;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(RedMap.mapPicture(ratio), 0, head * ratio);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  const write = (text, x, y, font, align) => { ctx.font = font + ' ' + RedMap.FONT; ctx.fillStyle = c.text; ctx.textAlign = align || 'left'; ctx.textBaseline = 'middle'; ctx.fillText(text, x, y); };
  const d = RedMap.data;
  write(d.name + (d.synthetic ? '（' + RedMap.t('synthetic') + '）' : ''), 16, 20, 'bold 19px');
  write([RedMap.byId('study-line').textContent, RedMap.now ? RedMap.choiceWords() : ''].filter(Boolean).join('　'), 16, 43, '13px');
  write(RedMap.layerName(RedMap.state.demand) + ' ' + RedMap.percent(RedMap.block().share), size.x - 16, 30, 'bold 24px', 'right');
  for (const { kind, text, x, row } of legend.entries) {
    ctx.drawImage(RedMap.swatch(kind), 16 + x, head + size.y + 10 + row * 24, 28, 20);
    write(text, 16 + x + 33, head + size.y + 20 + row * 24, '12px');
  }
  const y = head + size.y + foot - 18;
  write([RedMap.byId('scale').textContent, RedMap.byId('approval').textContent, RedMap.t('osm')].join('　'), size.x - 16, y, '12px', 'right');
  const bar = RedMap.byId('scale').getBoundingClientRect().width;
  ctx.strokeStyle = c.text;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(size.x - 16 - bar, head + size.y - 12); ctx.lineTo(size.x - 16, head + size.y - 12);
  ctx.stroke();
  return canvas;
};
/* The legend's entries side by side in rows of `width` pixels. */
RedMap.legendLine = (width) => {
  const pen = RedMap.el('canvas', {}).getContext('2d'), entries = [];
  pen.font = '12px ' + RedMap.FONT;
  let x = 0, row = 0;
  for (const key of ['bands', 'areas', 'gaps', 'sites', 'stations'].filter((k) => RedMap.state.on[k] && RedMap.byId('on-' + k))) for (const [kind, text] of RedMap.legendOf(key).slice(1)) {
    const wide = 49 + pen.measureText(text).width;
    if (x > 0 && x + wide > width) { x = 0; row++; }
    entries.push({ kind, text, x, row });
    x += wide;
  }
  return { entries, rows: entries.length ? row + 1 : 0 };
};
RedMap.savePicture = () => new Promise((done) => {
  RedMap.pictureOf().toBlob((blob) => {
    const url = URL.createObjectURL(blob), link = RedMap.el('a', { href: url, download: 'map.png' });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 4000);
    done();
  }, 'image/png');
});

/* Stations with what they count for now, the gaps' places, the sites and the trial stations: WGS-84. */
RedMap.geoJson = () => {
  const d = RedMap.data, point = (at, properties) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: at }, properties }), gaps = RedMap.now ? RedMap.now.gaps : d.gaps;
  return { type: 'FeatureCollection', features: [
    ...d.stations.map((s) => point(s.at, { layer: 'station', id: s.id, name: s.name, services: s.services.join('; '), hours: s.hours, state: RedMap.stateOf(s), counted: RedMap.counts(s) })),
    ...gaps.map((g) => point(g.at, { layer: 'gap', rank: g.rank, people: g.people })),
    ...d.sites.map((s) => point(s.at, { layer: 'site', id: s.id, name: s.name, rank: s.rank, gain: s.gain, opened: RedMap.choice ? RedMap.choice.sites.includes(s.id) : false })),
    ...(RedMap.choice ? RedMap.choice.add : []).map((a, i) => point(a.at, { layer: 'trial', name: RedMap.t('trialName', { n: i + 1 }), services: a.services.join('; '), hours: a.hours })),
  ] };
};
RedMap.saveGeoJson = () => RedMap.save('layers.geojson', JSON.stringify(RedMap.geoJson()), 'application/geo+json');

RedMap.wireFullScreen = () => {
  const button = RedMap.byId('full');
  if (!document.documentElement.requestFullscreen) { button.hidden = true; return; }
  button.addEventListener('click', () => { if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen().catch(() => { button.hidden = true; }); });
};

/* Said once in a browser; where nothing can be kept, once in a visit. */
RedMap.HINT = 'redmap-hint-1';
RedMap.hint = () => {
  let seen = location.hash.length > 1;
  try { seen = seen || localStorage.getItem(RedMap.HINT) === '1'; } catch (error) { /* a page from a file may keep nothing */ }
  if (seen) return;
  const card = RedMap.el('aside', { class: 'hint-card', id: 'hint', 'aria-labelledby': 'hint-title' }, RedMap.el('b', { id: 'hint-title', 'data-i18n': 'hint' }), RedMap.el('span', { 'data-i18n': 'hintText' }),
    RedMap.el('button', { type: 'button', 'data-i18n': 'hintClose', onclick: () => { card.remove(); try { localStorage.setItem(RedMap.HINT, '1'); } catch (error) { /* then it is said again next time */ } } }));
  RedMap.byId('stage').append(card);
  // whoever goes to work needs no hint
  addEventListener('pointerdown', (event) => { if (!card.contains(event.target)) card.remove(); }, { once: true });
};

/* tiles.js: a map from the net under ours, only when asked for. Off by default: then the page sends nothing. */
'use strict';
RedMap.TILES = {
  osm: { url: 'https://tile.openstreetmap.org/{z}/{x}/{y}.png', max: 19 },
  // the labels of Tianditu are a layer of their own; its datum is CGCS2000, which is ours within a metre
  tianditu: { url: 'https://t{s}.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}', names: 'https://t{s}.tianditu.gov.cn/cva_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=cva&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}', max: 18 },
  // its pictures are of GCJ-02: each is laid where its corner is in WGS-84, so that the data stays as it is
  gaode: { url: 'https://webrd0{s}.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=8&x={x}&y={y}&z={z}', max: 18, from: '1234', shifted: true },
};
RedMap.TILE_KEY = 'redmap-tianditu-key';
RedMap.keptKey = () => { try { return localStorage.getItem(RedMap.TILE_KEY) || ''; } catch (error) { return ''; } };
RedMap.tiles = '';
RedMap.tilesWanted = '';
RedMap.tileLayers = [];
/* The place that GCJ-02 shows at a place: the shift turned round, to within a centimetre. */
RedMap.fromGcj02 = ([lon, lat]) => {
  let at = [lon, lat];
  for (let i = 0; i < 4; i++) { const there = RedMap.gcj02(at); at = [at[0] + lon - there[0], at[1] + lat - there[1]]; }
  return at;
};
RedMap.ShiftedTiles = L.TileLayer.extend({
  // the tiles asked for are those of the same places in GCJ-02
  _getTiledPixelBounds(centre) {
    const box = L.TileLayer.prototype._getTiledPixelBounds.call(this, centre), [lng, lat] = RedMap.gcj02([centre.lng, centre.lat]);
    const away = this._map.project([lat, lng], this._tileZoom).subtract(this._map.project(centre, this._tileZoom));
    return L.bounds(box.min.add(away), box.max.add(away));
  },
  _getTilePos(coords) {
    const corner = this._map.unproject(coords.scaleBy(this.getTileSize()), coords.z), [lng, lat] = RedMap.fromGcj02([corner.lng, corner.lat]);
    return this._map.project([lat, lng], coords.z).subtract(this._level.origin).round();
  },
});
/* Switch to a source, or to none with ''. Three tiles that fail take it away again, with a word. */
RedMap.useTiles = (which, key) => {
  RedMap.tilesWanted = which;
  for (const layer of RedMap.tileLayers) layer.remove();
  RedMap.tileLayers = [];
  RedMap.tiles = RedMap.TILES[which] && (which !== 'tianditu' || /^[0-9a-fA-F]{8,64}$/.test(key)) ? which : '';
  if (which === 'tianditu' && RedMap.tiles) try { localStorage.setItem(RedMap.TILE_KEY, key); } catch (error) { /* then it is typed again */ }
  if (which === 'tianditu' && !RedMap.tiles) RedMap.toast(RedMap.t('tileKeyWrong'));
  const source = RedMap.TILES[RedMap.tiles];
  let failed = 0;
  for (const url of source ? [source.url, source.names].filter(Boolean) : []) {
    const layer = new (source.shifted ? RedMap.ShiftedTiles : L.TileLayer)(url, { subdomains: source.from || '01234567', key: key || '', maxNativeZoom: source.max, maxZoom: 19, zIndex: 0, crossOrigin: false });
    layer.on('tileerror', () => { if (++failed === 3) { RedMap.useTiles(''); RedMap.toast(RedMap.t('tilesFailed')); } });
    layer.on('tileload', () => { failed = 0; });
    RedMap.tileLayers.push(layer.addTo(RedMap.map));
  }
  if (RedMap.ground) RedMap.ground.setZIndex(2);
  const label = RedMap.byId('tile-label');
  label.hidden = !RedMap.tiles;
  RedMap.render();
};
/* Whose pictures lie under the data, always in sight. */
RedMap.tileLabel = () => { RedMap.byId('tile-label').textContent = RedMap.tiles ? RedMap.t('tileLabel_' + RedMap.tiles) : ''; };
RedMap.tileControl = () => {
  const { el, t } = RedMap, typed = () => RedMap.byId('tile-key').value.trim();
  const chosen = (which) => {
    RedMap.tilesWanted = which;
    if (which !== 'tianditu' || typed()) RedMap.useTiles(which, typed()); else RedMap.drawLegend();
  };
  return el('div', { class: 'layer', id: 'tile-control' },
    el('label', { class: 'field' }, el('span', {}, t('tilesTitle')), el('select', { id: 'tiles', onchange: (event) => chosen(event.target.value) },
      [['', 'tilesNone'], ['osm', 'tilesOsm'], ['tianditu', 'tilesTianditu'], ['gaode', 'tilesGaode']].map(([value, word]) => el('option', { value, selected: value === RedMap.tilesWanted }, t(word))))),
    el('input', { type: 'text', id: 'tile-key', autocomplete: 'off', spellcheck: false, placeholder: t('tileKey'), 'aria-label': t('tileKey'), value: RedMap.keptKey(), hidden: RedMap.tilesWanted !== 'tianditu', onchange: () => RedMap.useTiles('tianditu', typed()) }),
    RedMap.tiles ? el('p', { class: 'note' }, t('tilesNote')) : null);
};

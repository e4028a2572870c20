/* ground.js: the map's layer of tiles. A tile is painted beside the screen, in slices between frames, and then shown
   whole; until then it shows what is painted already, stretched: dragging and zooming never wait for paint. */
'use strict';
RedMap.TILE = 512;
RedMap.SLICE_MS = 6; // while the map moves: what a frame of a slow phone can spare
RedMap.REST_MS = 14;
RedMap.moving = () => { const map = RedMap.map; return map._animatingZoom || !!(map.dragging && map.dragging.moving()) || Date.now() - RedMap.movedAt < 120; };
RedMap.movedAt = 0;
/* While the engine answers, what is painted would be painted anew, and the answer waits for its end. Not for long:
   under a long drag there is always an answer to come. */
RedMap.PATIENCE_MS = 120;
RedMap.awaitedAt = 0;
RedMap.awaits = () => Date.now() - RedMap.awaitedAt < RedMap.PATIENCE_MS;
RedMap.flying = false;

RedMap.Ground = L.GridLayer.extend({
  options: { tileSize: RedMap.TILE, updateWhenIdle: false, updateWhenZooming: false, keepBuffer: 1, maxZoom: 19, pane: 'tilePane', side: 'now' },
  initialize(options) {
    L.setOptions(this, options);
    this._jobs = new Map(); // tile → its place; the first asked for is the first painted
    this._job = null;
    this._timer = 0;
    this.on('tileunload', ({ tile }) => { this._jobs.delete(tile); if (this._job && this._job.tile === tile) this._job = null; });
  },
  onRemove(map) { this._jobs.clear(); this._job = null; L.GridLayer.prototype.onRemove.call(this, map); },
  // Leaflet rounds the zoom of tiles and then stretches them; ours are drawn at the very zoom of the map
  _setView(center, zoom, ...rest) {
    this._exact = zoom;
    try { return L.GridLayer.prototype._setView.call(this, center, zoom, ...rest); } finally { this._exact = undefined; }
  },
  _update(centre) { if (!RedMap.flying) L.GridLayer.prototype._update.call(this, centre); },
  _clampZoom(zoom) { return this._exact === undefined ? zoom : this._exact; },
  ratio: () => Math.min(2, Math.max(1, Math.round(devicePixelRatio || 1))),
  createTile(coords) {
    const size = RedMap.TILE * this.ratio(), tile = RedMap.el('canvas', { width: size, height: size });
    this.want(tile, coords);
    return tile;
  },
  /* Tiles of the zoom before lie under the new ones, stretched, until these are painted. */
  _pruneTiles() {
    if (!this._job && !this._jobs.size) { L.GridLayer.prototype._pruneTiles.call(this); return; }
    for (const [key, tile] of Object.entries(this._tiles)) if (tile.coords.z !== this._tileZoom && !tile.el.painted) this._removeTile(key);
  },
  want(tile, coords) {
    this._jobs.set(tile, coords);
    document.documentElement.setAttribute('data-painted', '0');
    if (!this._timer) this._timer = setTimeout(() => this.work(), 0);
  },
  /* One slice: a step of a tile, and more while there is time. */
  step() {
    if (!this._job) {
      const [first] = this._jobs;
      if (!first) return false;
      const [tile, coords] = first, ratio = this.ratio(), size = RedMap.TILE * ratio;
      this._jobs.delete(tile);
      if (!this._beside) this._beside = RedMap.el('canvas', {});
      if (this._beside.width !== size) this._beside.width = this._beside.height = size;
      this._job = { tile, steps: RedMap.painting(this._beside.getContext('2d', { willReadFrequently: true }), RedMap.tileView(coords, RedMap.TILE), coords, ratio, this.options.side) };
    }
    const { tile, steps } = this._job;
    // a browser keeps what it is told to draw until someone looks: looked at after each step, none takes long
    if (!steps.next().done) { this._beside.getContext('2d').getImageData(0, 0, 1, 1); return true; }
    if (tile.width !== this._beside.width) tile.width = tile.height = this._beside.width;
    const pen = tile.getContext('2d');
    pen.clearRect(0, 0, tile.width, tile.height);
    pen.drawImage(this._beside, 0, 0);
    tile.painted = true;
    this._job = null;
    return this._jobs.size > 0;
  },
  work() {
    this._timer = 0;
    if (!RedMap.map._animatingZoom && !RedMap.awaits()) {
      const until = performance.now() + (RedMap.moving() ? RedMap.SLICE_MS : RedMap.REST_MS);
      while (this.step() && performance.now() < until) { /* the next one */ }
    }
    if (this._job || this._jobs.size) this._timer = setTimeout(() => this.work(), 4);
    else this.rest();
  },
  rest() {
    if (this._map) this._pruneTiles();
    document.documentElement.setAttribute('data-painted', '1');
  },
  /* Everything at once: before a print, at the start. */
  flush() {
    while (this.step()) { /* the next one */ }
    if (this._timer) clearTimeout(this._timer);
    this._timer = 0;
    this.rest();
  },
  repaint() {
    const centre = RedMap.map.getPixelBounds().getCenter().divideBy(RedMap.TILE)._subtract([.5, .5]), away = ({ coords }) => Math.hypot(coords.x - centre.x, coords.y - centre.y);
    for (const { el, coords } of Object.values(this._tiles).sort((a, b) => away(a) - away(b))) this.want(el, coords);
  },
});

/* What the picture depends on: where it is the same, nothing is painted. */
RedMap.seen = () => {
  const { tab, demand, sort, filter, hint, from, ...rest } = RedMap.state;
  return JSON.stringify([rest, RedMap.shownTurn, !!RedMap.pinned, RedMap.tiles, RedMap.isDark()]);
};
RedMap.repaint = () => {
  const seen = RedMap.seen();
  if (!RedMap.ground || seen === RedMap.paintedFor) return;
  RedMap.paintedFor = seen;
  RedMap.labelCache.clear();
  RedMap.ground.repaint();
  if (RedMap.pinnedGround) RedMap.pinnedGround.repaint();
};

/* print.js: the page takes the size of an A4 landscape sheet; the map is drawn for it in one piece, fine enough for paper. */
'use strict';
RedMap.PRINTED_ROWS = 12; // of gaps; communities fill a sheet of their own
RedMap.PRINTED_TABLE = 22;
RedMap.PRINT_RATIO = 3; // some 290 points an inch on A4, 200 on A3

RedMap.beforePrint = () => {
  const map = RedMap.map;
  if (document.body.classList.contains('printing')) return;
  RedMap.onScreen = { zoom: map.getZoom(), centre: map.getCenter(), seen: map.getBounds(), rail: RedMap.byId('rail').open, tab: RedMap.state.tab };
  document.body.classList.add('printing');
  RedMap.byId('rail').open = true;
  RedMap.byId('printed-on').textContent = RedMap.t('printedOn', { date: new Date(Date.now() + 288e5).toISOString().slice(0, 10) });
  map.invalidateSize({ animate: false, pan: false });
  // what was seen on the screen stands beside the legend on the sheet; of a study seen whole, no more than the study
  const [w, south, e, n] = RedMap.data.bounds, whole = [[south, w], [n, e]], seen = RedMap.onScreen.seen;
  map.fitBounds(w !== null && seen.contains(whole) ? whole : seen, { paddingBottomRight: [236, 0], animate: false });
  RedMap.set({ tab: 'overview' });
  RedMap.rows = RedMap.PRINTED_ROWS;
  const part = (nodes) => RedMap.el('section', { class: 'sheet' }, nodes.flat().filter(Boolean));
  const tableOf = (rows) => { RedMap.rows = rows; return RedMap.communityTable(); };
  const picture = RedMap.mapPicture(RedMap.PRINT_RATIO), size = map.getSize();
  picture.id = 'print-map';
  picture.style.width = size.x + 'px';
  picture.style.height = size.y + 'px';
  L.DomUtil.setPosition(picture, map.containerPointToLayerPoint([0, 0]));
  map.getPane('overlayPane').append(picture);
  RedMap.byId('panel').append(RedMap.el('div', { id: 'printed' }, part(RedMap.gapList()), part(RedMap.siteList()), part(tableOf(RedMap.PRINTED_TABLE))));
  RedMap.rows = RedMap.SHOWN_ROWS;
};
RedMap.afterPrint = () => {
  const was = RedMap.onScreen;
  if (!was) return;
  RedMap.byId('printed').remove();
  RedMap.byId('print-map').remove();
  document.body.classList.remove('printing');
  RedMap.byId('rail').open = was.rail;
  RedMap.map.invalidateSize({ animate: false, pan: false });
  RedMap.map.setView(was.centre, was.zoom, { animate: false });
  RedMap.set({ tab: was.tab });
  RedMap.onScreen = null;
};

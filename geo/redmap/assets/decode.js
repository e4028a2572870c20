/* decode.js: packed geometry (geo/redmap/codec.py) back into integer arrays. */
'use strict';
RedMap.EARTH = 6378137;

RedMap.unzip = (id) => unzipped('layer-' + id);
RedMap.decode = async (id, header) => {
  const bytes = await RedMap.unzip(id);
  let at = 0;
  const next = () => {
    let value = 0, factor = 1, byte;
    do { byte = bytes[at++]; value += (byte & 127) * factor; factor *= 128; } while (byte > 127);
    return value;
  };
  const step = () => { const v = next(); return v % 2 ? -(v + 1) / 2 : v / 2; };
  const count = next();
  const tag = new Int32Array(count), partFrom = new Int32Array(count + 1);
  const pointFrom = [0], box = [];
  const xs = new Int32Array(bytes.length), ys = new Int32Array(bytes.length);
  let used = 0, firstX = 0, firstY = 0;
  for (let f = 0; f < count; f++) {
    tag[f] = next();
    const parts = next();
    for (let p = 0; p < parts; p++) {
      const points = next();
      let x = firstX, y = firstY, west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
      for (let i = 0; i < points; i++) {
        x += step(); y += step();
        if (i === 0) { firstX = x; firstY = y; }
        xs[used] = x; ys[used++] = y;
        if (x < west) west = x;
        if (x > east) east = x;
        if (y < south) south = y;
        if (y > north) north = y;
      }
      pointFrom.push(used);
      box.push(west, south, east, north);
    }
    partFrom[f + 1] = pointFrom.length - 1;
  }
  return { x: header.x, y: header.y, q: header.q, count, tag, partFrom,
    pointFrom: Int32Array.from(pointFrom), box: Int32Array.from(box), xs: xs.slice(0, used), ys: ys.slice(0, used) };
};

/* Spherical Mercator metres of a place. */
RedMap.mercator = (lon, lat) => [RedMap.EARTH * lon * Math.PI / 180,
  RedMap.EARTH * Math.log(Math.tan(Math.PI / 4 + lat * Math.PI / 360))];

/* The feature of a polygon layer that holds a place (even-odd over all its rings), or -1. */
RedMap.featureAt = (layer, lon, lat) => RedMap.featureIn(layer, ...RedMap.mercator(lon, lat));
RedMap.featureIn = (layer, mx, my) => {
  const x = (mx - layer.x) / layer.q, y = (my - layer.y) / layer.q;
  for (let f = 0; f < layer.count; f++) {
    let inside = false;
    for (let p = layer.partFrom[f]; p < layer.partFrom[f + 1]; p++) {
      if (x < layer.box[4 * p] || x > layer.box[4 * p + 2] || y < layer.box[4 * p + 1] || y > layer.box[4 * p + 3]) continue;
      const from = layer.pointFrom[p], to = layer.pointFrom[p + 1];
      for (let i = from, j = to - 1; i < to; j = i++) {
        const yi = layer.ys[i], yj = layer.ys[j];
        if ((yi > y) !== (yj > y) && x < (layer.xs[j] - layer.xs[i]) * (y - yi) / (yj - yi) + layer.xs[i]) inside = !inside;
      }
    }
    if (inside) return layer.tag[f];
  }
  return -1;
};

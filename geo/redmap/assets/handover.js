/* handover.js: links that open a place in other map applications, each in the datum that it expects. */
'use strict';
RedMap.GCJ_A = 6378245;
RedMap.GCJ_E2 = 0.00669342162296594323;

/* WGS-84 degrees in GCJ-02; places outside China stay as they are. */
RedMap.gcj02 = ([lon, lat]) => {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const x = lon - 105, y = lat - 35, pi = Math.PI, r = Math.sqrt(Math.abs(x)), sin = Math.sin;
  const p = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x);
  const n = -100 + 2 * x + 3 * y + .2 * y * y + .1 * x * y + .2 * r + (p + 20 * sin(pi * y) + 40 * sin(pi * y / 3) + 160 * sin(pi * y / 12) + 320 * sin(pi * y / 30)) * 2 / 3;
  const e = 300 + x + 2 * y + .1 * x * x + .1 * x * y + .1 * r + (p + 20 * sin(pi * x) + 40 * sin(pi * x / 3) + 150 * sin(pi * x / 12) + 300 * sin(pi * x / 30)) * 2 / 3;
  const phi = lat * pi / 180, w2 = 1 - RedMap.GCJ_E2 * sin(phi) ** 2, w = Math.sqrt(w2);
  return [lon + e * 180 / (RedMap.GCJ_A / w * Math.cos(phi) * pi), lat + n * 180 / (RedMap.GCJ_A * (1 - RedMap.GCJ_E2) / (w2 * w) * pi)];
};

/* The links by the application's key. All take GCJ-02: Amap, Tencent and (in China) Apple know nothing else,
   Baidu is told so by coord_type. */
RedMap.handover = (station) => {
  const [lon, lat] = RedMap.gcj02(station.at).map((v) => v.toFixed(6)), name = encodeURIComponent(station.name.replace(/[,;:|&]/g, ' ').slice(0, 60));
  return {
    amap: 'https://uri.amap.com/navigation?to=' + lon + ',' + lat + ',' + name + '&mode=walk&coordinate=gaode&callnative=1&src=redmap',
    baidu: 'https://api.map.baidu.com/marker?location=' + lat + ',' + lon + '&title=' + name + '&content=' + name + '&output=html&coord_type=gcj02&src=redmap',
    tencent: 'https://apis.map.qq.com/uri/v1/routeplan?type=walk&to=' + name + '&tocoord=' + lat + ',' + lon + '&coord_type=2&referer=redmap',
    apple: 'https://maps.apple.com/?daddr=' + lat + ',' + lon + '&dirflg=w',
  };
};

// Reads a page's engine and cases from files (tests/geo/test_engine.py) and prints what it computes.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { makeEngine } = require(path.join(__dirname, '../../geo/redmap/assets/engine.js'));
const [head, bytes, cases] = process.argv.slice(2), engine = makeEngine();
const model = engine.decode(fs.readFileSync(bytes), JSON.parse(fs.readFileSync(head)));
const plain = (values) => Array.from(values, (s) => (s === Infinity ? null : s));
process.stdout.write(JSON.stringify({
  points: { lon: Array.from(model.px), lat: Array.from(model.py), weight: Array.from(model.weight), community: Array.from(model.community), layer: Array.from(model.layer) },
  cases: JSON.parse(fs.readFileSync(cases)).map((ask) => {
    const mode = model.modes[ask.mode], sources = mode.stations.map((s, i) => (ask.on[i] ? s : null));
    const out = engine.figures(model, { mode: ask.mode, limit: ask.limit, sources, minutes: [5, 10, 15, 20], far: ask.far });
    return { seconds: plain(out.seconds), layers: out.layers, communities: out.communities };
  }),
}));

// Gzip read back by hand against Node's own; run by `node --test tests/js`.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const zlib = require('node:zlib');
const { inflated } = require(path.join(__dirname, '../../geo/redmap/assets/inflate.js'));

test('bytes of every kind come back', () => {
  let seed = 7;
  const next = () => { seed = (seed * 1664525 + 1013904223) >>> 0; return seed / 2 ** 32; };
  for (const size of [0, 1, 300, 70000, 400000]) {
    for (const symbols of [1, 3, 40, 256]) {
      const data = Uint8Array.from({ length: size }, () => next() * symbols);
      for (const level of [0, 1, 9]) assert.deepStrictEqual(Buffer.from(inflated(new Uint8Array(zlib.gzipSync(data, { level })))), Buffer.from(data));
      const fixed = new Uint8Array(zlib.gzipSync(data, { strategy: zlib.constants.Z_FIXED }));
      assert.deepStrictEqual(Buffer.from(inflated(fixed)), Buffer.from(data));
    }
  }
  const text = Buffer.from('红色驿站 red station '.repeat(5000));
  assert.deepStrictEqual(Buffer.from(inflated(new Uint8Array(zlib.gzipSync(text)))), text);
});

test('damaged data is refused', () => {
  const raw = new Uint8Array(zlib.gzipSync(Buffer.from('abc'.repeat(100))));
  assert.throws(() => inflated(raw.fill(255, 11, 20)));
});

/* inflate.js: gzip in the page read back: by the browser, or by hand where it cannot (before Chrome 80 and Safari 16.4). */
'use strict';
const inflated = (raw) => {
  const size = new DataView(raw.buffer, raw.byteOffset + raw.length - 4).getUint32(0, true), out = new Uint8Array(size);
  let at = 10, hold = 0, have = 0, to = 0, last = 0; // ten bytes of head: what we write has no name and no comment
  const damaged = () => { throw new Error('the data in this page is damaged'); };
  const bits = (n) => {
    if (at > raw.length) damaged();
    while (have < n) { hold |= raw[at++] << have; have += 8; }
    const value = hold & ((1 << n) - 1);
    hold >>>= n; have -= n;
    return value;
  };
  const tree = (lengths) => {
    const count = new Uint16Array(17), from = new Uint16Array(17), symbol = new Uint16Array(lengths.length);
    for (const l of lengths) if (l) count[l]++;
    for (let l = 1; l < 16; l++) from[l + 1] = from[l] + count[l];
    lengths.forEach((l, s) => { if (l) symbol[from[l]++] = s; });
    return { count, symbol };
  };
  const read = ({ count, symbol }) => {
    for (let l = 1, code = 0, first = 0, index = 0; l < 16; l++) {
      code |= bits(1);
      if (code - count[l] < first) return symbol[index + code - first];
      index += count[l];
      first = (first + count[l]) << 1;
      code <<= 1;
    }
    return damaged();
  };
  const base = (start, extra) => extra.map((_, i) => start + extra.slice(0, i).reduce((sum, x) => sum + 2 ** x, 0));
  const longer = [...Array(8).fill(0), ...[1, 2, 3, 4, 5].flatMap((e) => Array(4).fill(e))], further = [0, 0, ...Array.from({ length: 14 }, (_, e) => [e, e]).flat()].slice(0, 30);
  const lengthFrom = [...base(3, longer), 258], farFrom = base(1, further);
  longer.push(0);
  while (!last) {
    last = bits(1);
    const type = bits(2);
    if (type === 0) {
      hold = have = 0;
      const n = raw[at] | raw[at + 1] << 8;
      out.set(raw.subarray(at + 4, at + 4 + n), to);
      at += 4 + n; to += n;
      continue;
    }
    if (type === 3) damaged();
    let codes, places;
    if (type === 1) {
      codes = tree([...Array(144).fill(8), ...Array(112).fill(9), ...Array(24).fill(7), ...Array(8).fill(8)]);
      places = tree(Array(30).fill(5));
    } else {
      const many = bits(5) + 257, far = bits(5) + 1, short = bits(4) + 4, order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], lengths = Array(19).fill(0);
      for (let i = 0; i < short; i++) lengths[order[i]] = bits(3);
      const how = tree(lengths), all = [];
      while (all.length < many + far) {
        const s = read(how);
        if (s < 16) all.push(s);
        else for (let n = s === 16 ? 3 + bits(2) : s === 17 ? 3 + bits(3) : 11 + bits(7), l = s === 16 ? all[all.length - 1] : 0; n > 0; n--) all.push(l);
      }
      codes = tree(all.slice(0, many));
      places = tree(all.slice(many));
    }
    for (let s = read(codes); s !== 256; s = read(codes)) {
      if (s < 256) { out[to++] = s; continue; }
      let n = lengthFrom[s - 257] + bits(longer[s - 257]);
      const d = read(places), back = farFrom[d] + bits(further[d]);
      for (; n > 0; n--, to++) out[to] = out[to - back];
    }
  }
  if (to !== size) damaged();
  return out;
};
/* The bytes of an element that holds gzip in base64. */
const unzipped = async (id) => {
  const text = atob(document.getElementById(id).textContent), raw = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) raw[i] = text.charCodeAt(i);
  const Stream = globalThis['DecompressionStream'];
  if (typeof Stream !== 'function') return inflated(raw);
  return new Uint8Array(await new Response(new Blob([raw]).stream().pipeThrough(new Stream('gzip'))).arrayBuffer());
};
if (typeof module !== 'undefined') Object.assign(module.exports, { inflated });

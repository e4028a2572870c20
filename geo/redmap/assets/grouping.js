/* grouping.js: which points left out belong together, as geo/gaps/clusters.py says it. Like engine.js it runs in a
   worker, in the page and in Node's tests. */
'use strict';

function makeGrouping() {
  /* A square of a grid as one small number; the grid repeats after 32,768 squares. */
  const square = (x, y, size, dx = 0, dy = 0) => ((Math.floor(x / size) + dx & 0x7fff) << 15) | (Math.floor(y / size) + dy & 0x7fff);
  /**
   * Whether a straight line of at most `size` metres between two places crosses a wall (rivers, railways, motorways:
   * pieces x0, y0, x1, y1).
   * @param {ArrayLike<number>} walls
   * @param {number} size
   * @returns {(ax: number, ay: number, bx: number, by: number) => boolean}
   */
  const makeWalls = (walls, size) => {
    const cells = new Map();
    for (let w = 0; w < walls.length; w += 4) {
      const steps = Math.ceil(Math.hypot(walls[w + 2] - walls[w], walls[w + 3] - walls[w + 1]) / size * 2) + 1, seen = new Set();
      for (let i = 0; i <= steps; i++) seen.add(square(walls[w] + (walls[w + 2] - walls[w]) * i / steps, walls[w + 1] + (walls[w + 3] - walls[w + 1]) * i / steps, size));
      for (const c of seen) { if (!cells.has(c)) cells.set(c, []); cells.get(c).push(w); }
    }
    const side = (ax, ay, bx, by, px, py) => Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
    return (ax, ay, bx, by) => {
      if (!cells.size) return false;
      for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
        const here = cells.get(square(ax, ay, size, dx, dy));
        if (here) for (const w of here) {
          const x0 = walls[w], y0 = walls[w + 1], x1 = walls[w + 2], y1 = walls[w + 3];
          if (side(ax, ay, bx, by, x0, y0) !== side(ax, ay, bx, by, x1, y1) && side(x0, y0, x1, y1, ax, ay) !== side(x0, y0, x1, y1, bx, by)) return true;
        }
      }
      return false;
    };
  };
  /**
   * Groups of points that lie within `link` metres of one another with no wall between, most people first, as
   * geo/gaps/clusters.py makes them: one wider than `wide` is parted by community, or halved where there is none,
   * and one of less than a person joins the nearest. `parted` tells of two places whether a wall lies between.
   * @param {{k: number, px: Float64Array, py: Float64Array, weight: Float64Array, community: Int32Array}} model
   * @param {number[]} rows
   * @param {number} link  metres
   * @param {(ax: number, ay: number, bx: number, by: number) => boolean} [parted]
   * @param {number} [wide]  metres
   * @returns {{rows: number[], people: number, x: number, y: number}[]}
   */
  const groups = (model, rows, link, parted = () => false, wide = Infinity) => {
    const { px, py, weight, community } = model, away = (i, j) => Math.sqrt((px[i] - px[j]) ** 2 + (py[i] - py[j]) ** 2);
    const span = (list) => {
      let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
      for (const i of list) { west = Math.min(west, px[i]); east = Math.max(east, px[i]); south = Math.min(south, py[i]); north = Math.max(north, py[i]); }
      return { west, south, x: east - west, y: north - south };
    };
    const tooWide = (list) => { const s = span(list); return Math.hypot(s.x, s.y) > wide; };
    const waitingOf = new Uint8Array(model.k);
    const components = (list) => {
      const cell = new Map(), out = [];
      for (const i of list) { const c = square(px[i], py[i], link), here = cell.get(c); if (here) here.push(i); else cell.set(c, [i]); waitingOf[i] = 1; }
      for (const start of list) {
        if (!waitingOf[start]) continue;
        const group = [], waiting = [start];
        waitingOf[start] = 0;
        while (waiting.length) {
          const i = waiting.pop(), x = px[i], y = py[i];
          group.push(i);
          for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
            const here = cell.get(square(x, y, link, dx, dy));
            if (!here) continue;
            for (let at = 0; at < here.length; at++) {
              const j = here[at];
              if (!waitingOf[j] || away(i, j) > link || parted(x, y, px[j], py[j])) continue;
              waitingOf[j] = 0;
              waiting.push(j);
            }
          }
        }
        out.push(group);
      }
      return out;
    };
    const halves = (list) => {
      if (!list.length || !tooWide(list)) return list.length ? [list] : [];
      const s = span(list), at = s.x >= s.y ? px : py, middle = s.x >= s.y ? s.west + s.x / 2 : s.south + s.y / 2;
      return [...halves(list.filter((i) => at[i] <= middle)), ...halves(list.filter((i) => at[i] > middle))];
    };
    const smaller = (group) => {
      const by = new Map();
      for (const i of group) if (community[i] >= 0) { if (!by.has(community[i])) by.set(community[i], []); by.get(community[i]).push(i); }
      return [...by.values(), ...halves(group.filter((i) => community[i] < 0))].flatMap(components);
    };
    const found = components(rows).flatMap((group) => (tooWide(group) ? smaller(group) : [group])), sum = (list) => list.reduce((total, i) => total + weight[i], 0);
    const large = found.filter((group) => sum(group) >= 1), out = large.length ? large.map((group) => group.slice()) : found;
    if (large.length) for (const small of found.filter((group) => sum(group) < 1)) {
      let best = -1, least = wide;
      large.forEach((group, g) => { for (const i of small) for (const j of group) { const d = away(i, j); if (d < least) { least = d; best = g; } } });
      if (best >= 0) out[best].push(...small); else out.push(small);
    }
    return out.map((list) => {
      let people = 0, x = 0, y = 0;
      for (const i of list) { people += weight[i]; x += weight[i] * px[i]; y += weight[i] * py[i]; }
      return { rows: list, people, x: people ? x / people : px[list[0]], y: people ? y / people : py[list[0]] };
    }).sort((a, b) => b.people - a.people);
  };

  return { makeWalls, groups };
}

if (typeof module !== 'undefined') Object.assign(module.exports, { makeGrouping });

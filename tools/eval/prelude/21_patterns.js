// In which order an arpeggio plays the notes of its chord.

// The chord's pitches through some octaves, from low to high.
function poolOf(chord, octaves) {
  const pool = new Float64(chord.count * octaves);
  let count = 0;
  for (let octave = 0; octave < octaves; octave++) {
    for (let i = 0; i < chord.count; i++) {
      const pitch = chord.pitches[i] + 12 * octave;
      let at = count++;
      for (; at > 0 && pool[at - 1] > pitch; at--) pool[at] = pool[at - 1];
      pool[at] = pitch;
    }
  }
  return { pool, count };
}

const ORDERS = {
  __proto__: null,
  up: (count) => orderBy(count, (i) => i),
  down: (count) => orderBy(count, (i) => count - 1 - i),
  upDown: (count) => orderBy(thereAndBack(count), (i) => (i < count ? i : 2 * count - 2 - i)),
  downUp: (count) => orderBy(thereAndBack(count), (i) => count - 1 - (i < count ? i : 2 * count - 2 - i)),
  converge: (count) => orderBy(count, (i) => (i % 2 === 0 ? i / 2 : count - (i + 1) / 2)),
  diverge: (count) => orderBy(count, (i) => fromTheMiddle(count, i)),
  random: shuffled,
};

function thereAndBack(count) {
  return count > 2 ? 2 * count - 2 : count;
}

// 5 notes: 2 3 1 4 0; 4 notes: 2 1 3 0.
function fromTheMiddle(count, i) {
  const middle = floor((count - 1) / 2);
  const isAbove = i % 2 === count % 2;
  return isAbove ? middle + 1 + floor((i - (count % 2)) / 2) : middle - floor(i / 2);
}

function orderBy(length, indexAt) {
  const order = { __proto__: null, length };
  for (let i = 0; i < length; i++) order[i] = indexAt(i);
  return order;
}

function shuffled(count, seed) {
  const order = orderBy(count, (i) => i);
  const next = seed === undefined ? random : generatorOf(seed >>> 0);
  for (let i = count - 1; i > 0; i--) {
    const other = floor(next() * (i + 1));
    const kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  return order;
}

function orderOf(pattern, count, seed) {
  const order = typeof pattern === 'string' ? ORDERS[pattern] : undefined;
  if (order === undefined) {
    fail('arpeggio: there is no pattern ' + show(pattern) + '; there are up down upDown downUp converge diverge random');
  }
  return order(count, seed);
}

// Numbers from 0 to below 1 (mulberry32): the same from the same seed.
function generatorOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

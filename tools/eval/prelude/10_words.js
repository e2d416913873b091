// Words and numbers of the language: notes, durations, chords, scales, keys, drums. What is kept of the engine is kept
// here, before anybody's code runs: what code does to Array.prototype and the like changes nothing of the builder.

const { apply } = Reflect;
const { freeze } = Object;
const { isArray } = Array;
const { isInteger } = Number;
const { floor, round, imul } = Math;
const { stringify } = JSON;
const Float64 = Float64Array;
const Memory = ArrayBuffer;
const Failure = Error;
const setOf = Object.getPrototypeOf(Float64Array.prototype).set;
const charCodeAt = String.prototype.charCodeAt;

const BEAT = 20160; // ticks
const ONE = 10000; // of amounts
const TICKS_MAX = 2 ** 30;

function fail(text) {
  throw new Failure(text);
}

// A value as a person wrote it.
function show(value) {
  if (typeof value === 'string') return value.length > 40 ? 'a text of ' + value.length + ' letters' : '"' + value + '"';
  if (typeof value === 'function') return 'a function';
  if (isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'symbol' ? 'a symbol' : '' + value;
}

function numberIn(value, from, to, what) {
  if (typeof value !== 'number' || !(value >= from && value <= to)) {
    fail(what + ' is a number from ' + from + ' to ' + to + ', not ' + show(value));
  }
  return value;
}

function wholeIn(value, from, to, what) {
  if (!isInteger(value) || value < from || value > to) {
    fail(what + ' is a whole number from ' + from + ' to ' + to + ', not ' + show(value));
  }
  return value;
}

function amountOf(value, what) {
  return round(numberIn(value, 0, 1, what) * ONE);
}

function textOf(value, what) {
  if (typeof value !== 'string') fail(what + ' is a text, not ' + show(value));
  return value;
}

function optionsOf(value, what) {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || isArray(value)) fail(what + ' is an object, not ' + show(value));
  return value;
}

// Tables have no prototype: what somebody adds to Object.prototype is no word of the language.
function table(entries) {
  return freeze(Object.setPrototypeOf(entries, null));
}

const TICKS = (() => {
  const ticks = {};
  for (const n of [1, 2, 4, 8, 16, 32, 64]) {
    ticks[n + 'n'] = (BEAT * 4) / n;
    ticks[n + 'n.'] = (BEAT * 6) / n;
    ticks[n + 't'] = (BEAT * 8) / n / 3;
  }
  return table(ticks);
})();

// Ticks of '8n', '4n.', '8t' or a number of beats.
function ticksOf(duration, what) {
  let ticks;
  if (typeof duration === 'number') {
    if (duration < 0) fail(what + ': a duration cannot be negative (' + duration + ')');
    ticks = round(duration * BEAT);
  } else if (typeof duration === 'string') {
    ticks = TICKS[duration];
  }
  if (ticks === undefined || !(ticks >= 0)) {
    fail(what + ': there is no duration ' + show(duration) + "; write '4n', '8n.', '16t' or a number of beats");
  }
  if (ticks > TICKS_MAX) fail(what + ': a duration is at most 53000 beats');
  return ticks;
}

function soundingTicksOf(duration, what) {
  const ticks = ticksOf(duration, what);
  if (ticks === 0) fail(what + ': a note needs a duration above 0');
  return ticks;
}

const LETTERS = table({ C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 });
const ROOTS = (() => {
  const roots = {};
  for (const letter in LETTERS) {
    roots[letter] = LETTERS[letter];
    roots[letter + '#'] = (LETTERS[letter] + 1) % 12;
    roots[letter + 'b'] = (LETTERS[letter] + 11) % 12;
  }
  return table(roots);
})();

// C4 is 60. `white` has the letter of those without # and b.
const [PITCHES, WHITE] = (() => {
  const pitches = {};
  const white = {};
  for (let octave = 0; octave < 10; octave++) {
    for (const letter in LETTERS) {
      const pitch = LETTERS[letter] + 12 * (octave + 1);
      if (pitch <= 127) pitches[letter + octave] = pitch;
      if (pitch <= 126) pitches[letter + '#' + octave] = pitch + 1;
      if (pitch <= 128) pitches[letter + 'b' + octave] = pitch - 1;
      white[letter + octave] = letter;
    }
  }
  return [table(pitches), table(white)];
})();

const DRUMS = table({
  kick: 24, snare: 26, hat: 30, openhat: 34, openHat: 34, crash: 37, ride: 39,
  tom1: 36, tom2: 33, tom3: 31, tom: 36, clap: 27, rim: 25,
});

// The pitch of 'C#4', or of a MIDI number; `key`: the accidentals in force, or null.
function pitchOf(note, what, key) {
  if (isInteger(note) && note >= 0 && note <= 127) return note;
  const pitch = typeof note === 'string' ? PITCHES[note] : undefined;
  if (pitch === undefined) fail(what + ': there is no note ' + show(note) + '; write C4, F#3 or Bb5 (C0 to G9)');
  if (key === null || WHITE[note] === undefined) return pitch;
  return pitch + key[WHITE[note]];
}

function drumOf(name, what) {
  const pitch = typeof name === 'string' ? DRUMS[name] : undefined;
  if (pitch === undefined) {
    fail(what + ': there is no drum ' + show(name) + '; there are kick snare hat openhat crash ride tom1 tom2 tom3 clap rim');
  }
  return pitch;
}

function soundOf(note, what, key) {
  return typeof note === 'string' && DRUMS[note] !== undefined ? DRUMS[note] : pitchOf(note, what, key);
}

function pitchesOf(notes, what, key) {
  if (!isArray(notes)) fail(what + ' wants a list of notes, not ' + show(notes));
  const count = wholeIn(notes.length, 1, 128, what + ': how many notes');
  const pitches = new Float64(count);
  for (let i = 0; i < count; i++) pitches[i] = pitchOf(notes[i], what, key);
  return { pitches, count };
}

const CHORDS = table({
  '': [0, 4, 7], maj: [0, 4, 7], M: [0, 4, 7], m: [0, 3, 7], min: [0, 3, 7], dim: [0, 3, 6], aug: [0, 4, 8], '+': [0, 4, 8],
  5: [0, 7], sus2: [0, 2, 7], sus4: [0, 5, 7], 6: [0, 4, 7, 9], m6: [0, 3, 7, 9], 7: [0, 4, 7, 10], maj7: [0, 4, 7, 11],
  M7: [0, 4, 7, 11], m7: [0, 3, 7, 10], min7: [0, 3, 7, 10], mM7: [0, 3, 7, 11], dim7: [0, 3, 6, 9], m7b5: [0, 3, 6, 10],
  '7sus4': [0, 5, 7, 10], add9: [0, 4, 7, 14], 9: [0, 4, 7, 10, 14], maj9: [0, 4, 7, 11, 14], m9: [0, 3, 7, 10, 14],
});

// The pitches of 'Cm7' in an octave.
function chordOf(code, octave, what) {
  const size = code[1] === '#' || code[1] === 'b' ? 2 : 1;
  const root = ROOTS[size === 2 ? code[0] + code[1] : code[0]];
  let quality = '';
  for (let i = size; i < code.length && i < 16; i++) quality += code[i];
  const steps = root === undefined ? undefined : CHORDS[quality];
  if (steps === undefined) fail(what + ': there is no chord ' + show(code) + "; write 'C', 'F#m7', 'Bbmaj9' or a list of notes");
  const base = root + 12 * (wholeIn(octave, 0, 8, what + ': the octave') + 1);
  const pitches = new Float64(steps.length);
  let count = 0;
  for (let i = 0; i < steps.length; i++) if (base + steps[i] <= 127) pitches[count++] = base + steps[i];
  return { pitches, count };
}

const SCALES = table({
  major: [0, 2, 4, 5, 7, 9, 11], ionian: [0, 2, 4, 5, 7, 9, 11], dorian: [0, 2, 3, 5, 7, 9, 10],
  phrygian: [0, 1, 3, 5, 7, 8, 10], lydian: [0, 2, 4, 6, 7, 9, 11], mixolydian: [0, 2, 4, 5, 7, 9, 10],
  minor: [0, 2, 3, 5, 7, 8, 10], aeolian: [0, 2, 3, 5, 7, 8, 10], locrian: [0, 1, 3, 5, 6, 8, 10],
  harmonicMinor: [0, 2, 3, 5, 7, 8, 11], melodicMinor: [0, 2, 3, 5, 7, 9, 11], pentatonic: [0, 2, 4, 7, 9],
  pentatonicMajor: [0, 2, 4, 7, 9], pentatonicMinor: [0, 3, 5, 7, 10], blues: [0, 3, 5, 6, 7, 10],
  wholeTone: [0, 2, 4, 6, 8, 10], chromatic: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
});

function scaleOf(mode, what) {
  const steps = typeof mode === 'string' ? SCALES[mode] : undefined;
  if (steps === undefined) fail(what + ': there is no scale ' + show(mode) + "; write 'major', 'minor', 'dorian', 'pentatonic' …");
  return steps;
}

// Sharps (above 0) or flats of a key.
const MAJOR_KEYS = table({
  C: 0, G: 1, D: 2, A: 3, E: 4, B: 5, 'F#': 6, 'C#': 7, F: -1, Bb: -2, Eb: -3, Ab: -4, Db: -5, Gb: -6, Cb: -7,
});
const MINOR_KEYS = table({
  A: 0, E: 1, B: 2, 'F#': 3, 'C#': 4, 'G#': 5, 'D#': 6, 'A#': 7, D: -1, G: -2, C: -3, F: -4, Bb: -5, Eb: -6, Ab: -7,
});

// What a key does to each letter; null: nothing.
function keyOf(root, mode) {
  if (mode !== 'major' && mode !== 'minor') fail("key: the mode is 'major' or 'minor', not " + show(mode));
  const count = typeof root === 'string' ? (mode === 'major' ? MAJOR_KEYS : MINOR_KEYS)[root] : undefined;
  if (count === undefined) fail('key: there is no key ' + show(root) + ' ' + mode);
  const key = { C: 0, D: 0, E: 0, F: 0, G: 0, A: 0, B: 0 };
  const order = 'FCGDAEB';
  for (let i = 0; i < count; i++) key[order[i]] = 1;
  for (let i = 0; i < -count; i++) key[order[6 - i]] = -1;
  return count === 0 ? null : key;
}

// '3/4', or 3 and 4.
function signatureOf(signature, denominator, what) {
  let numerator = signature;
  if (typeof signature === 'string') {
    let slash = 0;
    while (slash < signature.length && signature[slash] !== '/') slash++;
    numerator = 0;
    denominator = 0;
    for (let i = 0; i < slash; i++) numerator = numerator * 10 + (apply(charCodeAt, signature, [i]) - 48);
    for (let i = slash + 1; i < signature.length; i++) denominator = denominator * 10 + (apply(charCodeAt, signature, [i]) - 48);
  }
  const isPower = isInteger(denominator) && denominator >= 1 && denominator <= 32 && (denominator & (denominator - 1)) === 0;
  if (!isInteger(numerator) || numerator < 1 || numerator > 64 || !isPower) {
    fail(what + ": there is no time signature " + show(signature) + "; write '4/4', '7/8' …");
  }
  return { numerator, denominator };
}

// Bjorklund's pattern, as core has it: 1 and 0, turned to the right.
function euclidOf(hits, steps, rotation) {
  let front = '1';
  let back = '0';
  let fronts = hits;
  let backs = steps - hits;
  while (fronts > 0 && backs > 1) {
    const joined = front + back;
    const pairs = fronts < backs ? fronts : backs;
    if (fronts > backs) back = front;
    backs = fronts > backs ? fronts - pairs : backs - pairs;
    front = joined;
    fronts = pairs;
  }
  let pattern = '';
  for (let i = 0; i < fronts; i++) pattern += front;
  for (let i = 0; i < backs; i++) pattern += back;
  const turned = new Float64(steps);
  for (let i = 0; i < steps; i++) turned[(i + rotation) % steps] = pattern[i] === '1' ? 1 : 0;
  return turned;
}

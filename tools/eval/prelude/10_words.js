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
  if (value === undefined) return { __proto__: null };
  if (typeof value !== 'object' || value === null || isArray(value)) fail(what + ' is an object, not ' + show(value));
  return value;
}

// Ticks of '8n' (a whole note is 1), dotted or a triplet; undefined: it is no such word.
function wordTicks(word) {
  const last = word.length - 1;
  const isDotted = word[last] === '.';
  const end = isDotted ? last - 1 : last;
  const part = numberOf(word, 0, end);
  const isPart = part === 1 || part === 2 || part === 4 || part === 8 || part === 16 || part === 32 || part === 64;
  if (!isPart || word[0] === '0') return undefined;
  const whole = BEAT * 4;
  if (word[end] === 't') return isDotted ? undefined : (whole * 2) / 3 / part;
  return word[end] === 'n' ? (isDotted ? (whole * 3) / 2 / part : whole / part) : undefined;
}

// The decimal digits of a text from `from` to before `to`; NaN: others, or none.
function numberOf(text, from, to) {
  let number = from < to && to - from < 9 ? 0 : NaN;
  for (let i = from; i < to; i++) {
    const digit = apply(charCodeAt, text, [i]) - 48;
    number = digit >= 0 && digit <= 9 ? number * 10 + digit : NaN;
  }
  return number;
}

// Ticks of '8n', '4n.', '8t' or a number of beats.
function ticksOf(duration, what) {
  let ticks;
  if (typeof duration === 'number') {
    if (duration < 0) fail(what + ': a duration cannot be negative (' + duration + ')');
    ticks = round(duration * BEAT);
  } else if (typeof duration === 'string') {
    ticks = wordTicks(duration);
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

const LETTERS = { __proto__: null, C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

// 1 for '#', -1 for 'b', 0 for anything else.
function signOf(letter) {
  return letter === '#' ? 1 : letter === 'b' ? -1 : 0;
}

// Semitones above C of 'F#', 0 to 11; undefined: it is no root.
function rootOf(text) {
  const white = typeof text === 'string' ? LETTERS[text[0]] : undefined;
  const sign = white === undefined ? 0 : signOf(text[1]);
  return white === undefined || text.length !== (sign === 0 ? 1 : 2) ? undefined : (white + sign + 12) % 12;
}

// The pitch of 'C#4' (C4 is 60), or of a MIDI number; `key`: what it does to letters, or null.
function pitchOf(note, what, key) {
  if (isInteger(note) && note >= 0 && note <= 127) return note;
  let pitch;
  if (typeof note === 'string' && note.length <= 3) {
    const sign = signOf(note[1]);
    const digit = sign === 0 ? 1 : 2;
    pitch = note.length === digit + 1 ? LETTERS[note[0]] + sign + 12 * (numberOf(note, digit, digit + 1) + 1) : NaN;
    if (sign === 0 && key !== null) pitch += key[note[0]];
  }
  if (!(pitch >= 0 && pitch <= 127)) fail(what + ': there is no note ' + show(note) + '; write C4, F#3 or Bb5 (C0 to G9)');
  return pitch;
}

const DRUMS = {
  __proto__: null, kick: 24, snare: 26, hat: 30, openhat: 34, openHat: 34, crash: 37, ride: 39,
  tom1: 36, tom2: 33, tom3: 31, tom: 36, clap: 27, rim: 25,
};

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

// Semitones above the root, as letters: a is 0, b is 1 ...
const CHORDS = {
  __proto__: null, '': 'aeh', maj: 'aeh', M: 'aeh', m: 'adh', min: 'adh', dim: 'adg', aug: 'aei', '+': 'aei', 5: 'ah',
  sus2: 'ach', sus4: 'afh', 6: 'aehj', m6: 'adhj', 7: 'aehk', maj7: 'aehl', M7: 'aehl', m7: 'adhk', min7: 'adhk',
  mM7: 'adhl', dim7: 'adgj', m7b5: 'adgk', '7sus4': 'afhk', add9: 'aeho', 9: 'aehko', maj9: 'aehlo', m9: 'adhko',
};

function stepOf(steps, i) {
  return apply(charCodeAt, steps, [i]) - 97;
}

// The pitches of 'Cm7' in an octave.
function chordOf(code, octave, what) {
  const size = signOf(code[1]) === 0 ? 1 : 2;
  const root = rootOf(size === 2 ? code[0] + code[1] : code[0]);
  let quality = '';
  for (let i = size; i < code.length && i < 16; i++) quality += code[i];
  const steps = root === undefined ? undefined : CHORDS[quality];
  if (steps === undefined) fail(what + ': there is no chord ' + show(code) + "; write 'C', 'F#m7', 'Bbmaj9' or a list of notes");
  const base = root + 12 * (wholeIn(octave, 0, 8, what + ': the octave') + 1);
  const pitches = new Float64(steps.length);
  let count = 0;
  for (let i = 0; i < steps.length; i++) {
    if (base + stepOf(steps, i) <= 127) pitches[count++] = base + stepOf(steps, i);
  }
  return { pitches, count };
}

const SCALES = {
  __proto__: null, major: 'acefhjl', ionian: 'acefhjl', dorian: 'acdfhjk', phrygian: 'abdfhik', lydian: 'aceghjl',
  mixolydian: 'acefhjk', minor: 'acdfhik', aeolian: 'acdfhik', locrian: 'abdfgik', harmonicMinor: 'acdfhil',
  melodicMinor: 'acdfhjl', pentatonic: 'acehj', pentatonicMajor: 'acehj', pentatonicMinor: 'adfhk', blues: 'adfghk',
  wholeTone: 'acegik', chromatic: 'abcdefghijkl',
};

function scaleOf(mode, what) {
  const steps = typeof mode === 'string' ? SCALES[mode] : undefined;
  if (steps === undefined) fail(what + ': there is no scale ' + show(mode) + "; write 'major', 'minor', 'dorian', 'pentatonic' \u2026");
  return steps;
}

// What a key does to each letter; null: nothing. Fifths above C count its sharps, below it its flats.
function keyOf(root, mode) {
  if (mode !== 'major' && mode !== 'minor') fail("key: the mode is 'major' or 'minor', not " + show(mode));
  const order = 'FCGDAEB';
  let place = 0;
  while (place < 7 && (rootOf(root) === undefined || order[place] !== root[0])) place++;
  const count = place - 1 + (place < 7 ? 7 * signOf(root[1]) : 0) - (mode === 'minor' ? 3 : 0);
  if (place === 7 || count < -7 || count > 7) fail('key: there is no key ' + show(root) + ' ' + mode);
  const key = { __proto__: null, C: 0, D: 0, E: 0, F: 0, G: 0, A: 0, B: 0 };
  for (let i = 0; i < count; i++) key[order[i]] = 1;
  for (let i = 0; i < -count; i++) key[order[6 - i]] = -1;
  return count === 0 ? null : key;
}

// '3/4', or 3 and 4.
function signatureOf(signature, denominator, what) {
  let numerator = signature;
  if (typeof signature === 'string') {
    const slash = signature[1] === '/' ? 1 : 2;
    numerator = numberOf(signature, 0, slash);
    denominator = signature[slash] === '/' ? numberOf(signature, slash + 1, signature.length) : NaN;
  }
  const isPower = isInteger(denominator) && denominator >= 1 && denominator <= 32 && (denominator & (denominator - 1)) === 0;
  if (!isInteger(numerator) || numerator < 1 || numerator > 64 || !isPower) {
    fail(what + ": there is no time signature " + show(signature) + "; write '4/4', '7/8' \u2026");
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

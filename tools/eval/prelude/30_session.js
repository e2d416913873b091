// Sessions and tracks, and what a person's code sees of them all: its globals.

const made = { replaces: false, bpm: 0, numerator: 0, denominator: 0, quantize: -1, tracks: null };
const QUANTIZES = { __proto__: null, off: 0, beat: 1, bar: 2 };
const TRACKS_MAX = 1024;
const CLIPS_MAX = 1024;
const EFFECTS_MAX = 64;

// Lists that no setter of Array.prototype hears of.
function listOf() {
  return { __proto__: null, length: 0 };
}

function startOver() {
  made.replaces = false;
  made.bpm = made.numerator = made.denominator = 0;
  made.quantize = -1;
  made.tracks = listOf();
}

function paramsOf(params, what) {
  if (params === undefined) return '';
  const text = apply(stringify, JSON, [optionsOf(params, what + ': the parameters')]);
  if (typeof text !== 'string' || text.length > 65536) fail(what + ': parameters are at most 64 KiB');
  return text;
}

function nameOf(name, what) {
  if (textOf(name, what).length === 0 || name.length > 255) fail(what + ' has 1 to 255 letters');
  // A NUL would end it, half a surrogate pair empty it.
  for (let i = 0; i < name.length; i++) {
    const unit = apply(charCodeAt, name, [i]);
    const pairs = unit >= 0xd800 && unit < 0xdc00 && (apply(charCodeAt, name, [i + 1]) & 0xfc00) === 0xdc00;
    if (unit === 0 || (!pairs && (unit & 0xf800) === 0xd800)) fail(what + ' holds what is no letter');
    if (pairs) i++;
  }
  return name;
}

class Track {
  #track;

  constructor(secret, track) {
    if (secret !== SECRET) fail('a track is made by track(name, t => \u2026)');
    this.#track = track;
  }

  clip(clip) {
    const track = this.#track;
    if (!ClipBuilder.is(clip)) fail('clip wants a clip, such as Clip.melody().note(\u2026), not ' + show(clip));
    if (track.clips.length === CLIPS_MAX) fail('a track has at most ' + CLIPS_MAX + ' clips');
    track.clips[track.clips.length++] = ClipBuilder.steps(clip);
    return this;
  }

  instrument(name, params) {
    this.#track.instrument = nameOf(name, 'instrument: the name');
    this.#track.params = paramsOf(params, 'instrument');
    return this;
  }

  effect(name, params) {
    const { effects } = this.#track;
    if (effects.length === EFFECTS_MAX) fail('a track has at most ' + EFFECTS_MAX + ' effects');
    effects[effects.length++] = { name: nameOf(name, 'effect: the name'), params: paramsOf(params, 'effect') };
    return this;
  }

  channel(channel) {
    this.#track.channel = wholeIn(channel, 1, 16, 'channel');
    return this;
  }
}

// A track of the same name takes the place of the one before.
function track(name, content) {
  nameOf(name, "track: the track's name");
  const one = { name, channel: 0, instrument: '', params: '', effects: listOf(), clips: listOf() };
  const builder = new Track(SECRET, one);
  if (ClipBuilder.is(content)) builder.clip(content);
  else if (typeof content === 'function') content(builder);
  else fail('track wants a function: track("' + name + '", t => t.clip(\u2026)), not ' + show(content));
  const { tracks } = made;
  let at = 0;
  while (at < tracks.length && tracks[at].name !== name) at++;
  if (at === TRACKS_MAX) fail('a session has at most ' + TRACKS_MAX + ' tracks');
  tracks[at] = one;
  if (at === tracks.length) tracks.length++;
}

class SessionBuilder {
  tempo(bpm) {
    made.bpm = numberIn(bpm, 1, 1000, 'tempo');
    return this;
  }

  timeSignature(signature, denominator) {
    const { numerator, denominator: below } = signatureOf(signature, denominator, 'timeSignature');
    made.numerator = numerator;
    made.denominator = below;
    return this;
  }

  track(name, content) {
    track(name, content);
    return this;
  }
}

const session = freeze(new SessionBuilder());

function setQuantize(mode) {
  const number = typeof mode === 'string' ? QUANTIZES[mode] : undefined;
  if (number === undefined) fail("quantize is 'bar', 'beat' or 'off', not " + show(mode));
  made.quantize = number;
}

function leave(what) {
  host.print('live.' + what + ' is left to whoever runs the session: see symlog --help');
}

function cannotRead(what) {
  fail('live.' + what + ': code cannot read files; symlog eval FILE and symlog serve --watch FILE do');
}

// In a file: what it evaluates becomes part of the same score.
class LiveSession {
  constructor(options) {
    const { bpm, quantize } = optionsOf(options, 'LiveSession: the options');
    if (bpm !== undefined) session.tempo(bpm);
    if (quantize !== undefined) setQuantize(quantize);
  }

  eval(code) {
    host.evaluate(textOf(code, 'live.eval: the code'));
    return { success: true };
  }

  setTempo(bpm) { session.tempo(bpm); }
  getTempo() { return made.bpm === 0 ? 120 : made.bpm; }
  getSession() { return session; }
  setQuantize(mode) { setQuantize(mode); }
  play() { leave('play()'); }
  pause() { leave('pause()'); }
  stop() { leave('stop()'); }
  on() { return this; }
  unwatch() { leave('unwatch()'); }
  watch() { cannotRead('watch'); }
  evalFile() { cannotRead('evalFile'); }
}

function clipOf(kind, name) {
  const context = { kind, name: textOf(name, 'Clip: the name'), shift: 0, key: null, scale: null, swing: null, grid: null, strength: null };
  return new ClipBuilder(SECRET, context, null, 0, 0, null);
}

const Clip = freeze({
  create: (name = 'Clip') => clipOf('clip', name),
  melody: (name = 'Melody') => clipOf('melody', name),
  drums: (name = 'Drums') => clipOf('drums', name),
  keys: (name = 'Keys') => clipOf('keys', name),
  strings: (name = 'Strings') => clipOf('strings', name),
  wind: (name = 'Wind') => clipOf('wind', name),
});

const Drums = (() => {
  const drums = { euclidean: (steps, hits, options) => Clip.drums().euclidean(steps, hits, options) };
  for (const name of ['hit', 'kick', 'snare', 'hat', 'openHat', 'crash', 'ride', 'clap', 'rim', 'tom']) {
    const method = ClipBuilder.prototype[name];
    drums[name] = (first, second) => apply(method, Clip.drums(), [first, second]);
  }
  return freeze(drums);
})();

const Session = freeze({
  create() {
    startOver();
    made.replaces = true;
    return session;
  },
});

// Chance that comes again: seeded with the buffer's name and text, or by random.seed(n).
let chance = generatorOf(0);

function random() {
  return chance();
}

random.seed = (seed) => {
  chance = generatorOf(numberIn(seed, 0, 4294967295, 'random.seed'));
};

const say = (...words) => {
  let line = '';
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const text = typeof word === 'object' && word !== null ? apply(stringify, JSON, [word]) : show(word);
    line += (i > 0 ? ' ' : '') + (typeof word === 'string' ? word : text);
  }
  host.print(line);
};

const NAMES = freeze({ Clip, Drums, LiveSession, Session, random, track });

// No clock, no other chance, no threads, nothing of the machine.
for (const name of ['Date', 'Intl', 'WebAssembly', 'Atomics', 'SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry']) {
  delete globalThis[name];
}
Math.random = random;
for (const name in NAMES) globalThis[name] = NAMES[name];
globalThis.console = freeze({ log: say, info: say, warn: say, error: say, debug: say });
for (const one of [Track, SessionBuilder, LiveSession, ClipBuilder]) freeze(one.prototype);

// What the host calls: before each buffer, and at the end.
function begin(seed) {
  startOver();
  chance = generatorOf(seed);
}

function finish() {
  const { replaces, bpm, numerator, denominator, quantize, tracks } = made;
  host.begin(replaces, bpm, numerator, denominator, quantize);
  for (let i = 0; i < tracks.length; i++) {
    const { name, channel, instrument, params, effects, clips } = tracks[i];
    host.track(name, channel, instrument, params);
    for (let j = 0; j < effects.length; j++) host.effect(effects[j].name, effects[j].params);
    for (let j = 0; j < clips.length; j++) {
      const { name: clipName, tape, length } = clips[j];
      host.clip(clipName, tape === null ? null : tape.numbers, length);
    }
    host.endTrack();
  }
}

return { begin, finish, names: NAMES };

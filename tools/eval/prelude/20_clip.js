// Clips: what a person chains becomes a tape of steps, eight numbers each, in the order of core/score.h's operands. A
// clip never changes: each method gives a new one, which shares the tape of the old as far as it goes.

const OP = {
  END: 0, NOTE: 1, REST: 2, LOOP: 3, STACK: 4, TRANSPOSE: 5, TEMPO: 6, SIGNATURE: 7, DYNAMICS: 8, SWING: 9, QUANTIZE: 10,
  EUCLID: 11,
};
const WIDTH = 8; // numbers of a step
const STEPS_MAX = 2 ** 20;
const DEPTH_MAX = 32;
const AS_IT_IS = 65535;
const ARTICULATIONS = { staccato: 1, legato: 2, accent: 3, tenuto: 4, marcato: 5 };
const TIES = { __proto__: null, start: 1, end: 2, continue: 3 };
const CURVES = {
  __proto__: null, linear: 0, 'ease-in': 1, 'ease-out': 2, 'ease-in-out': 3, easeIn: 1, easeOut: 2, easeInOut: 3,
};
const SECRET = {};

// A tape with room for `count` steps after the first `length`; another one where that place is taken.
function tapeWith(tape, length, count) {
  if (tape !== null && tape.used === length && length + count <= tape.capacity) return tape;
  if (length + count > STEPS_MAX) fail('a clip has at most ' + STEPS_MAX + ' steps');
  let capacity = 16;
  while (capacity < length + count) capacity *= 2;
  const memory = new Memory(capacity * WIDTH * 8);
  const numbers = new Float64(memory);
  if (length > 0) apply(setOf, numbers, [new Float64(tape.memory, 0, length * WIDTH)]);
  return { memory, numbers, capacity, used: length };
}

function put(tape, op, a, b, c, d, e, f, g) {
  const { numbers } = tape;
  const at = tape.used * WIDTH;
  numbers[at] = op;
  numbers[at + 1] = a;
  numbers[at + 2] = b;
  numbers[at + 3] = c;
  numbers[at + 4] = d;
  numbers[at + 5] = e;
  numbers[at + 6] = f;
  numbers[at + 7] = g;
  tape.used++;
}

function putTape(tape, from, length) {
  if (length === 0) return;
  const steps = new Float64(from.memory, 0, length * WIDTH);
  apply(setOf, tape.numbers, [steps, tape.used * WIDTH]);
  tape.used += length;
}

// What a transposition takes off the keyboard is silent for as long.
function putNote(tape, pitch, note) {
  if (pitch >= 0 && pitch <= 127) put(tape, OP.NOTE, pitch, note.ticks, note.velocity, note.articulation + note.tie * 16);
  else put(tape, OP.REST, note.ticks);
}

// What lies behind: shared by clips that differ in their steps alone. swing and grid are null until somebody sets them.
function contextOf(before, change) {
  return { ...before, ...change };
}

class ClipBuilder {
  #context; // kind, name, shift (semitones), key, scale, swing, grid, strength
  #tape;
  #length; // steps of the tape that are of this clip
  #depth; // of operations inside operations
  #pending; // the note or chord that a cursor's methods change; null: none

  constructor(secret, context, tape, length, depth, pending) {
    if (secret !== SECRET) fail('a clip is made by Clip.melody(), Clip.drums() \u2026');
    this.#context = context;
    this.#tape = tape;
    this.#length = length;
    this.#depth = depth;
    this.#pending = pending;
  }

  static is(value) {
    return typeof value === 'object' && value !== null && #tape in value;
  }

  static steps(clip) {
    const whole = clip.commit();
    return { name: whole.#context.name, tape: whole.#tape, length: whole.#length };
  }

  #with(context) {
    return new ClipBuilder(SECRET, context, this.#tape, this.#length, this.#depth, this.#pending);
  }

  #changed(change) {
    return this.#with(contextOf(this.#context, change));
  }

  #pend(pitches, count, ticks) {
    const whole = this.commit();
    const pending = { pitches, count, ticks, velocity: ONE, articulation: 0, tie: 0 };
    return new ClipBuilder(SECRET, whole.#context, whole.#tape, whole.#length, whole.#depth, pending);
  }

  #pended(change, what) {
    if (this.#pending === null) fail(what + '() follows a note, chord or drum');
    const pending = { ...this.#pending, ...change };
    return new ClipBuilder(SECRET, this.#context, this.#tape, this.#length, this.#depth, pending);
  }

  #articulated(name) {
    return this.#pended({ articulation: ARTICULATIONS[name] }, name);
  }

  #add(op, a, b, c, d, e, f, g) {
    const whole = this.commit();
    const tape = tapeWith(whole.#tape, whole.#length, 1);
    put(tape, op, a, b, c, d, e, f, g);
    return new ClipBuilder(SECRET, whole.#context, tape, tape.used, whole.#depth, null);
  }

  // What `inner` holds, inside `op` (null: inside nothing); transposed as what is written here is.
  #enclose(op, operand, inner, what) {
    const whole = this.commit();
    const context = whole.#context;
    const isShifted = context.shift !== 0;
    const depth = inner.#depth + (op === null ? 0 : 1) + (isShifted ? 1 : 0);
    if (depth > DEPTH_MAX) fail(what + ': nested more than ' + DEPTH_MAX + ' deep');
    const tape = tapeWith(whole.#tape, whole.#length, inner.#length + 6);
    if (isShifted) put(tape, OP.TRANSPOSE, context.shift);
    if (op !== null) put(tape, op, operand);
    putTape(tape, inner.#tape, inner.#length);
    if (op !== null) put(tape, OP.END);
    if (isShifted) put(tape, OP.END);
    if (inner.#context.swing !== context.swing) put(tape, OP.SWING, context.swing);
    if (inner.#context.grid !== context.grid || inner.#context.strength !== context.strength) {
      put(tape, OP.QUANTIZE, context.grid, context.strength);
    }
    return new ClipBuilder(SECRET, context, tape, tape.used, depth > whole.#depth ? depth : whole.#depth, null);
  }

  // What a function makes of an empty clip, or a clip.
  #contentOf(content, what) {
    let inner = content;
    if (typeof content === 'function') {
      const empty = new ClipBuilder(SECRET, contextOf(this.#context, { shift: 0 }), null, 0, 0, null);
      inner = content(empty);
      if (!ClipBuilder.is(inner)) fail(what + ': the function must return the clip, as b => b.note(\u2026) does');
    }
    if (!ClipBuilder.is(inner)) fail(what + ' wants a function or a clip, not ' + show(content));
    return inner.commit();
  }

  commit() {
    const note = this.#pending;
    if (note === null) return this;
    const { shift } = this.#context;
    const tape = tapeWith(this.#tape, this.#length, note.count + 2);
    if (note.count !== 1) put(tape, OP.STACK);
    for (let i = 0; i < note.count; i++) putNote(tape, note.pitches[i] + shift, note);
    if (note.count !== 1) put(tape, OP.END);
    const depth = note.count !== 1 && this.#depth === 0 ? 1 : this.#depth;
    return new ClipBuilder(SECRET, this.#context, tape, tape.used, depth, null);
  }

  // Notes.
  note(note, duration = '4n') {
    const pitches = new Float64(1);
    pitches[0] = pitchOf(note, 'note', this.#context.key);
    return this.#pend(pitches, 1, soundingTicksOf(duration, 'note'));
  }

  chord(notes, second, third) {
    if (typeof notes === 'string') {
      const { pitches, count } = chordOf(notes, second === undefined ? 4 : second, 'chord');
      return this.#pend(pitches, count, soundingTicksOf(third === undefined ? '4n' : third, 'chord'));
    }
    const { pitches, count } = pitchesOf(notes, 'chord', this.#context.key);
    return this.#pend(pitches, count, soundingTicksOf(second === undefined ? '4n' : second, 'chord'));
  }

  arpeggio(notes, rate = '8n', options) {
    const { pattern = 'up', octaves = 1, gate = 1, velocity = 1, seed } = optionsOf(options, 'arpeggio: what follows the rate');
    const chord = typeof notes === 'string' ? chordOf(notes, 4, 'arpeggio') : pitchesOf(notes, 'arpeggio', this.#context.key);
    const ticks = soundingTicksOf(rate, 'arpeggio');
    const sounding = round(ticks * numberIn(gate, 0.01, 1, 'arpeggio: the gate'));
    amountOf(velocity, 'arpeggio: the velocity');
    const { pool, count } = poolOf(chord, wholeIn(octaves, 1, 8, 'arpeggio: how many octaves'));
    const order = orderOf(pattern, count, seed);
    let clip = this;
    for (let i = 0; i < order.length; i++) {
      const one = new Float64(1);
      one[0] = pool[order[i]];
      clip = clip.#pend(one, 1, sounding > 0 ? sounding : 1).velocity(velocity).commit();
      if (sounding < ticks) clip = clip.#add(OP.REST, ticks - sounding);
    }
    return clip.commit();
  }

  // scale('C4', 'minor', '8n') plays it, up to the octave; scale('C', 'minor', 4) is what degree() counts in.
  scale(root, mode = 'major', third) {
    const steps = scaleOf(mode, 'scale');
    if (typeof root === 'string' && rootOf(root) !== undefined) {
      const octave = wholeIn(third === undefined ? 4 : third, 0, 9, 'scale: the octave');
      return this.#changed({ scale: { base: rootOf(root) + 12 * (octave + 1), steps } });
    }
    const base = pitchOf(root, 'scale', null);
    let clip = this;
    for (let i = 0; i <= steps.length; i++) {
      const pitch = base + (i < steps.length ? stepOf(steps, i) : 12);
      if (pitch <= 127) clip = clip.note(pitch, third === undefined ? '8n' : third).commit();
    }
    return clip;
  }

  degree(degree, duration = '4n') {
    const { scale } = this.#context;
    if (scale === null) fail("degree: scale('C', 'minor') comes before it");
    const index = wholeIn(degree, -64, 64, 'degree') - 1;
    const count = scale.steps.length;
    const octave = floor(index / count);
    const pitch = scale.base + 12 * octave + stepOf(scale.steps, index - octave * count);
    return this.note(numberIn(pitch, 0, 127, 'degree: the note'), duration);
  }

  rest(duration = '4n') {
    return this.#add(OP.REST, ticksOf(duration, 'rest'));
  }

  // Around notes.
  stack(content) {
    return this.#enclose(OP.STACK, 0, this.#contentOf(content, 'stack'), 'stack');
  }

  loop(count, content) {
    wholeIn(count, 1, 1000000, 'loop: how often');
    if (content !== undefined) return this.#enclose(OP.LOOP, count, this.#contentOf(content, 'loop'), 'loop');
    const whole = this.commit();
    const empty = new ClipBuilder(SECRET, contextOf(whole.#context, { shift: 0 }), null, 0, 0, null);
    return empty.#enclose(OP.LOOP, count, whole, 'loop').#with(whole.#context);
  }

  play(content) {
    return this.#enclose(null, 0, this.#contentOf(content, 'play'), 'play');
  }

  euclidean(first, second, third) {
    const isObject = typeof first === 'object' && first !== null;
    const options = isObject ? first : { ...optionsOf(third, 'euclidean: what follows steps and hits'), steps: first, hits: second };
    const { hits, steps, rotation = 0, repeat = 1, velocity = 1, note, notes, duration, stepDuration } = options;
    wholeIn(steps, 1, 256, 'euclidean: steps');
    wholeIn(hits, 0, steps, 'euclidean: hits');
    wholeIn(rotation, -1000000, 1000000, 'euclidean: the rotation');
    wholeIn(repeat, 1, 1000000, 'euclidean: how often it repeats');
    const step = duration !== undefined ? duration : stepDuration !== undefined ? stepDuration : '16n';
    const ticks = soundingTicksOf(step, 'euclidean');
    const turn = ((rotation % steps) + steps) % steps;
    const amount = amountOf(velocity, 'euclidean: the velocity');
    const { kind, key, shift } = this.#context;
    if (isArray(notes)) return this.#dealt(euclidOf(hits, steps, turn), steps, repeat, notes, ticks, amount / ONE);
    if (note === undefined && kind !== 'drums') fail("euclidean: note: which? Write {hits, steps, note: 'E2'}");
    const pitch = soundOf(note === undefined ? 'kick' : note, 'euclidean', key) + shift;
    if (pitch < 0 || pitch > 127) return this.#add(OP.REST, ticks * steps * repeat);
    return this.#add(OP.EUCLID, hits, steps, turn, repeat, pitch, amount, ticks);
  }

  // The hits of a pattern, each the next of the notes.
  #dealt(pattern, steps, repeat, notes, ticks, velocity) {
    const count = wholeIn(notes.length, 1, 1024, 'euclidean: how many notes');
    let clip = this;
    let next = 0;
    for (let i = 0; i < steps * repeat; i++) {
      if (pattern[i % steps] === 0) {
        clip = clip.#add(OP.REST, ticks);
        continue;
      }
      const one = new Float64(1);
      one[0] = soundOf(notes[next++ % count], 'euclidean', this.#context.key);
      clip = clip.#pend(one, 1, ticks).velocity(velocity).commit();
    }
    return clip;
  }

  // From here on.
  transpose(semitones) {
    wholeIn(semitones, -127, 127, 'transpose: semitones');
    return this.#shifted(this.#context.shift + semitones, 'transpose');
  }

  octave(octave) {
    return this.#shifted((wholeIn(octave, 0, 9, 'octave') - 4) * 12, 'octave');
  }

  octaveUp(octaves = 1) {
    return this.#shifted(this.#context.shift + 12 * wholeIn(octaves, 0, 10, 'octaveUp'), 'octaveUp');
  }

  octaveDown(octaves = 1) {
    return this.#shifted(this.#context.shift - 12 * wholeIn(octaves, 0, 10, 'octaveDown'), 'octaveDown');
  }

  #shifted(shift, what) {
    return this.commit().#changed({ shift: wholeIn(shift, -127, 127, what + ': semitones in all') });
  }

  key(root, mode = 'major') {
    return this.#changed({ key: keyOf(root, mode) });
  }

  tempo(bpm, transition) {
    numberIn(bpm, 1, 1000, 'tempo');
    const isObject = typeof transition === 'object' && transition !== null;
    const { duration = 0, curve = 'linear' } = isObject ? transition : { duration: transition };
    const number = typeof curve === 'string' ? CURVES[curve] : undefined;
    if (number === undefined) fail('tempo: there is no curve ' + show(curve) + '; there are linear ease-in ease-out ease-in-out');
    return this.#add(OP.TEMPO, bpm, ticksOf(duration, 'tempo'), number);
  }

  timeSignature(signature, denominator) {
    const { numerator, denominator: below } = signatureOf(signature, denominator, 'timeSignature');
    return this.#add(OP.SIGNATURE, numerator, below);
  }

  swing(amount) {
    const swing = amountOf(amount, 'swing');
    return this.#add(OP.SWING, swing).#changed({ swing });
  }

  quantize(grid, options) {
    const strength = typeof options === 'object' && options !== null ? options.strength : options;
    const change = {
      grid: ticksOf(grid, 'quantize'),
      strength: amountOf(strength === undefined ? 1 : strength, 'quantize: the strength'),
    };
    return this.#add(OP.QUANTIZE, change.grid, change.strength).#changed(change);
  }

  crescendo(duration, options) {
    return this.#ramp('crescendo', duration, 0.3, 1, options);
  }

  decrescendo(duration, options) {
    return this.#ramp('decrescendo', duration, 1, 0.3, options);
  }

  velocityRamp(to, duration, options) {
    return this.#ramp('velocityRamp', duration, undefined, to, optionsOf(options, 'velocityRamp: what follows the duration'));
  }

  #ramp(what, duration, first, last, options) {
    const { from = first, to = last } = optionsOf(options, what + ': what follows the duration');
    const begin = from === undefined ? AS_IT_IS : amountOf(from, what + ': from');
    return this.#add(OP.DYNAMICS, begin, amountOf(to, what + ': to'), ticksOf(duration, what));
  }

  // Drums.
  hit(drum, duration = '16n') {
    const pitches = new Float64(1);
    pitches[0] = drumOf(drum, 'hit');
    return this.#pend(pitches, 1, soundingTicksOf(duration, 'hit'));
  }

  kick(duration) { return this.hit('kick', duration); }
  snare(duration) { return this.hit('snare', duration); }
  hat(duration) { return this.hit('hat', duration); }
  openHat(duration) { return this.hit('openhat', duration); }
  crash(duration) { return this.hit('crash', duration); }
  ride(duration) { return this.hit('ride', duration); }
  clap(duration) { return this.hit('clap', duration); }
  rim(duration) { return this.hit('rim', duration); }
  tom(number = 1, duration) { return this.hit('tom' + wholeIn(number, 1, 3, 'tom: which'), duration); }

  // Of the note, chord or drum before.
  staccato() { return this.#articulated('staccato'); }
  legato() { return this.#articulated('legato'); }
  accent() { return this.#articulated('accent'); }
  tenuto() { return this.#articulated('tenuto'); }
  marcato() { return this.#articulated('marcato'); }
  velocity(velocity) { return this.#pended({ velocity: amountOf(velocity, 'velocity') }, 'velocity'); }

  tie(tie) {
    const number = typeof tie === 'string' ? TIES[tie] : undefined;
    if (number === undefined) fail("tie is 'start', 'continue' or 'end', not " + show(tie));
    return this.#pended({ tie: number }, 'tie');
  }
}

freeze(ClipBuilder.prototype);

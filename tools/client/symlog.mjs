/**
 * LiveSession: live coding against a running `symlog serve`, from a page or from Node. The music is serve's: it goes on
 * when the page is closed, and every evaluation stands in its log.
 */
import { Wire } from './wire.mjs';
import { Mirror } from './mirror.mjs';

export { Clip, Drums, Session, track } from './builder.mjs';
export { RpcError } from './wire.mjs';

const QUANTIZE = ['bar', 'beat', 'off'];
const BACKENDS = ['webaudio', 'midi', 'both'];

/** What `options` may hold, and what is meant without it. */
const DEFAULTS = {
  url: 'ws://127.0.0.1:8765', // of serve
  token: undefined, // serve's --token
  bpm: undefined, // a tempo to begin with; without it, the session's
  quantize: undefined, // when evaluations take effect; without it, the session's ("bar")
  backend: 'midi', // who plays: "midi" is serve's --notes-out; the others also want `notes` told to this client
  lookahead: 0.1, // seconds: symlog's own, which cannot be changed
  WebSocket: undefined, // the class to connect with; without it, the platform's, or the package ws
};

export class LiveSession {
  #wire;
  #mirror = new Mirror();
  #handlers = new Map();
  #options;

  constructor(options = {}) {
    this.#options = { ...DEFAULTS, ...options };
    const { bpm, quantize, backend } = this.#options;
    if (quantize !== undefined) check(quantize, QUANTIZE, 'quantize');
    check(backend, BACKENDS, 'backend');
    this.#wire = new Wire(this.#options, (message) => this.#take(message));
    if (bpm !== undefined) this.#quietly(this.setTempo(bpm));
    if (quantize !== undefined) this.#quietly(this.setQuantize(quantize));
  }

  /** Resolves when serve has told the session. */
  get ready() {
    return this.#mirror.ready(this.#wire.opened);
  }

  /**
   * Evaluates code: a text, or what the exported builders made. Resolves, whether it went well or not, with
   * {success, error?: {message, line, column}, changed: [track], at_beat, seq, printed?}. Options: `name`, the buffer, whose
   * definitions later evaluations see; `quantize`.
   */
  async eval(code, { name, quantize } = {}) {
    if (quantize !== undefined) check(quantize, QUANTIZE, 'quantize');
    return this.#wire.call('eval', { code: String(code), name, quantize });
  }

  /** Evaluates a file (Node) or what a URL answers (a browser), in a buffer of its name. */
  async evalFile(path, options = {}) {
    const name = String(path).split('/').pop();
    return this.eval(await read(path), { name, ...options });
  }

  play() {
    return this.#wire.call('play');
  }

  pause() {
    return this.#wire.call('pause');
  }

  /** Stops a track, or everything. */
  stop(track) {
    return this.#wire.call('stop', { track });
  }

  /** Everything off, at once. */
  panic() {
    return this.#wire.call('panic');
  }

  undo() {
    return this.#wire.call('undo');
  }

  redo() {
    return this.#wire.call('redo');
  }

  setTempo(bpm) {
    return this.#wire.call('setTempo', { bpm });
  }

  /** The tempo that symlog told last; before that, the one wished for, or 120. */
  getTempo() {
    return this.#mirror.session?.attributes.tempo ?? this.#options.bpm ?? 120;
  }

  setQuantize(mode) {
    check(mode, QUANTIZE, 'quantize');
    return this.#wire.call('setQuantize', { mode });
  }

  setInstrument(track, name, params = {}) {
    return this.#wire.call('setInstrument', { track, name, params });
  }

  connectEffect(track, name, params = {}) {
    return this.#wire.call('connectEffect', { track, name, params });
  }

  setChannel(track, channel) {
    return this.#wire.call('setChannel', { track, channel });
  }

  /** Resolves with the value of a parameter of the sound, as "lead.cutoff". */
  async getParameter(id) {
    return (await this.#wire.call('getParameter', { id })).value;
  }

  /** Sets it; resolves once it is logged. Everybody, this client too, hears "parameterChanged". */
  async setParameter(id, value) {
    await this.#wire.call('setParameter', { id, value });
  }

  /** [{id, name, type, value, default, min, max, unit?, group?}]; ask again after "parametersChanged". */
  async getAllParameters() {
    return (await this.#wire.call('getAllParameters')).parameters;
  }

  /** {peak_l, peak_r, rms_l, rms_r, timestamp}, linear and in microseconds; null: nothing sounds. */
  async getMeterFrame() {
    return (await this.#wire.call('getMeterFrame')).frame;
  }

  /** {phase, diagnostic?: {code, message, hint}, sample_rate?, buffer_size?, device?, counts, load, updated_at_ms}. */
  async getAudioStatus() {
    return (await this.#wire.call('getAudioStatus')).status;
  }

  /** The session as symlog has it: {tempo, isPlaying, quantize, tracks: [{name, channel, …, clips}]}; null: none. */
  getSession() {
    return this.#mirror.view();
  }

  /** {beat, bar, next_bar_beat, …} now. */
  position() {
    return this.#wire.call('position');
  }

  /** Has serve watch a file on its machine: each save is evaluated. */
  async watch(path) {
    return this.#wire.call('watch', { path: await absolute(path) });
  }

  async unwatch(path) {
    return this.#wire.call('unwatch', { path: await absolute(path) });
  }

  /**
   * Calls `handler` on "beat", "bar", "notes", "panic", "error" (an evaluation failed, of anybody's), "session" (it changed),
   * "parameterChanged", "parametersChanged", "audioStatusChanged", "meterUpdate", "open" and "close". Returns a function
   * that ends it.
   */
  on(event, handler) {
    if (!this.#handlers.has(event)) this.#handlers.set(event, new Set());
    this.#handlers.get(event).add(handler);
    return () => this.#handlers.get(event).delete(handler);
  }

  /** Says goodbye; the music goes on. */
  close() {
    this.#wire.close();
  }

  #emit(event, value) {
    for (const handler of this.#handlers.get(event) ?? []) handler(value);
  }

  /** What the constructor does cannot be awaited: its failure is an "error". */
  #quietly(promise) {
    promise.catch((error) => this.#emit('error', error));
  }

  #take(message) {
    if (message.type === 'open' || message.type === 'close') {
      this.#emit(message.type, message.reason);
    } else if (message.method === 'evalError') {
      this.#emit('error', Object.assign(new Error(message.params.message), message.params));
    } else if (message.method !== undefined) {
      this.#emit(message.method, message.params);
    } else if (this.#mirror.take(message)) {
      this.#emit('session', this.getSession());
    }
  }
}

function check(value, allowed, what) {
  if (!allowed.includes(value)) throw new RangeError(`${what} is one of ${allowed.join(', ')}, not ${value}`);
}

const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined;

async function read(path) {
  if (isNode) return (await import('node:fs/promises')).readFile(path, 'utf8');
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response.text();
}

/** serve has another working folder. */
async function absolute(path) {
  return isNode ? (await import('node:path')).resolve(path) : path;
}

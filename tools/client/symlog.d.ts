export type Quantize = 'bar' | 'beat' | 'off';

export interface LiveSessionOptions {
  url?: string;
  token?: string;
  bpm?: number;
  quantize?: Quantize;
  backend?: 'webaudio' | 'midi' | 'both';
  lookahead?: number;
  WebSocket?: unknown;
}

export interface EvalResult {
  success: boolean;
  error?: { message: string; line: number | null; column: number | null };
  changed: string[];
  at_beat: number | null;
  seq: number;
  printed?: string;
}

export interface Position {
  beat: number;
  bar: number;
  next_bar_beat: number;
  is_playing: boolean;
  bpm: number;
  numerator: number;
  denominator: number;
  frame: number;
  time_us: number;
}

export interface SessionView {
  tempo: number;
  isPlaying: boolean;
  quantize: Quantize;
  tracks: Array<{ name: string; channel?: number; instrument?: string; clips: object[] } & Record<string, unknown>>;
}

export class RpcError extends Error {
  code: number;
}

export class LiveSession {
  constructor(options?: LiveSessionOptions);
  readonly ready: Promise<void>;
  eval(code: string | object, options?: { name?: string; quantize?: Quantize }): Promise<EvalResult>;
  evalFile(path: string, options?: { name?: string; quantize?: Quantize }): Promise<EvalResult>;
  play(): Promise<{ seq: number }>;
  pause(): Promise<{ seq: number }>;
  stop(track?: string): Promise<{ seq: number }>;
  panic(): Promise<{ seq: number }>;
  undo(): Promise<{ seq: number }>;
  redo(): Promise<{ seq: number }>;
  setTempo(bpm: number): Promise<{ seq: number }>;
  getTempo(): number;
  setQuantize(mode: Quantize): Promise<{ seq: number }>;
  setInstrument(track: string, name: string, params?: object): Promise<{ seq: number }>;
  connectEffect(track: string, name: string, params?: object): Promise<{ seq: number }>;
  setChannel(track: string, channel: number): Promise<{ seq: number }>;
  getSession(): SessionView | null;
  position(): Promise<Position>;
  watch(path: string): Promise<object>;
  unwatch(path: string): Promise<object>;
  on(event: 'beat' | 'bar' | 'notes' | 'panic' | 'error' | 'session' | 'open' | 'close', handler: (value: any) => void): () => void;
  close(): void;
}

/** Their methods are those of tools/eval/README.md. */
export const Session: any;
export const Clip: any;
export const Drums: any;
export const track: any;

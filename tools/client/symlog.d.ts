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

export interface Parameter {
  id: string;
  name: string;
  type: 'float';
  value: number;
  default: number;
  min: number;
  max: number;
  unit?: string;
  group?: string;
}

export interface MeterFrame {
  peak_l: number;
  peak_r: number;
  rms_l: number;
  rms_r: number;
  timestamp: number;
}

export interface AudioStatus {
  phase: 'disabled' | 'initializing' | 'runningFullDuplex' | 'runningInputOnly' | 'runningOutputOnly' | 'degraded' | 'failed';
  diagnostic?: { code: string; message: string; hint: string };
  sample_rate?: number;
  buffer_size?: number;
  device?: string;
  counts: {
    xruns_input: number;
    xruns_output: number;
    underruns: number;
    missed_frames: number;
    late_marks: number;
    callbacks: number;
    flagged: number;
  };
  callback_us: { p50: number; p99: number; p999: number; max: number };
  load: number;
  updated_at_ms: number;
}

export interface Levels {
  left_peak: number;
  left_rms: number;
  right_peak: number;
  right_rms: number;
}

export interface MeterUpdate extends Levels {
  timestamp_us: number;
  tracks?: Array<{ name: string } & Levels>;
  client_id?: string;
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
  getParameter(id: string): Promise<number>;
  setParameter(id: string, value: number): Promise<void>;
  getAllParameters(): Promise<Parameter[]>;
  getMeterFrame(): Promise<MeterFrame | null>;
  getAudioStatus(): Promise<AudioStatus>;
  watch(path: string): Promise<object>;
  unwatch(path: string): Promise<object>;
  on(event: 'parameterChanged', handler: (value: { id: string; value: number }) => void): () => void;
  on(event: 'parametersChanged', handler: () => void): () => void;
  on(event: 'audioStatusChanged', handler: (value: { status: AudioStatus }) => void): () => void;
  on(event: 'meterUpdate', handler: (value: MeterUpdate) => void): () => void;
  on(event: 'beat' | 'bar' | 'notes' | 'panic' | 'error' | 'session' | 'open' | 'close', handler: (value: any) => void): () => void;
  close(): void;
}

/** Their methods are those of tools/eval/README.md. */
export const Session: any;
export const Clip: any;
export const Drums: any;
export const track: any;

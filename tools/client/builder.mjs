/**
 * Session, Clip, Drums and track for programs that build their music outside a text: each call is written down, and
 * LiveSession.eval sends what stands there. What the calls mean, and whether they are right, symlog decides where it
 * evaluates them.
 */
const SOURCE = Symbol('source');
let depth = 0; // of functions that are being written down

function literal(value) {
  if (value?.[SOURCE] !== undefined) return value[SOURCE];
  if (typeof value === 'function') {
    const names = Array.from({ length: value.length }, (_, i) => `b${depth}_${i}`);
    depth++;
    try {
      return `(${names.join(', ')}) => ${literal(value(...names.map(recorder)))}`;
    } finally {
      depth--;
    }
  }
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(item)}`).join(', ')}}`;
  }
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

/** Something whose source is known, and whose methods can be called. */
function recorder(source) {
  const written = (args) => args.map(literal).join(', ');
  return new Proxy(() => {}, {
    get(_, name) {
      if (name === SOURCE) return source;
      if (name === Symbol.toPrimitive || name === 'toString') return () => source;
      if (name === 'then' || typeof name === 'symbol') return undefined; // it is nothing to await
      return (...args) => recorder(`${source}.${name}(${written(args)})`);
    },
    apply: (_, __, args) => recorder(`${source}(${written(args)})`),
  });
}

export const Session = recorder('Session');
export const Clip = recorder('Clip');
export const Drums = recorder('Drums');
export const track = recorder('track');

/** JSON-RPC 2.0 over serve's WebSocket: calls in order, answers by number, one socket. */

const OPEN = 1; // of a WebSocket's readyState

/** An error that serve answered with. */
export class RpcError extends Error {
  constructor({ code, message }) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
  }
}

export class Wire {
  #socket;
  #waiting = new Map();
  #lastId = 0;
  #take;
  #closed = false;

  /** Connects at once; `take` gets every message that is no answer, and {type: "open"|"close", reason?}. */
  constructor({ url, token, WebSocket }, take) {
    this.#take = take;
    this.opened = this.#open(address(url, token), WebSocket);
    this.opened.catch(() => {}); // each call tells it
  }

  async #open(url, given) {
    const Socket = given ?? globalThis.WebSocket ?? (await import('ws')).default;
    if (this.#closed) throw new Error('the session was closed');
    const socket = new Socket(url);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    return new Promise((resolve, reject) => {
      let isOpen = false;
      socket.addEventListener('open', () => {
        isOpen = true;
        this.#take({ type: 'open' });
        resolve();
      });
      const fail = ({ reason, message }) => {
        const why = reason || message || `no symlog serve answers at ${url}`;
        reject(new Error(why));
        for (const { reject: refuse } of this.#waiting.values()) refuse(new Error(why));
        this.#waiting.clear();
      };
      socket.addEventListener('error', fail);
      socket.addEventListener('close', (event) => {
        fail({ reason: event.reason || (isOpen ? 'the connection was closed' : '') });
        if (isOpen) this.#take({ type: 'close', reason: event.reason });
      });
    });
  }

  async call(method, params = {}) {
    const id = ++this.#lastId;
    await this.opened;
    if (this.#socket.readyState !== OPEN) throw new Error('the connection was closed');
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  #receive(data) {
    const parsed = JSON.parse(typeof data === 'string' ? data : String(data));
    for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
      const waiting = message.jsonrpc !== undefined && this.#waiting.get(message.id);
      if (!waiting) {
        this.#take(message);
        continue;
      }
      this.#waiting.delete(message.id);
      if (message.error) waiting.reject(new RpcError(message.error));
      else waiting.resolve(message.result);
    }
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
  }
}

/** Of the tree, a live coder's client wants the session alone. */
function address(url, token) {
  const wanted = new URL(url);
  wanted.searchParams.set('paths', 'sessions');
  if (token !== undefined) wanted.searchParams.set('token', token);
  return wanted.href;
}

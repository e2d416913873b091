/** A copy of the session's subtree, kept by serve's diffs. */
export class Mirror {
  #nodes = new Map(); // by id: {id, type, attributes, children}
  #resolve;
  #isKnown = new Promise((resolve) => (this.#resolve = resolve));

  /** The session's node; undefined: there is none yet. */
  get session() {
    for (const node of this.#nodes.values()) if (node.type === 'session') return node;
    return undefined;
  }

  /** Resolves when the first picture has come; rejects if `opened` does. */
  async ready(opened) {
    await opened;
    return this.#isKnown;
  }

  /** Takes a message of the feed; true if the session changed. */
  take(message) {
    if (message.type === 'FULL_AST') {
      this.#nodes.clear();
      this.#fill(message.payload.ast, undefined);
      this.#resolve();
      return this.session !== undefined;
    }
    if (message.type !== 'DIFF_UPDATE') return false;
    const { changes } = message.payload.diff;
    for (const change of changes) this.#apply(change);
    return changes.length > 0;
  }

  #fill({ node_type: type, id, attributes = {}, children = [] }, parent) {
    const node = { id, type, attributes: { ...attributes }, children: [] };
    this.#nodes.set(id, node);
    parent?.children.push(node);
    for (const child of children) this.#fill(child, node);
  }

  #apply(change) {
    const node = this.#nodes.get(change.node_id);
    if (change.type === 'removed') this.#remove(change.node_id);
    else if (change.type === 'added') this.#add(change);
    else if (change.attribute !== undefined && node) node.attributes[change.attribute] = change.new_value;
    else if (node) Object.assign(node.attributes, change.new_value);
  }

  #add({ node_id: id, node_type: type, parent_id: parentId, path, new_value: value }) {
    const node = { id, type, attributes: { ...(value?.attributes ?? value) }, children: [] };
    const parent = this.#nodes.get(parentId);
    this.#nodes.set(id, node);
    if (parent === undefined) return;
    const index = Number(/\[(\d+)\]$/.exec(path)?.[1] ?? parent.children.length);
    parent.children.splice(index, 0, node);
  }

  #remove(id) {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    for (const child of [...node.children]) this.#remove(child.id);
    this.#nodes.delete(id);
    for (const other of this.#nodes.values()) {
      const at = other.children.indexOf(node);
      if (at >= 0) other.children.splice(at, 1);
    }
  }

  /** The session in plain words; null: there is none. */
  view() {
    const session = this.session;
    if (session === undefined) return null;
    const { tempo, is_playing: isPlaying, quantize } = session.attributes;
    const tracks = session.children.map(({ attributes, children }) => ({
      ...attributes,
      clips: children.map((clip) => ({ ...clip.attributes })),
    }));
    return { tempo, isPlaying, quantize, tracks };
  }
}

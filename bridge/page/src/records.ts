/** A board's files by WebREPL's records, the bridge's own among them; docs/protocol.md describes them. */

const OP = { version: 3, put: 4, get: 5, list: 6, stat: 7, remove: 8, rename: 9, makeDirectory: 10, removeDirectory: 11, space: 12 };
const DEEP = 1;
const HASHED = 2;
const PACED = 8;
const NEXT = 0;
const STOP = 1;
const ENTRY_BYTES = 13;
const NAME_BYTES = 64;
const ALL_BYTES = 0xffff_ffff;
const CHUNK_BYTES = 4096;
const CHUNKS_AHEAD = 4;
const SLAB_BYTES = 1 << 20;
const NO_ENTRY = 2;

/** The board has refused, with an errno as MicroPython numbers them. */
export class RefusedError extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`code ${code}`);
    this.code = code;
  }
}

/** The connection has gone before the answer came. */
export class LostError extends Error {}

/** Someone has stopped it. */
export class StoppedError extends Error {}

export interface Entry {
  name: string;
  isDirectory: boolean;
  sizeBytes: number;
  crc: number;
}

/** Who looks at a transfer: told how many bytes are there, and may end it, with a StoppedError as the reason. */
export interface Watch {
  onProgress?(doneBytes: number): void;
  signal?: AbortSignal;
}

/** The way to the bridge. */
export interface Wire {
  /** Send a binary message; false if there is no connection. */
  send(data: Uint8Array): boolean;
}

/** One operation after the other, in the order in which they were asked for. */
export class Files {
  readonly #wire: Wire;
  readonly #utf8 = new TextEncoder();
  #last: Promise<unknown> = Promise.resolve();
  #received: Uint8Array[] = [];
  #wanted: { resolve: () => void; reject: (reason: Error) => void } | undefined;
  /** Whether the connection has gone since the operation began: the next one must not get the rest of it. */
  #lost = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Take a binary message. */
  receive(data: Uint8Array): void {
    this.#received.push(data);
    this.#wanted?.resolve();
  }

  /** The connection has gone, and what was asked with it. */
  disconnected(): void {
    this.#received = [];
    this.#lost = true;
    this.#wanted?.reject(new LostError());
  }

  /** What is in a directory; `deep`: in all below it too, by names like `lib/x.py`. */
  list(path: string, { deep = false } = {}): Promise<Entry[]> {
    return this.inTurn(async () => {
      await this.#ask(OP.list, path, { flags: deep ? DEEP : 0 });
      const data = await this.#chunks();
      const entries: Entry[] = [];
      for (let at = 0; at < data.length; ) {
        const length = viewOf(data).getUint16(at + ENTRY_BYTES, true);
        const name = new TextDecoder().decode(data.subarray(at + ENTRY_BYTES + 2, at + ENTRY_BYTES + 2 + length));
        entries.push(entryOf(data.subarray(at), name));
        at += ENTRY_BYTES + 2 + length;
      }
      return entries;
    });
  }

  /** What is at `path`; `hashed`: with its CRC-32; null if there is nothing. */
  stat(path: string, { hashed = false } = {}): Promise<Entry | null> {
    return this.inTurn(async () => {
      try {
        await this.#ask(OP.stat, path, { flags: hashed ? HASHED : 0 });
      } catch (error) {
        if (error instanceof RefusedError && error.code === NO_ENTRY) return null;
        throw error;
      }
      return entryOf(await this.#read(ENTRY_BYTES), path);
    });
  }

  get(path: string, watch: Watch = {}): Promise<Uint8Array> {
    return this.inTurn(async () => {
      watch.signal?.throwIfAborted();
      await this.#ask(OP.get, path, { size: ALL_BYTES });
      return this.#chunks(watch);
    });
  }

  /** Store a file, all of it or nothing. */
  put(path: string, content: Blob, { onProgress, signal }: Watch = {}): Promise<void> {
    return this.inTurn(async () => {
      signal?.throwIfAborted();
      if (!content.size) await content.arrayBuffer(); // fails for a file that only seems empty: it has gone since it was chosen
      await this.#ask(OP.put, path, { flags: PACED, size: content.size });
      signal?.addEventListener("abort", () => this.#wanted?.resolve(), { once: true });
      let asked = 0;
      let sent = 0;
      const untilAsked = async (chunks: number) => {
        for (; asked < chunks; asked++) {
          if (!(await this.#isAsked(signal))) throw new LostError(); // a success before the end
          onProgress?.(Math.min(content.size, Math.max(0, asked + 1 - CHUNKS_AHEAD) * CHUNK_BYTES));
        }
      };
      try {
        for await (const chunk of chunksOf(content)) {
          await untilAsked(sent + 1);
          this.#sendChunk(chunk);
          sent++;
        }
        await untilAsked(sent + CHUNKS_AHEAD); // all have been taken
      } catch (error) {
        this.#sendChunk(new Uint8Array());
        if (!(error instanceof RefusedError)) await this.#givenUp();
        throw error;
      }
      this.#sendChunk(new Uint8Array());
      await this.#reply();
    });
  }

  /** Remove a file, or a directory with all that is in it. */
  remove(path: string): Promise<void> {
    return this.inTurn(() => this.#ask(OP.remove, path, { flags: DEEP }));
  }

  rename(path: string, to: string): Promise<void> {
    return this.inTurn(() => this.#ask(OP.rename, path + to, { size: this.#utf8.encode(path).length }));
  }

  /** Make a directory and those above it; it is no error if it is there. */
  makeDirectory(path: string): Promise<void> {
    return this.inTurn(() => this.#ask(OP.makeDirectory, path, { flags: DEEP }));
  }

  space(): Promise<{ allBytes: number; freeBytes: number }> {
    return this.inTurn(async () => {
      await this.#ask(OP.space, "");
      const view = viewOf(await this.#read(16));
      return { allBytes: Number(view.getBigUint64(0, true)), freeBytes: Number(view.getBigUint64(8, true)) };
    });
  }

  /** Have the bridge ask the board for its version; it then stands in the list of boards. */
  version(): Promise<void> {
    return this.inTurn(async () => {
      this.#request(OP.version, "");
      await this.#read(3);
    });
  }

  /** Do something that no operation on files may come between. */
  inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      this.#lost = false;
      return action();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #ask(op: number, name: string, options = {}): Promise<void> {
    this.#request(op, name, options);
    await this.#reply();
  }

  #request(op: number, name: string, { flags = 0, size = 0 } = {}): void {
    const encoded = this.#utf8.encode(name);
    const request = new Uint8Array(18 + Math.max(NAME_BYTES, encoded.length));
    const view = viewOf(request);
    request.set([0x57, 0x41, op, flags]); // WA
    view.setUint32(12, size, true);
    view.setUint16(16, encoded.length, true);
    request.set(encoded, 18);
    this.#send(request);
  }

  async #reply(): Promise<void> {
    const reply = await this.#read(4);
    if (reply[0] !== 0x57 || reply[1] !== 0x42) throw new LostError(); // not WB
    const code = viewOf(reply).getUint16(2, true);
    if (code) throw new RefusedError(code);
  }

  /** Whether a put is asked for more; false if it is answered instead, with success. */
  async #isAsked(signal?: AbortSignal): Promise<boolean> {
    const first = await this.#read(1, signal);
    if (first[0] === NEXT) return true;
    this.#received.unshift(first);
    await this.#reply();
    return false;
  }

  /** Wait until a put that was given up has been answered. */
  async #givenUp(): Promise<void> {
    try {
      while (await this.#isAsked());
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }

  async #chunks({ onProgress, signal }: Watch = {}): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let doneBytes = 0;
    for (;;) {
      if (signal?.aborted) {
        this.#send(Uint8Array.of(STOP));
        await this.#read(2);
        await this.#givenUp();
        throw signal.reason;
      }
      this.#send(Uint8Array.of(NEXT));
      const size = viewOf(await this.#read(2)).getUint16(0, true);
      if (size === 0) break;
      chunks.push(await this.#read(size));
      doneBytes += size;
      onProgress?.(doneBytes);
    }
    await this.#reply();
    return joined(chunks, doneBytes);
  }

  #sendChunk(data: Uint8Array): void {
    this.#send(Uint8Array.of(data.length & 0xff, data.length >> 8));
    if (data.length) this.#send(data);
  }

  #send(data: Uint8Array): void {
    if (this.#lost || !this.#wire.send(data)) throw new LostError();
  }

  async #read(sizeBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    while (this.#received.reduce((sum, part) => sum + part.length, 0) < sizeBytes) {
      signal?.throwIfAborted();
      if (this.#lost) throw new LostError();
      await new Promise<void>((resolve, reject) => (this.#wanted = { resolve, reject }));
    }
    const all = joined(this.#received);
    this.#received = all.length > sizeBytes ? [all.subarray(sizeBytes)] : [];
    return all.subarray(0, sizeBytes);
  }
}

async function* chunksOf(content: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.size; at += SLAB_BYTES) {
    const slab = new Uint8Array(await content.slice(at, at + SLAB_BYTES).arrayBuffer());
    for (let start = 0; start < slab.length; start += CHUNK_BYTES) yield slab.subarray(start, start + CHUNK_BYTES);
  }
}

function entryOf(data: Uint8Array, name: string): Entry {
  const view = viewOf(data);
  return { name, isDirectory: data[0] === 0x64, sizeBytes: view.getUint32(1, true), crc: view.getUint32(9, true) }; // d
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

function joined(parts: Uint8Array[], sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)): Uint8Array {
  if (parts.length === 1 && parts[0]) return parts[0];
  const all = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

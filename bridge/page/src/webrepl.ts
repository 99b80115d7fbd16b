/**
 * A WebREPL client: password, terminal text, records; connects again by itself.
 *
 * The protocol is in docs/protocol.md. Text messages are the terminal, binary ones the records' stream.
 */

export type State = "connecting" | "password" | "open" | "lost";

/** What the connection tells its owner. */
export interface Events {
  /** The state has changed; with "password", whether one has just been refused. */
  onState(state: State, detail: { denied?: boolean; reason?: string }): void;
  /** The board has printed something. */
  onText(text: string): void;
  /** A part of the records' stream has come. */
  onBinary(data: Uint8Array): void;
}

const GREETING = "Password: ";
const CONNECTED = "\r\nWebREPL connected\r\n";
const DENIED = "Access denied";
const RETRY_MS = { first: 250, last: 4000 };

export class WebRepl {
  state: State = "connecting";
  #socket: WebSocket | undefined;
  #greeting = "";
  #denied = false;
  #wasOpen = false;
  #retryMs = RETRY_MS.first;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #url: string;
  readonly #events: Events;

  constructor(url: string, events: Events) {
    this.#url = url;
    this.#events = events;
    this.connect();
  }

  /** Connect now, if nothing is under way: someone has reason to think that it would work. */
  connect(): void {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#greeting = "";
    // What was on the terminal before is shown to those who come, not to those who come back: they have it.
    const socket = new WebSocket(this.#wasOpen ? `${this.#url}?scrollback=no` : this.#url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#receiveText(data) : this.#events.onBinary(new Uint8Array(data)));
    socket.onclose = ({ reason }) => this.#closed(reason);
    this.#socket = socket;
  }

  /** Disconnect, and stay so. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#socket) this.#socket.onclose = null;
    this.#socket?.close();
  }

  /** Give the password that the state "password" asks for. */
  logIn(password: string): void {
    if (this.state !== "password") return;
    this.#denied = false;
    this.#socket?.send(`${password}\r`);
  }

  /** Type at the board's terminal. What is typed while there is no connection is lost. */
  type(text: string): void {
    if (this.state === "open") this.#socket?.send(text);
  }

  /** Send a part of the records' stream; false if there is no connection. */
  send(data: Uint8Array): boolean {
    if (this.state !== "open" || !this.#socket) return false;
    this.#socket.send(data as Uint8Array<ArrayBuffer>);
    return true;
  }

  #receiveText(text: string): void {
    if (this.state === "open") {
      this.#events.onText(text);
      return;
    }
    this.#greeting += text;
    if (this.#greeting.includes(CONNECTED)) {
      const rest = this.#greeting.slice(this.#greeting.indexOf(CONNECTED) + CONNECTED.length);
      this.#retryMs = RETRY_MS.first;
      this.#wasOpen = true;
      this.#enter("open");
      if (rest) this.#events.onText(rest);
    } else if (this.#greeting.includes(DENIED)) {
      this.#denied = true;
    } else if (this.#greeting === GREETING) {
      this.#enter("password", { denied: this.#denied });
    }
  }

  #closed(reason: string): void {
    this.#socket = undefined;
    if (this.#denied) {
      this.connect(); // the bridge closes after a wrong password; the next one is asked for at once
      return;
    }
    if (this.state !== "lost") this.#enter("lost", { reason });
    this.#timer = setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.last);
  }

  #enter(state: State, detail: { denied?: boolean; reason?: string } = {}): void {
    this.state = state;
    this.#events.onState(state, detail);
  }
}

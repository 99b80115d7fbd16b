// One of the board's lines, as a TCP port on loopback.
import net from 'node:net';

export class Line {
  // Called with the bytes from the client; returns whether it wants more now. If not, it calls resume() later.
  onData = () => true;

  static async listen() {
    const line = new Line();
    line.server = net.createServer({ noDelay: true }, (socket) => line.#serve(socket));
    await new Promise((resolve) => line.server.listen(0, '127.0.0.1', resolve));
    line.port = line.server.address().port;
    return line;
  }

  #serve(socket) {
    this.socket?.destroy(); // the newest client has the line
    this.socket = socket;
    socket.on('data', (data) => { if (!this.onData(data)) socket.pause(); });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => { if (this.socket === socket) this.socket = undefined; });
  }

  send(bytes) {
    this.socket?.write(bytes);
  }

  resume() {
    this.socket?.resume();
  }
}

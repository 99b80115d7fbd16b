// The board's USB console (CDC), with the emulator as its host.
const LINE_WAITING_BYTES = 4096; // from the client, before it has to wait

export class Usb {
  #line;
  #cdc;
  #controller;
  #up = false;
  #waiting = []; // from the client, not yet in the CDC's FIFO
  #wantedBytes = 0; // how much the board has asked for and not been given

  constructor(mcu, line, USBCDC, onUp) {
    this.#line = line;
    this.#controller = mcu.usbCtrl;
    this.#cdc = new USBCDC(mcu.usbCtrl);
    this.#cdc.onSerialData = (bytes) => line.send(Buffer.from(bytes));
    this.#cdc.onDeviceConnected = () => {
      this.#up = true;
      onUp();
    };
    line.onData = (data) => {
      this.#waiting.push(...data);
      return this.#waiting.length < LINE_WAITING_BYTES;
    };
    // rp2040js answers the board's every poll for input with an empty packet, which is a storm of interrupts;
    // a real host answers when it has something.
    const answerPoll = mcu.usbCtrl.onEndpointRead;
    mcu.usbCtrl.onEndpointRead = (endpoint, bytes) => {
      if (endpoint !== this.#cdc.outEndpoint) {
        answerPoll(endpoint, bytes);
        return;
      }
      this.#wantedBytes = bytes;
      this.#answer();
    };
  }

  // Pass on what the client has sent, as far as the board takes it. Called again and again while the board runs.
  pump() {
    if (!this.#up) return;
    while (this.#waiting.length && !this.#cdc.txFIFO.full) this.#cdc.sendSerialByte(this.#waiting.shift());
    this.#answer();
    if (!this.#waiting.length) this.#line.resume();
  }

  #answer() {
    const { txFIFO: fifo, outEndpoint } = this.#cdc;
    if (!this.#wantedBytes || fifo.empty) return;
    const packet = new Uint8Array(Math.min(this.#wantedBytes, fifo.itemCount));
    for (let i = 0; i < packet.length; i++) packet[i] = fifo.pull();
    this.#wantedBytes = 0;
    this.#controller.endpointReadDone(outEndpoint, packet);
  }
}

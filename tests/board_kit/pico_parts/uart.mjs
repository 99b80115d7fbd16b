// A PL011 UART by its data sheet (ARM DDI 0183), in place of rp2040js's, whose transmit interrupt never clears, whose bytes
// leave at once, and which knows neither trigger levels nor the receive time-out. FIFOs of 32 bytes, and both directions
// take the time that their baud rate says. Not modelled: requests to the DMA controller.
const DR = 0x00; // data register
const IFLS = 0x34; // interrupt FIFO level select
const FLAG = { txEmpty: 1 << 7, rxFull: 1 << 6, txFull: 1 << 5, rxEmpty: 1 << 4, busy: 1 << 3 };
const INTERRUPT = { rx: 1 << 4, tx: 1 << 5, rxTimeout: 1 << 6 };
const FIFO_BYTES = 32;
const LEVELS = [4, 8, 16, 24, 28]; // 1/8, 1/4, 1/2, 3/4, 7/8 of a FIFO
const LINE_WAITING_BYTES = 4096; // from the client, before it has to wait

export function connectUart(mcu, number, line, lossy) {
  const uart = mcu.uart[number];
  let levelSelect = 0x12;
  const rxLevel = () => LEVELS[(levelSelect >> 3) & 7];
  const txLevel = () => LEVELS[levelSelect & 7];
  const byteNs = () => (uart.intDivisor ? 1e10 / uart.baudRate : 87_000); // 10 bits

  uart.checkInterrupts = () => mcu.setInterrupt(uart.irq, !!(uart.interruptStatus & uart.interruptMask));
  const raise = (interrupt) => {
    uart.interruptStatus |= interrupt;
    uart.checkInterrupts();
  };

  // From the board.
  const txFifo = [];
  let sending = false;
  let sent = [];
  const byteSent = mcu.clock.createAlarm(() => {
    sent.push(txFifo.shift());
    if (sent.length === 1) {
      setImmediate(() => {
        line.send(Buffer.from(sent));
        sent = [];
      });
    }
    if (txFifo.length === txLevel()) raise(INTERRUPT.tx);
    if (txFifo.length) byteSent.schedule(byteNs());
    else sending = false;
  });
  const transmit = (byte) => {
    if (txFifo.length < FIFO_BYTES) txFifo.push(byte);
    if (sending) return;
    sending = true;
    byteSent.schedule(byteNs());
  };

  // To the board.
  let waiting = Buffer.alloc(0);
  let arriving = false;
  const lineIdle = mcu.clock.createAlarm(() => {
    if (!uart.rxFIFO.empty) raise(INTERRUPT.rxTimeout);
  });
  const restartTimeout = () => lineIdle.schedule(byteNs() * 3.2); // 32 bits without a byte
  uart.feedByte = (byte) => {
    uart.rxFIFO.push(byte);
    restartTimeout();
    if (uart.rxFIFO.itemCount >= rxLevel()) raise(INTERRUPT.rx);
  };
  const receive = () => {
    const byte = uart.rxFIFO.pull();
    if (uart.rxFIFO.itemCount < rxLevel()) uart.interruptStatus &= ~INTERRUPT.rx;
    if (uart.rxFIFO.empty) uart.interruptStatus &= ~INTERRUPT.rxTimeout;
    else restartTimeout();
    uart.checkInterrupts();
    return byte;
  };
  const byteArrived = mcu.clock.createAlarm(() => {
    if (!waiting.length) {
      arriving = false;
      line.resume();
      return;
    }
    const hasRoom = uart.enabled && !uart.rxFIFO.full;
    if (hasRoom) uart.feedByte(waiting[0]);
    if (hasRoom || lossy) waiting = waiting.subarray(1);
    byteArrived.schedule(byteNs());
  });
  line.onData = (data) => {
    waiting = Buffer.concat([waiting, data]);
    if (!arriving) {
      arriving = true;
      byteArrived.schedule(byteNs());
    }
    return waiting.length < LINE_WAITING_BYTES;
  };

  // The registers.
  const readRegister = uart.readUint32.bind(uart);
  const writeRegister = uart.writeUint32.bind(uart);
  uart.readUint32 = (offset) => {
    if (offset === DR) return receive();
    if (offset === IFLS) return levelSelect;
    return readRegister(offset);
  };
  uart.writeUint32 = (offset, value) => {
    if (offset === DR) transmit(value & 0xff);
    else if (offset === IFLS) levelSelect = value & 0x3f;
    else writeRegister(offset, value);
  };
  Object.defineProperty(uart, 'flags', {
    get: () =>
      (txFifo.length ? 0 : FLAG.txEmpty) |
      (uart.rxFIFO.full ? FLAG.rxFull : 0) |
      (txFifo.length >= FIFO_BYTES ? FLAG.txFull : 0) |
      (uart.rxFIFO.empty ? FLAG.rxEmpty : 0) |
      (sending ? FLAG.busy : 0),
  });
}

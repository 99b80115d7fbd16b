// SPI with the Pico as the controller, at the speed of its clock: the bytes that it clocks out go to the client, and what
// it reads meanwhile are the bytes that the client had sent before, or 0xff. onRest() is called when it stops clocking,
// which is when the client should get the chance to send what is to be read next.
export function connectSpi(mcu, number, line, onRest) {
  const spi = mcu.spi[number];
  const fromClient = [];
  line.onData = (data) => {
    fromClient.push(...data);
    return true;
  };
  let sent = [];
  let byte;
  // A byte takes its time, or the DMA fills the FIFO for received bytes, of 8, before it comes to empty it.
  const byteDone = mcu.clock.createAlarm(() => {
    sent.push(byte);
    if (sent.length === 1) {
      setImmediate(() => {
        line.send(Buffer.from(sent));
        sent = [];
      });
    }
    if (spi.txFIFO.empty) onRest();
    spi.completeTransmit(fromClient.length ? fromClient.shift() : 0xff);
  });
  spi.onTransmit = (value) => {
    byte = value;
    byteDone.schedule(8e9 / (spi.clockFrequency || 1e6));
  };
}

// SPI with the Pico as the controller: each byte that it clocks out goes to the client, and what it reads meanwhile is the
// next byte that the client had sent before, or 0xff.
export function connectSpi(mcu, number, line) {
  const spi = mcu.spi[number];
  const fromClient = [];
  line.onData = (data) => {
    fromClient.push(...data);
    return true;
  };
  spi.onTransmit = (byte) => {
    line.send(Buffer.from([byte]));
    spi.completeTransmit(fromClient.length ? fromClient.shift() : 0xff);
  };
}

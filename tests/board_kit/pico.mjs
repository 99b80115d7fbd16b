// A Raspberry Pi Pico (npm rp2040js) with its lines on TCP ports, at the pace of the wall clock.
//
//   node pico.mjs --modules NODE_MODULES --bootrom BOOTROM.json --image FIRMWARE.uf2
//                 [--flash FILE] [--lossy] [--slow-flash] [--mhz 48] [--verbose]
//
// Prints one line, `READY {"usb": PORT, "uart0": PORT, "uart1": PORT, "spi0": PORT, "spi1": PORT}`, when the board's USB
// is up. Every port is on 127.0.0.1 and takes one client at a time; a newer one takes over.
//
// --flash FILE   what the flash holds, kept over runs: read at the start, written at SIGTERM and at each chip reset
// --lossy        a byte that arrives while a UART's FIFO is full is lost, as on the chip (without it the line waits)
// --slow-flash   flash writes take a real chip's time, during which the CPU does not run
// SIGUSR1        print how long the flash has been busy since the start, `FLASH BUSY MS n`
//                (without --slow-flash: how long it would have been)
//
// At 48 MHz board time keeps up with the wall clock on an idle machine (a real Pico has 125); under load it slips.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Bootrom, BREAK, Flash, flashBusyNs } from './pico_parts/flash.mjs';
import { Line } from './pico_parts/line.mjs';
import { connectSpi } from './pico_parts/spi.mjs';
import { connectUart } from './pico_parts/uart.mjs';
import { Usb } from './pico_parts/usb.mjs';

const { values: options } = parseArgs({
  options: {
    modules: { type: 'string' },
    bootrom: { type: 'string' },
    image: { type: 'string' },
    flash: { type: 'string' },
    mhz: { type: 'string', default: '48' },
    lossy: { type: 'boolean', default: false },
    'slow-flash': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const rp2040js = createRequire(join(options.modules, 'from-here.js'))('rp2040js');

const NS_PER_CYCLE = 1000 / Number(options.mhz);
const FLASH_START = 0x10000000;
const WATCHDOG = 0x40058; // its page, in rp2040js's table of peripherals

const bootrom = new Bootrom(JSON.parse(fs.readFileSync(options.bootrom)));
const flash = new Flash(options.flash);
flash.loadUf2(fs.readFileSync(options.image));
const lines = {};
for (const name of ['usb', 'uart0', 'uart1', 'spi0', 'spi1']) lines[name] = await Line.listen();

let mcu, clock, usb;
let resetWanted = false;
let linesWanted = false;
let busyNs = 0;

function boot() {
  const simulator = new rp2040js.Simulator();
  mcu = simulator.rp2040;
  clock = simulator.clock;
  mcu.logger = new rp2040js.ConsoleLogger(options.verbose ? rp2040js.LogLevel.Warn : rp2040js.LogLevel.Error);
  mcu.loadBootrom(bootrom.words);
  mcu.flash.set(flash.bytes);
  mcu.onBreak = onBreak;
  mcu.peripherals[WATCHDOG].onWatchdogTrigger = () => { resetWanted = true; };
  connectUart(mcu, 0, lines.uart0, options.lossy);
  connectUart(mcu, 1, lines.uart1, options.lossy);
  const onSpiRest = () => { linesWanted = true; };
  connectSpi(mcu, 0, lines.spi0, onSpiRest);
  connectSpi(mcu, 1, lines.spi1, onSpiRest);
  usb = new Usb(mcu, lines.usb, rp2040js.USBCDC, onUsbUp);
  mcu.core.PC = FLASH_START;
}

let announced = false;
function onUsbUp() {
  if (announced) return;
  announced = true;
  const ports = Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, line.port]));
  console.log(`READY ${JSON.stringify(ports)}`);
}

// The firmware has called one of the boot ROM's flash functions; its arguments are in the registers.
function onBreak(code) {
  const [r0, r1, r2] = mcu.core.registers;
  if (code === BREAK.erase) {
    mcu.flash.fill(0xff, r0, r0 + r1);
    stall(flashBusyNs.erase(r1));
  } else if (code === BREAK.program) {
    for (let i = 0; i < r2; i++) mcu.flash[r0 + i] &= mcu.readUint8(r1 + i);
    stall(flashBusyNs.program(r2));
  }
}

// The CPU stands still while the lines go on: their FIFOs fill, and with --lossy the rest is lost.
function stall(ns) {
  busyNs += ns;
  if (!options['slow-flash']) return;
  for (; ns > 0; ns -= 50e3) clock.tick(Math.min(ns, 50e3));
}

function resetChip() {
  flash.save(mcu.flash);
  const { reason, scratchData } = mcu.peripherals[WATCHDOG]; // these outlive a reset
  boot();
  mcu.peripherals[WATCHDOG].reason = reason;
  mcu.peripherals[WATCHDOG].scratchData.set(scratchData);
  resetWanted = false;
}

// Where board time and the wall clock were last the same.
let wallOriginMs = performance.now();
let boardOriginNs = 0;

// Run the board until its clock has caught up with the wall's, or for 8 ms; then let Node serve the lines.
function runSlice() {
  const sliceStartMs = performance.now();
  let targetNs = boardOriginNs + (sliceStartMs - wallOriginMs) * 1e6;
  if (targetNs - clock.nanos > 50e6) {
    // The host is too slow: board time slips, rather than race to catch up.
    wallOriginMs = sliceStartMs;
    boardOriginNs = clock.nanos - 5e6;
    targetNs = clock.nanos + 5e6;
  }
  usb.pump();
  const { core } = mcu;
  for (let step = 1; clock.nanos < targetNs && !resetWanted && !linesWanted; step++) {
    if (core.waiting) {
      const untilAlarmNs = clock.nextAlarm ? clock.nanosToNextAlarm : Infinity;
      clock.tick(Math.max(1, Math.min(untilAlarmNs, targetNs - clock.nanos)));
    } else {
      clock.tick(core.executeInstruction() * NS_PER_CYCLE);
    }
    if (step % 1024 === 0) {
      usb.pump();
      if (performance.now() - sliceStartMs > 8) break;
    }
  }
  linesWanted = false;
  if (resetWanted) {
    resetChip();
    wallOriginMs = performance.now();
    boardOriginNs = targetNs = 0;
  }
  if (clock.nanos < targetNs) setImmediate(runSlice);
  else setTimeout(runSlice, 1);
}

process.on('SIGUSR1', () => console.log('FLASH BUSY MS', Math.round(busyNs / 1e6)));
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    flash.save(mcu.flash);
    process.exit(0);
  });
}
boot();
runSlice();

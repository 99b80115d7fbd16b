// Flash, which rp2040js can read but neither erase nor program: it has no model of the SSI peripheral that the boot ROM's
// flash functions drive. So these functions are replaced in the ROM by a breakpoint, and done in JavaScript.
import fs from 'node:fs';

const FLASH_BYTES = 2 << 20;
const XIP_START = 0x10000000;
const FUNCTION_TABLE = 0x14; // the address in the boot ROM of the pointer to its table of functions
const BKPT = 0xbe00;
const BX_LR = 0x4770;

// The breakpoint's number for each of the ROM's flash functions, RP2040 data sheet, 2.8.3.1.3.
export const BREAK = { connect: 0xe0, exitXip: 0xe1, erase: 0xe2, program: 0xe3, flushCache: 0xe4, enterXip: 0xe5 };
const CODES = {
  IF: BREAK.connect,
  EX: BREAK.exitXip,
  RE: BREAK.erase,
  RP: BREAK.program,
  FC: BREAK.flushCache,
  CX: BREAK.enterXip,
};

export class Bootrom {
  constructor(words) {
    this.words = new Uint32Array(words);
    const view = new DataView(this.words.buffer);
    // The table: pairs of a two-letter code and the function's address, ended by a zero.
    for (let entry = view.getUint16(FUNCTION_TABLE, true); view.getUint16(entry, true); entry += 4) {
      const code = String.fromCharCode(view.getUint8(entry), view.getUint8(entry + 1));
      if (!(code in CODES)) continue;
      const address = view.getUint16(entry + 2, true) & ~1;
      view.setUint16(address, BKPT | CODES[code], true);
      view.setUint16(address + 2, BX_LR, true);
    }
  }
}

// A W25Q16JV's typical times: 45 ms to erase a sector of 4 KiB, 0.4 ms to program a page of 256 bytes.
export const flashBusyNs = {
  erase: (bytes) => Math.ceil(bytes / 4096) * 45e6,
  program: (bytes) => Math.ceil(bytes / 256) * 0.4e6,
};

export class Flash {
  bytes = Buffer.alloc(FLASH_BYTES, 0xff);

  constructor(file) {
    this.file = file;
    if (file && fs.existsSync(file)) fs.readFileSync(file).copy(this.bytes);
  }

  // https://github.com/microsoft/uf2: blocks of 512 bytes, each with its address.
  loadUf2(uf2) {
    for (let block = 0; block + 512 <= uf2.length; block += 512) {
      const isUf2 = uf2.readUInt32LE(block) === 0x0a324655;
      const notForFlash = uf2.readUInt32LE(block + 8) & 1;
      if (!isUf2 || notForFlash) continue;
      const offset = uf2.readUInt32LE(block + 12) - XIP_START;
      const size = uf2.readUInt32LE(block + 16);
      if (offset >= 0 && offset + size <= FLASH_BYTES) uf2.copy(this.bytes, offset, block + 32, block + 32 + size);
    }
  }

  save(contents) {
    this.bytes.set(contents.subarray(0, FLASH_BYTES));
    if (this.file) fs.writeFileSync(this.file, this.bytes);
  }
}

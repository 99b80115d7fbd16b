/** Sizes as people read them, and paths. */

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`;
}

/** A text as a Python literal of ASCII characters, the only ones that a prompt takes. */
export function pythonLiteral(text: string): string {
  const characters = [...text].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 31 && code < 127) return /["\\]/.test(character) ? `\\${character}` : character;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${characters.join("")}"`;
}

export function join(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A path as people type it: from the root on. */
export function absolute(path: string): string {
  return `/${path.split("/").filter(Boolean).join("/")}`;
}

/** Whether `path` is `folder`, or below it. */
export function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** A name with the control characters in it to be seen; others may be as they like. */
export function shown(name: string): string {
  return name.replace(/[\x00-\x1f]/g, (one) => String.fromCharCode(0x2400 + one.charCodeAt(0))).replaceAll("\x7f", "\u2421");
}

/** The name that was meant by one that was `shown`. */
export function meant(name: string): string {
  return name.replace(/[\u2400-\u241f]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0x2400)).replaceAll("\u2421", "\x7f");
}

/** CRC-32 as in zlib. */
export function crc32(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
  return byte;
});

import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Says what a browser loads: at the start, and in all. */
const loadedSize: Plugin = {
  name: "loaded-size",
  generateBundle(_, bundle) {
    const sizes = { start: 0, all: 0 };
    for (const file of Object.values(bundle)) {
      const bytes = gzipSync(file.type === "chunk" ? file.code : file.source).length;
      sizes.all += bytes;
      if (file.type === "asset" ? /index/.test(file.fileName) : file.isEntry) sizes.start += bytes;
    }
    const kB = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
    this.info(`a browser loads ${kB(sizes.start)} compressed at the start, ${kB(sizes.all)} in all`);
  },
};

export default defineConfig({
  base: "./",
  plugins: [loadedSize],
  build: {
    outDir: "../webrepl_bridge/frontends/page_files",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
});

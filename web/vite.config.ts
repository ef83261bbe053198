// Builds the console into `dist`, with a br and a gzip copy beside each file: the binary serves them as they are.

import react from "@vitejs/plugin-react";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** What is worth compressing: the build makes no other kind of file. */
const TEXT = /\.(html|js|css|svg)$/;

function precompressed(): Plugin {
  return {
    name: "precompressed",
    apply: "build",
    async writeBundle(options) {
      const root = options.dir ?? "dist";
      const files = await readdir(root, { recursive: true });
      await Promise.all(
        files
          .filter((file) => TEXT.test(file))
          .map(async (file) => {
            const path = join(root, file);
            const bytes = await readFile(path);
            const params = {
              [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
            };
            await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
            await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }));
          }),
      );
    },
  };
}

// The server that `npm run dev` talks to.
const server = process.env["DGP_SERVER"] ?? "http://127.0.0.1:9000";
const proxied = { target: server, changeOrigin: false };

export default defineConfig({
  base: "/_/",
  plugins: [react(), precompressed()],
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    sourcemap: false,
    // A strict policy permits no `data:` script, and a small image costs one request of an already open connection.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { "/_/api": proxied, "/_/health": proxied, "/_/ready": proxied, "/_/metrics": proxied },
  },
});

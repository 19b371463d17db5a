/* Runs the tests of what needs no browser: test.mjs [NAME...]. They are bundled as the pages are. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(path.join(HERE, 'test/unit'))
  .filter((name) => /\.test\.tsx?$/.test(name) && (!wanted.length || wanted.some((w) => name.startsWith(w))));
const out = mkdtempSync(path.join(os.tmpdir(), 'lop-web-'));
let status = 1;
try {
  await esbuild.build({
    absWorkingDir: HERE,
    entryPoints: files.map((name) => `test/unit/${name}`),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  const tests = files.map((name) => path.join(out, name.replace(/\.tsx?$/, '.mjs')));
  status = spawnSync(process.execPath, ['--test', ...tests], { stdio: 'inherit', timeout: 60000 }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
process.exit(status);

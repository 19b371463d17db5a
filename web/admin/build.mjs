/* Builds the admin's pages: build.mjs [--out DIR] [--watch]
 *
 * Bundles, splits, minifies and names the files by their content, and fails when a budget is
 * exceeded (KiB after gzip -9). */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BUDGETS = { first: 45, all: 150, css: 15 };
const LINES_MAX = 400;

const args = process.argv.slice(2);
const out = path.resolve(args[args.indexOf('--out') + 1] ?? path.join(HERE, 'dist'));

const common = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  metafile: true,
  outdir: out,
};

async function build() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const pages = await esbuild.build({
    ...common,
    entryPoints: ['src/main.tsx', 'src/styles/main.css'],
    splitting: true,
    format: 'esm',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
  });
  /* Set before the first paint, so it is no module. */
  const theme = await esbuild.build({
    ...common,
    entryPoints: ['src/theme.ts'],
    format: 'iife',
    entryNames: '[name]-[hash]',
  });
  const outputs = { ...pages.metafile.outputs, ...theme.metafile.outputs };
  const named = (source) => {
    const found = Object.entries(outputs).find(([, o]) => o.entryPoint === source);
    return path.basename(found[0]);
  };
  const icon = readFileSync(path.join(HERE, 'src/icon.svg'));
  writeFileSync(path.join(out, 'icon.svg'), icon);
  const names = {
    css: named('src/styles/main.css'),
    theme: named('src/theme.ts'),
    main: named('src/main.tsx'),
  };
  const version = createHash('sha256').update(Object.values(names).join()).digest('hex').slice(0, 12);
  let html = readFileSync(path.join(HERE, 'index.html'), 'utf8');
  for (const [key, name] of Object.entries(names)) html = html.replace(`%${key}%`, name);
  writeFileSync(path.join(out, 'index.html'), html.replace('id="boot"', `id="boot" data-assets="${version}"`));
  writeFileSync(path.join(out, 'LICENSES.txt'), licences(outputs));
  return check(outputs, names);
}

/* The licences of what is bundled. */
function licences(outputs) {
  const packages = new Set();
  for (const output of Object.values(outputs))
    for (const input of Object.keys(output.inputs)) {
      const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
      if (found) packages.add(path.resolve(HERE, input.slice(0, found.index), 'node_modules', found[1]));
    }
  return [...packages].sort().map((folder) => {
    const about = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(path.join(folder, file), 'utf8').trim() : about.license;
    return `${about.name} ${about.version}\n\n${text}\n`;
  }).join(`\n${'-'.repeat(72)}\n\n`);
}

const packed = (file) => gzipSync(readFileSync(path.join(out, file)), { level: 9 }).length;

/* Scripts that the first page needs: main, what it imports at once, and the theme. */
function firstLoad(outputs, names) {
  const files = new Set([names.theme]);
  const take = (name) => {
    if (files.has(name)) return;
    files.add(name);
    const [, output] = Object.entries(outputs).find(([file]) => path.basename(file) === name);
    for (const { path: file, kind } of output.imports)
      if (kind === 'import-statement') take(path.basename(file));
  };
  take(names.main);
  return [...files];
}

function check(outputs, names) {
  const scripts = readdirSync(out).filter((name) => name.endsWith('.js'));
  const sum = (files) => files.reduce((bytes, file) => bytes + packed(file), 0) / 1024;
  const sizes = {
    first: sum(firstLoad(outputs, names)),
    all: sum(scripts),
    css: sum([names.css]),
  };
  let fits = true;
  for (const [what, size] of Object.entries(sizes)) {
    fits &&= size <= BUDGETS[what];
    console.log(`${what.padEnd(6)} ${size.toFixed(1)} KiB of ${BUDGETS[what]}`);
  }
  for (const file of readdirSync(path.join(HERE, 'src'), { recursive: true })) {
    if (!/\.(tsx?|css)$/.test(file)) continue;
    const lines = readFileSync(path.join(HERE, 'src', file), 'utf8').split('\n').length;
    if (lines > LINES_MAX) console.error(`src/${file}: ${lines} lines, at most ${LINES_MAX}`);
    fits &&= lines <= LINES_MAX;
  }
  if (!fits) console.error('a budget is exceeded');
  return fits;
}

const fits = await build();
if (args.includes('--watch')) {
  const { watch } = await import('node:fs');
  let timer;
  watch(path.join(HERE, 'src'), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => build().catch((error) => console.error(error.message)), 50);
  });
} else if (!fits) {
  process.exit(1);
}

/* Fails when documents and program differ: docs.mjs [BINARY]
 *
 * - the man pages explain the commands, verbs, options (with their letters, arguments and defaults),
 *   columns, keys, variables and exit codes of the program, and no others;
 * - examples in the man pages, in --help and in README.md are command lines that it understands;
 * - every file or folder that a document names in `backticks` exists, and every relative link;
 * - every folder under src/ is on the map, src/README.md;
 * - the page about the API names every call.
 * Without BINARY the manual is not checked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkManual } from './manual.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = process.argv[2] && path.resolve(process.argv[2]);
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'src/README.md', 'docs/design.md',
  'docs/cookbook.md', 'docs/telemetry.md', 'tests/bench/README.md', 'web/README.md'];

let errors = 0;
function complain(where, what) {
  errors++;
  console.error(`${where}: ${what}`);
}

const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');
function checkPaths() {
  for (const file of DOCUMENTS) {
    if (!existsSync(path.join(ROOT, file))) {
      complain(file, 'is missing');
      continue;
    }
    const text = read(file);
    const exists = (name, from) => existsSync(path.join(ROOT, from, name));
    for (const [, name] of text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g))
      if (!exists(name, path.dirname(file))) complain(file, `links to ${name}, which does not exist`);
    for (const [, name] of text.matchAll(
      /`((?:src|tests|script|man|docs|schema|cmake)\/[\w./-]*\w\/?)`/g,
    ))
      if (!exists(name, '')) complain(file, `names ${name}, which does not exist`);
  }
}

function* folders(dir) {
  for (const entry of readdirSync(path.join(ROOT, dir), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    yield `${dir}/${entry.name}`;
    yield* folders(`${dir}/${entry.name}`);
  }
}

function checkMap() {
  const map = read('src/README.md');
  for (const folder of folders('src')) {
    const files = readdirSync(path.join(ROOT, folder)).some((name) => /\.[ch]$/.test(name));
    const name = folder.slice('src/'.length);
    if (files && !map.includes(`${name}/`)) complain('src/README.md', `does not show ${folder}`);
  }
}

/* The page about the API names every call, and no other. */
function checkCalls() {
  const file = 'man/llm-observe-proxy-api.7';
  const rows = read('src/shared/ops/operations.c').matchAll(/\{"(GET|POST|PUT|PATCH|DELETE)", "([^"]+)"/g);
  const calls = new Set([...rows].map(([, method, path]) => `${method} ${path}`));
  const named = new Set([...read(file).matchAll(/^\.It Li (\S+) Pa (\S+)$/gm)].map(([, m, p]) => `${m} ${p}`));
  for (const call of calls) if (!named.has(call)) complain(file, `does not name ${call}`);
  for (const call of named) if (!calls.has(call)) complain(file, `names ${call}, which there is not`);
}

checkPaths();
checkCalls();
checkMap();
if (BINARY) checkManual(BINARY, ROOT, complain);
process.exit(errors ? 1 : 0);

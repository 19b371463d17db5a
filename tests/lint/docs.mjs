/* Fails when documents and program differ: docs.mjs [BINARY]
 *
 * - every command, and every option that a command's --help lists, is in the man pages;
 * - every --option in the man pages and in README.md is one that --help lists;
 * - every file or folder that a document names in `backticks` exists, and every relative link;
 * - every folder under src/ is on the map, src/README.md.
 * Without BINARY the options are not checked. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = process.argv[2] && path.resolve(process.argv[2]);
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'src/README.md', 'docs/design.md',
  'docs/telemetry.md', 'tests/bench/README.md', 'web/README.md'];
const MANUAL = 'man/llm-observe-proxy.1';
const OPTION = /(?<![\w-])--[a-z][a-z0-9-]*/g;

let errors = 0;
function complain(where, what) {
  errors++;
  console.error(`${where}: ${what}`);
}

const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');
const options = (text) => new Set(text.match(OPTION) ?? []);

/* The table of src/main.c: names, and the verbs that their help lists. */
function commands() {
  const rows = read('src/main.c').matchAll(/^\s*\{"([a-z-]+)",/gm);
  return [...rows].map(([, name]) => ({
    name,
    verbs: [...help(name).matchAll(/^ {2}([a-z-]+) ([a-z-]+) /gm)]
      .filter(([, first]) => first === name).map(([, , verb]) => verb),
  }));
}

function help(...words) {
  const run = spawnSync(BINARY, [...words, '--help'], { encoding: 'utf8', timeout: 20000 });
  if (run.status !== 0) complain([...words, '--help'].join(' '), `exit ${run.status ?? run.signal}`);
  return run.stdout ?? '';
}

/* A man page as plain text: mandoc overstrikes what is bold or underlined. */
function page(file) {
  const text = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=200', path.join(ROOT, file)], {
    encoding: 'utf8',
  });
  return text.replace(/.\x08/gu, '').replace(/[‐‑−]/gu, '-');
}

function checkOptions() {
  const pages = new Map();
  for (const name of existsSync(path.join(ROOT, 'man')) ? readdirSync(path.join(ROOT, 'man')) : [])
    if (name.endsWith('.1')) pages.set(`man/${name}`, page(`man/${name}`));
  if (!pages.has(MANUAL)) complain(MANUAL, 'is missing');
  const known = options(help());
  /* Those of all commands are explained once, in the main page. */
  for (const { name, verbs } of commands()) {
    const own = `man/llm-observe-proxy-${name}.1`;
    const file = pages.has(own) ? own : MANUAL;
    /* Options of all commands may be in the page about the whole. */
    const text = (pages.get(own) ?? '') + (pages.get(MANUAL) ?? '');
    const documented = options(text);
    for (const word of [name, ...verbs])
      if (text && !new RegExp(`\\b${word}\\b`).test(text)) complain(file, `does not mention ${word}`);
    const listed = [help(name), ...verbs.map((verb) => help(name, verb))].join('\n');
    for (const option of options(listed)) {
      known.add(option);
      if (text && option !== '--help' && !documented.has(option))
        complain(file, `does not mention ${option} of ${name}`);
    }
  }
  for (const [file, text] of [...pages, ['README.md', read('README.md')]])
    for (const option of options(text))
      if (!known.has(option)) complain(file, `${option} is in no --help`);
}

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

checkPaths();
checkMap();
if (BINARY) checkOptions();
process.exit(errors ? 1 : 0);

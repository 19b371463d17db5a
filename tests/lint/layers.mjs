/* Fails when an #include breaks the layers: who may include whom, and which folders may see which
 * library. The table below is the rule; src/README.md explains it. Run from anywhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const SRC = process.argv[2] ? path.resolve(process.argv[2]) : path.join(ROOT, 'src');

/* Where the compiler looks, after the folder of the including file. */
const SEARCH = ['', 'shared', 'shared/base', 'daemon'];
/* Headers that the build makes, and the module they belong to. */
const GENERATED = { 'sql.h': 'db', 'seed.h': 'store', 'shapes.h': 'api' };

const SHARED = ['base', 'json', 'text', 'db', 'llm', 'core', 'filter', 'otlp', 'store', 'view', 'config', 'client', 'ops'];
const PURE = ['base', 'json', 'text', 'llm', 'core'];
const HOUSE = ['app', 'inbox', 'worker', 'dispatch']; /* headers of src/daemon for all of it */
const DAEMON = [...HOUSE, 'listen', 'http', 'upstream', 'record', 'proxy', 'jobs', 'otel', 'api', 'web', 'mock'];

/* What a module may include besides itself. */
const MAY = {
  base: [],
  json: ['base'],
  text: ['base'],
  db: ['base'],
  llm: ['base', 'json', 'text'],
  core: ['base', 'json', 'text', 'llm'],
  filter: ['base', 'json', 'text', 'core'],
  otlp: PURE,
  store: [...PURE, 'filter', 'db'],
  view: [...PURE, 'filter', 'store'],
  config: [...PURE, 'store'],
  client: PURE,
  ops: [...PURE, 'filter', 'store', 'view', 'config', 'client'],
  inbox: SHARED,
  listen: ['base'],
  app: [...SHARED, 'inbox', 'http', 'upstream', 'record'],
  worker: [...SHARED, 'app', 'inbox', 'http', 'upstream', 'record'],
  dispatch: [...SHARED, 'app', 'inbox', 'worker', 'http'],
  http: [...SHARED, 'inbox'],
  upstream: [...SHARED, 'inbox'],
  record: [...SHARED, 'inbox'],
  proxy: [...SHARED, ...HOUSE, 'http', 'upstream', 'record'],
  jobs: [...SHARED, ...HOUSE, 'http', 'upstream', 'record'],
  otel: [...SHARED, 'inbox', 'record'],
  api: [...SHARED, ...HOUSE, 'http', 'record', 'jobs', 'otel'],
  web: [...SHARED, ...HOUSE, 'http', 'record', 'jobs', 'api'],
  mock: [...SHARED, 'inbox', 'listen', 'http'],
  serve: [...SHARED, ...DAEMON, 'listen'],
  cli: SHARED,
  tui: [...SHARED, 'cli'],
  main: ['cli', 'tui', 'serve', 'mock'],
};
/* Only the store may see an SQL engine. */
for (const module of Object.keys(MAY))
  if (!['db', 'store'].includes(module)) MAY[module] = MAY[module].filter((m) => m !== 'db');

/* Libraries that stay where they belong; the version command names them all. */
const LIBRARIES = [
  [/^sqlite3/, ['db']],
  [/^curl\//, ['upstream', 'client', 'otel', 'serve']],
  [/^llhttp/, ['http', 'upstream']],
  [/^md4c/, ['llm']],
  [/^uv(\.h|\/)/, [...DAEMON, 'serve']],
  [/^(ncurses|curses|panel)/, ['tui']],
];
const SEES_ALL_LIBRARIES = new Set(['cli/cmd_version.c']);

/* The module of a file under src/. The files of src/daemon itself may see all of the daemon, they
 * are "serve"; but what they show to it in the headers of HOUSE stays small. */
function moduleOf(file) {
  const parts = file.split('/');
  const name = parts.at(-1).replace(/\.[ch]$/, '');
  if (parts.length === 1) return 'main';
  if (parts[0] === 'shared') return parts[1];
  if (parts[0] !== 'daemon') return parts[0];
  if (parts.length > 2) return parts[1];
  if (['app', 'inbox', 'listen'].includes(name)) return name;
  return file.endsWith('.h') && HOUSE.includes(name) ? name : 'serve';
}

function* sources(dir) {
  for (const entry of readdirSync(path.join(SRC, dir), { withFileTypes: true })) {
    const file = path.posix.join(dir, entry.name);
    if (entry.isDirectory()) yield* sources(file);
    else if (/\.[ch]$/.test(entry.name)) yield file;
  }
}

/* The file under src/ that an #include "..." means, or null. */
function resolve(from, name) {
  for (const dir of [path.posix.dirname(from), ...SEARCH]) {
    const file = path.posix.normalize(path.posix.join(dir, name));
    if (existsSync(path.join(SRC, file))) return file;
  }
  return null;
}

function checkOwn(file, name) {
  const target = resolve(file, name);
  if (!target && !GENERATED[name]) return `there is no ${name}`;
  const from = moduleOf(file);
  const to = target ? moduleOf(target) : GENERATED[name];
  if (target?.endsWith('_priv.h') && path.posix.dirname(target) !== path.posix.dirname(file))
    return `${name} is private to its folder`;
  if (from === to || MAY[from].includes(to)) return null;
  if (from === 'store' && to === 'db') return null;
  return `${from} may not include ${to} (only: ${MAY[from].join(', ') || 'nothing of ours'})`;
}

function checkLibrary(file, name) {
  if (SEES_ALL_LIBRARIES.has(file)) return null;
  for (const [pattern, modules] of LIBRARIES)
    if (pattern.test(name) && !modules.includes(moduleOf(file)))
      return `<${name}> belongs to ${modules.join(', ')}, not to ${moduleOf(file)}`;
  return null;
}

let files = 0;
let errors = 0;
for (const file of sources('')) {
  files++;
  const lines = readFileSync(path.join(SRC, file), 'utf8').split('\n');
  lines.forEach((line, at) => {
    const include = /^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)/.exec(line);
    if (!include) return;
    let broken;
    if (!MAY[moduleOf(file)]) broken = `${moduleOf(file)} is no module that layers.mjs knows`;
    else broken = include[1] ? checkOwn(file, include[1]) : checkLibrary(file, include[2]);
    if (!broken) return;
    errors++;
    console.error(`src/${file}:${at + 1}: ${broken}`);
  });
}
if (files === 0) {
  console.error(`${SRC}: no sources`);
  errors++;
}
process.exit(errors ? 1 : 0);

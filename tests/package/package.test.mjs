/* The package that cpack makes of the release build: what is in it, and that it runs from there.
 * LOP_BUILD names another build folder. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const BUILD = path.resolve(process.env.LOP_BUILD ?? path.join(ROOT, 'build/release'));
const EXPOSURE_MAX = 1.5; /* of 10, by systemd-analyze */

let work, deb;

function run(command, ...args) {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 60000, cwd: work,
    env: { ...process.env, LC_ALL: 'C.UTF-8', PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  if (done.error) throw done.error;
  return done;
}

function must(command, ...args) {
  const { status, stdout, stderr } = run(command, ...args);
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

before(() => {
  work = mkdtempSync(path.join(os.tmpdir(), 'lop-package-'));
  must('cpack', '-G', 'DEB', '--config', path.join(BUILD, 'CPackConfig.cmake'), '-B', path.join(work, 'out'));
  deb = path.join(work, 'out', readdirSync(path.join(work, 'out')).find((name) => name.endsWith('.deb')));
});
after(() => rmSync(work, { recursive: true, force: true }));

const PAGES = readdirSync(path.join(ROOT, 'man'));
const FILES = [
  'usr/bin/llm-observe-proxy',
  'usr/lib/systemd/system/llm-observe-proxy.service',
  'usr/share/bash-completion/completions/llm-observe-proxy',
  'usr/share/zsh/vendor-completions/_llm-observe-proxy',
  'usr/share/fish/vendor_completions.d/llm-observe-proxy.fish',
  'usr/share/doc/llm-observe-proxy/copyright',
  'usr/share/doc/llm-observe-proxy/changelog.gz',
  ...PAGES.map((name) => `usr/share/man/man${name.at(-1)}/${name}.gz`),
];

test('the package holds all that a system needs, and names what it depends on', () => {
  const listed = must('dpkg-deb', '-c', deb);
  for (const file of FILES) assert(listed.includes(` ./${file}\n`), `${file} in\n${listed}`);
  for (const line of listed.trim().split('\n'))
    assert.match(line, /^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root\/root /);
  const depends = must('dpkg-deb', '-f', deb, 'Depends');
  for (const name of ['libc6', 'libcurl4', 'libsqlite3-0', 'libuv1', 'libzstd1'])
    assert.match(depends, new RegExp(`\\b${name}(t64)? \\(>= `));
});

test('lintian has no errors', () => {
  const { status, stdout, stderr } = run('lintian', '--no-cfg', '--fail-on', 'error', '--allow-root', deb);
  assert.equal(status, 0, stdout + stderr);
  assert.doesNotMatch(stdout, /^E:/m);
});

test('dpkg installs it under another root, it runs from there, and goes without a trace', async () => {
  const root = path.join(work, 'root');
  mkdirSync(path.join(root, 'var/lib/dpkg/updates'), { recursive: true });
  mkdirSync(path.join(root, 'var/lib/dpkg/info'));
  writeFileSync(path.join(root, 'var/lib/dpkg/status'), '');
  writeFileSync(path.join(root, 'var/lib/dpkg/available'), '');
  const dpkg = (...args) => must('fakeroot', 'dpkg', `--root=${root}`, '--force-depends',
    '--force-not-root', '--log=/dev/null', ...args);
  dpkg('--install', deb);
  for (const file of FILES) assert(existsSync(path.join(root, file)), file);

  const binary = path.join(root, 'usr/bin/llm-observe-proxy');
  const version = must('dpkg-deb', '-f', deb, 'Version').trim();
  assert.equal(must(binary, 'version'), `llm-observe-proxy ${version}\n`);
  assert.match(must(binary, '--help'), /^usage: llm-observe-proxy /);
  for (const name of PAGES)
    assert(must('mandoc', path.join(root, `usr/share/man/man${name.at(-1)}`, `${name}.gz`)).length > 200);
  for (const [shell, file] of [['bash', FILES[2]], ['zsh', FILES[3]], ['fish', FILES[4]]])
    must(shell, '-n', path.join(root, file));

  await serve(binary, root);
  dpkg('--remove', 'llm-observe-proxy');
  for (const file of FILES) assert(!existsSync(path.join(root, file)), file);
});

/* As the unit starts it: by variables, and telling systemd when it is ready is left out. */
async function serve(binary, root) {
  const child = spawn(binary, ['serve', '--port', '0', '--quiet'], {
    cwd: root,
    env: { LLM_OBSERVE_DATABASE_URL: `sqlite:///${root}/traffic.sqlite3`,
      LLM_OBSERVE_UPSTREAM_URL: 'http://127.0.0.1:9/v1' },
  });
  const gone = new Promise((done) => child.once('exit', done));
  try {
    const line = await new Promise((done, fail) => {
      child.stdout.setEncoding('utf8').once('data', done);
      gone.then(() => fail(new Error('it ended')));
    });
    const url = / (http:\S+)/.exec(line)[1];
    assert.equal((await (await fetch(`${url}/healthz`)).json()).status, 'ok');
    child.kill('SIGTERM');
    assert.equal(await gone, 0);
    assert(existsSync(path.join(root, 'traffic.sqlite3')));
  } finally {
    child.kill('SIGKILL');
  }
}

test('the unit is valid, and exposed little', () => {
  const root = path.join(work, 'unpacked');
  must('dpkg-deb', '-x', deb, root);
  const unit = path.join(root, FILES[1]);
  assert.match(readFileSync(unit, 'utf8'), /^DynamicUser=yes$/m);
  const checked = run('systemd-analyze', 'verify', '--man=no', `--root=${root}`, 'llm-observe-proxy.service');
  assert.doesNotMatch(checked.stdout + checked.stderr, /llm-observe-proxy\.service:.*(Unknown|Invalid|Failed to parse|not executable)/);
  const said = must('systemd-analyze', 'security', '--offline=true', '--no-pager', unit);
  const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(said)?.[1]);
  assert(exposure <= EXPOSURE_MAX, said);
});

test('cmake --install puts everything below a prefix', () => {
  const prefix = path.join(work, 'prefix');
  must('cmake', '--install', BUILD, '--prefix', prefix);
  for (const file of ['bin/llm-observe-proxy', 'share/man/man1/llm-observe-proxy.1',
    'share/bash-completion/completions/llm-observe-proxy', 'lib/systemd/system/llm-observe-proxy.service'])
    assert(existsSync(path.join(prefix, file)), file);
  assert.match(must(path.join(prefix, 'bin/llm-observe-proxy'), 'version'), /^llm-observe-proxy /);
});

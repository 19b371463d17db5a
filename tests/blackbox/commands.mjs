/* Commands that answer alike over a running server and over its database file. */
import { run, start } from './proxy.mjs';

export const MODES = ['server', 'file'];

/* What a terminal obeys, or what hides or reorders text; TAB and LF are plain. */
export const OBEYED =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
export const EVIL = 'x\x1b]0;pwn\x07\u202egpj\ufeff\x7fy';

/**
 * The database of a proxy (a new one by default), asked through its server or, once that has
 * stopped, as a file. Gives cmd(...words), which runs a command to its end: code, out, err; with the
 * proxy as cmd.proxy. An object as the last word is options of run().
 */
export async function commands(t, mode, options = {}) {
  const proxy = options.proxy ?? (await start(t, options));
  if (mode === 'file') await proxy.stop();
  const source = mode === 'file' ? ['--database-url', proxy.database] : ['--url', proxy.url];
  const cmd = (...words) => {
    const last = typeof words.at(-1) === 'object' ? words.pop() : {};
    const env = { LC_ALL: 'C.UTF-8', TZ: 'UTC', ...last.env };
    return run([...words, ...source], { ...last, env });
  };
  return Object.assign(cmd, {
    proxy,
    /* The JSON of a command that must work. */
    async json(...words) {
      const { code, out, err } = await cmd(...words, '--json');
      if (code !== 0) throw new Error(`${words.join(' ')}: exit ${code}: ${err}`);
      return JSON.parse(out);
    },
  });
}

/** A test for each mode. */
export function both(test, name, body, options) {
  for (const mode of MODES)
    test(`${name} (${mode})`, async (t) => body(await commands(t, mode, options), t, mode));
}

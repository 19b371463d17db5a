/* A terminal: tmux with a server of its own, for one test. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { BINARY, folder } from './proxy.mjs';
import { ms, until } from './until.mjs';

const PROMPT = 'ready$ ';

export class Terminal {
  /** A shell in a window of width x height cells. */
  static async open(t, { width = 80, height = 24, env = {} } = {}) {
    const terminal = new Terminal();
    terminal.home = folder(t);
    terminal.socket = path.join(terminal.home, 'tmux');
    const own = { LC_ALL: 'C.UTF-8', TZ: 'UTC', TERM: 'xterm-256color', PATH: process.env.PATH, HOME: terminal.home };
    execFileSync(
      'tmux',
      ['-S', terminal.socket, '-f', '/dev/null', 'new-session', '-d', '-x', `${width}`, '-y', `${height}`,
        '-c', terminal.home, 'env', ...Object.entries({ ...own, TERM: 'tmux-256color', ...env, PS1: PROMPT, TOP: BINARY, ...pass() })
          .map(([name, value]) => `${name}=${value}`), 'bash', '--norc', '--noprofile'],
      { env: own },
    );
    /* By its id: the folder with its socket is gone when this runs. */
    const server = Number(terminal.tmux('display-message', '-p', '#{pid}'));
    t.after(() => {
      try {
        process.kill(server, 'SIGTERM');
      } catch {
        /* it has ended by itself */
      }
    });
    await terminal.sees(PROMPT.trim());
    return terminal;
  }

  tmux(...args) {
    return execFileSync('tmux', ['-S', this.socket, ...args], { encoding: 'utf8' });
  }

  /** What is on the screen. */
  get screen() {
    return this.tmux('capture-pane', '-p');
  }

  /** Press keys, by tmux's names. */
  keys(...keys) {
    this.tmux('send-keys', ...keys);
  }

  /** Type text as it is. */
  type(text) {
    this.tmux('send-keys', '-l', text);
  }

  /** Type a command line. */
  run(command) {
    this.type(command);
    this.keys('Enter');
  }

  resize(width, height) {
    this.tmux('resize-window', '-x', `${width}`, '-y', `${height}`);
  }

  /** Wait until the screen has the text, or matches the pattern; gives the screen. */
  async sees(what, limit = ms(8000)) {
    let last = '';
    await until(
      () => {
        last = this.screen;
        return typeof what === 'string' ? last.includes(what) : what.test(last);
      },
      () => `${what} on the screen:\n${last}`,
      limit,
      30,
    );
    return last;
  }
}

/* What sanitizers need to know. */
function pass() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(A|UB|T|L)SAN_OPTIONS$/.test(name)));
}

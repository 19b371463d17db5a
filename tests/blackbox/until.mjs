/* Waiting: always for a condition, never for a time, and never for ever. */

/** Builds with sanitizers are slower and fatter: LOP_SANITIZER=1 widens every limit. */
export const SANITIZER = Boolean(process.env.LOP_SANITIZER);
const SLOWDOWN = SANITIZER ? 6 : 1;

/** A limit in milliseconds, widened for sanitizer builds. */
export const ms = (n) => n * SLOWDOWN;

/** How long a condition may take that should be true at once. */
export const LIMIT = ms(5000);

export const sleep = (n) => new Promise((done) => setTimeout(done, n));

/**
 * Ask `condition` every few milliseconds until it gives something truthy, and return that.
 * `what` completes the sentence "expected ...": a text, or a function that also tells the state.
 */
export async function until(condition, what, limit = LIMIT, every = 10) {
  const end = performance.now() + limit;
  for (;;) {
    const got = await condition();
    if (got) return got;
    if (performance.now() >= end) {
      const text = typeof what === 'function' ? what() : what;
      throw new Error(`expected ${text} within ${limit} ms`);
    }
    await sleep(every);
  }
}

/** `promise`, or an error that says what was expected. */
export async function within(promise, what, limit = LIMIT) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => {
      const text = typeof what === 'function' ? what() : what;
      fail(new Error(`expected ${text} within ${limit} ms`));
    }, limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Things that wait for a change of state, re-examined at each change. */
export class Changes {
  #waiting = new Set();

  /** Something changed. */
  ring() {
    for (const look of [...this.#waiting]) look();
  }

  /** Wait until `condition` gives something truthy (or throws), and return that. */
  wait(condition, what, limit = LIMIT) {
    let look;
    const seen = new Promise((done, fail) => {
      look = () => {
        try {
          const got = condition();
          if (got) done(got);
        } catch (error) {
          fail(error);
        }
      };
    });
    this.#waiting.add(look);
    look();
    return within(seen, what, limit).finally(() => this.#waiting.delete(look));
  }
}

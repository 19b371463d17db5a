/* Data that follows the server. An event stream says what changed and the page asks for that only;
 * without it pages are asked again every poll interval. Nothing is asked while the page is hidden
 * or the person has paused it. */
import { effect, signal, untracked } from '@preact/signals';
import { ApiError, ask } from './api';
import { boot } from './boot';

export type Connection = 'live' | 'polling' | 'failed';
export type Kind = 'requests' | 'runs' | 'routes' | 'providers' | 'prices' | 'settings';
export interface Change {
  kinds: Kind[];
  request_ids: number[];
  run_ids: number[];
  truncated: boolean;
}

export const connection = signal<Connection>('polling');
export const failure = signal('');
export const paused = signal(false);
export const visible = signal(!document.hidden);

const SAFETY_MS = 15000;
const BACKOFF = [1000, 2000, 4000, 8000, 15000];

interface Follower {
  kinds: Kind[];
  changed(change: Change | null): void;
}
const followers = new Set<Follower>();

let source: EventSource | null = null;
let streamFailures = 0;

function tell(change: Change | null) {
  for (const f of followers)
    if (!change || change.kinds.some((kind) => f.kinds.includes(kind))) f.changed(change);
}

function openStream() {
  if (source || streamFailures >= 2) return;
  source = new EventSource('/admin/api/events');
  source.addEventListener('hello', () => {
    streamFailures = 0;
    if (connection.value === 'failed') tell(null);
    connection.value = 'live';
  });
  source.addEventListener('change', (event) => tell(JSON.parse((event as MessageEvent).data)));
  source.onerror = () => {
    closeStream();
    streamFailures++;
    if (connection.value === 'live') connection.value = 'polling';
    tell(null);
    if (streamFailures < 2) setTimeout(openStream, 2000);
    else setTimeout(() => { streamFailures = 0; openStream(); }, 30000);
  };
}

function closeStream() {
  source?.close();
  source = null;
}

export function startLive() {
  document.addEventListener('visibilitychange', () => {
    visible.value = !document.hidden;
  });
  effect(() => {
    if (visible.value && !paused.value) {
      untracked(openStream);
      untracked(() => tell(null));
    } else {
      closeStream();
    }
  });
}

export interface Resource<T> {
  data: { value: T | null };
  error: { value: ApiError | null };
  loading: { value: boolean };
  refresh(): void;
  /** The same, and tells when the answer is there. */
  reload(): Promise<void>;
  stop(): void;
}

export interface ResourceOptions<T> {
  kinds: Kind[];
  /** False: what is there will not change any more. */
  follows?(data: T): boolean;
  /** Which change events matter; all of its kinds unless given. */
  concerns?(change: Change, data: T | null): boolean;
  /** Puts new data in the place of old, keeping what did not change. */
  merge?(old: T | null, fresh: T): T;
}

const clamp = (ms: number) => Math.min(60000, Math.max(250, ms));

/** Follow what url() gives; a new url ends the call for the old one. Must be stopped. */
export function follow<T>(url: () => string | null, options: ResourceOptions<T>): Resource<T> {
  const data = signal<T | null>(null);
  const error = signal<ApiError | null>(null);
  const loading = signal(false);
  let current: string | null = null;
  let etag: string | null = null;
  let abort: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let again = false;

  const follows = () =>
    visible.value && !paused.value && (!data.value || (options.follows?.(data.value) ?? true));

  function wait() {
    clearTimeout(timer);
    if (error.value && error.value.status >= 400 && error.value.status < 500) return;
    if (failures > 0) {
      const ms = BACKOFF[Math.min(failures, BACKOFF.length) - 1]!;
      timer = setTimeout(loadAgain, ms * (0.8 + 0.4 * Math.random()));
    } else if (follows()) {
      timer = setTimeout(loadAgain, connection.value === 'live' ? SAFETY_MS : clamp(boot.poll_interval_ms));
    }
  }

  /* Hidden or paused since: what wakes the page asks anew. */
  function loadAgain() {
    if (follows()) load();
  }

  async function load() {
    clearTimeout(timer);
    if (!current) return;
    if (abort) {
      again = true;
      return;
    }
    const asked = current;
    const mine = (abort = new AbortController());
    loading.value = true;
    try {
      const answer = await ask<T>('GET', asked, { etag, signal: mine.signal });
      if (mine.signal.aborted) return;
      failures = 0;
      if (connection.value === 'failed') connection.value = source ? 'live' : 'polling';
      failure.value = '';
      error.value = null;
      if (answer.data !== null) {
        etag = answer.etag;
        data.value = options.merge ? options.merge(data.value, answer.data) : answer.data;
      }
    } catch (caught) {
      if (mine.signal.aborted) return;
      const problem = caught instanceof ApiError ? caught : new ApiError(0, String(caught));
      error.value = problem;
      if (problem.status === 0 || problem.status >= 500) {
        failures++;
        connection.value = 'failed';
        failure.value = problem.message;
      }
    }
    if (abort === mine) abort = null;
    loading.value = false;
    if (again) {
      again = false;
      load();
    } else {
      wait();
    }
  }

  const follower: Follower = {
    kinds: options.kinds,
    changed(change) {
      if (!current || (data.value && !follows())) return;
      if (change && !change.truncated && options.concerns && !options.concerns(change, data.value))
        return;
      load();
    },
  };
  followers.add(follower);

  const end = effect(() => {
    const next = url();
    untracked(() => {
      if (next === current) return;
      abort?.abort();
      abort = null;
      again = false;
      current = next;
      etag = null;
      failures = 0;
      error.value = null;
      if (next) load();
    });
  });

  return {
    data,
    error,
    loading,
    refresh: load,
    reload: load,
    stop() {
      end();
      followers.delete(follower);
      clearTimeout(timer);
      abort?.abort();
    },
  };
}

/* Calls of the API. What goes wrong is an ApiError that says what the server said. */
import { signal } from '@preact/signals';

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly position?: number) {
    super(message);
  }
}

/** Server time minus browser time, in milliseconds. */
export const clockOffset = signal(0);
export const serverNow = () => Date.now() + clockOffset.value;

type Issue = { loc: (string | number)[]; msg: string };

function textOf(detail: unknown, status: number): string {
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail))
    return (detail as Issue[]).map((i) => `${i.loc[i.loc.length - 1]}: ${i.msg}`).join('; ');
  return `The server answered ${status}.`;
}

function noteClock(response: Response) {
  const date = response.headers.get('date');
  if (!date) return;
  const offset = Date.parse(date) + 500 - Date.now();
  /* The field has whole seconds; small differences are none. */
  clockOffset.value = Math.abs(offset) < 2000 ? 0 : offset;
}

export interface Answer<T> {
  data: T | null; /* null: not changed */
  etag: string | null;
}

export async function ask<T>(
  method: string,
  url: string,
  options: { body?: unknown; etag?: string | null; signal?: AbortSignal } = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = {};
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.etag) headers['If-None-Match'] = options.etag;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      cache: 'no-store',
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(0, 'The server cannot be reached.');
  }
  noteClock(response);
  const etag = response.headers.get('etag');
  if (response.status === 304) return { data: null, etag };
  const text = await response.text();
  let data: unknown = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new ApiError(response.status, 'The answer is not JSON.');
  }
  if (response.ok) return { data: data as T, etag };
  const detail = data as { detail?: unknown; position?: number } | null;
  throw new ApiError(response.status, textOf(detail?.detail, response.status), detail?.position);
}

export const get = async <T>(url: string, signal?: AbortSignal) =>
  (await ask<T>('GET', url, signal ? { signal } : {})).data as T;
export const send = async <T>(method: string, url: string, body?: unknown) =>
  (await ask<T>(method, url, { body })).data as T;

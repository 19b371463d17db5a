/* What a view needs beside the record, loaded when the view asks for it. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../../api';
import type { RequestRow } from '../../api-types';
import type { DetailRow } from './types';

/** Bodies above it are loaded only when somebody says so. */
export const LARGE_BYTES = 1024 * 1024;

const EVENT_SHARE = 20;

/** What is drawn of a conversation: the events of a stream are far longer than what they say. */
export const drawnBytes = (r: RequestRow) =>
  (r.request_bytes ?? 0) + (r.response_bytes ?? 0) / (r.signals.stream ? EVENT_SHARE : 1);

export interface Loaded<T> {
  data: T | null;
  error: string;
  retry(): void;
}

/** What load() gives, again when key changes; null: nothing is wanted yet. */
export function useLoaded<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const state = useSignal<{ key: string | null; data: T | null; error: string }>({ key: null, data: null, error: '' });
  const again = useSignal(0);
  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    load(abort.signal).then(
      (data) => { if (!abort.signal.aborted) state.value = { key, data, error: '' }; },
      (error) => {
        if (!abort.signal.aborted) state.value = { key, data: null, error: error instanceof Error ? error.message : String(error) };
      },
    );
    return () => abort.abort();
  }, [key, again.value]);
  const current = state.value.key === key;
  return {
    data: current ? state.value.data : null,
    error: current ? state.value.error : '',
    retry() {
      state.value = { key: null, data: null, error: '' };
      again.value++;
    },
  };
}

export type Side = 'request' | 'response' | 'upstream';

export interface Body {
  bytes: Uint8Array;
  text: string;
  isUtf8: boolean;
}

function decode(bytes: Uint8Array): Body {
  try {
    return { bytes, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true };
  } catch {
    return { bytes, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), isUtf8: false };
  }
}

const kept = new Map<string, Promise<Body | null>>();
const KEPT = 4;

export const bodyUrl = (id: number, side: Side) => `/admin/api/requests/${id}/body?side=${side}`;

async function fetchBody(id: number, side: Side): Promise<Body | null> {
  const response = await fetch(bodyUrl(id, side), { cache: 'no-store' });
  if (response.status === 404) return null;
  if (!response.ok) throw new ApiError(response.status, `The body could not be loaded (${response.status}).`);
  return decode(new Uint8Array(await response.arrayBuffer()));
}

/** The stored bytes of one side, null when they were not kept. Those of finished requests stay in
 *  memory for a while. */
export function loadBody(r: DetailRow, side: Side): Promise<Body | null> {
  if (!r.completed_at) return fetchBody(r.id, side);
  const key = `${r.id} ${side} ${r.completed_at}`;
  const known = kept.get(key);
  if (known) return known;
  const loading = fetchBody(r.id, side);
  kept.set(key, loading);
  loading.catch(() => kept.delete(key));
  while (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return loading;
}

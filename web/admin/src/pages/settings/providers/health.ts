/* What a check of a provider found, in words, and checks of many at a time. */
import { signal } from '@preact/signals';
import { get, send } from '../../../api';
import type { Health } from './types';

export type HealthState = [text: string, tone: 'ok' | 'warn' | 'bad' | '', message: string];

/** What was found: "Not checked" says nothing good or bad. */
export function stateOf(h: Health): HealthState {
  const message = h.message ?? '';
  const http = Number(/^HTTP (\d+)/.exec(message)?.[1]);
  if (!h.checked_at) return ['Not checked', '', ''];
  if (h.auth_state === 'missing_key') return ['Missing key', 'warn', message];
  if (http === 401 || http === 403) return ['Auth rejected', 'warn', message];
  if (http >= 500) return ['Error', 'bad', message];
  if (h.status === 'healthy') return ['Healthy', 'ok', message];
  if (h.latency_ms === null) return ['No base URL', '', message];
  return ['Unreachable', 'bad', message];
}

const AUTH = { not_configured: 'No key needed', valid: 'Key sent', missing_key: 'Variable not set' };
export const authOf = (h: Health) => (h.checked_at && h.auth_state ? AUTH[h.auth_state] : '-');

const AT_ONCE = 4;

export const results = signal<Health[] | null>(null);
export const checking = signal<ReadonlySet<string>>(new Set());
export const healthError = signal('');

const failed = (error: unknown) => (healthError.value = (error as Error).message);

export async function loadHealth() {
  try {
    results.value = await get<Health[]>('/admin/api/providers/health');
    healthError.value = '';
  } catch (error) {
    failed(error);
  }
}

function mark(slug: string, on: boolean) {
  const next = new Set(checking.value);
  if (on) next.add(slug);
  else next.delete(slug);
  checking.value = next;
}

/** Ask one provider; its row, if there is one, shows what came back. */
export async function check(slug: string): Promise<Health> {
  mark(slug, true);
  try {
    const found = await send<Health>('POST', `/admin/api/providers/${encodeURIComponent(slug)}/test`);
    results.value = results.value?.map((h) => (h.provider_slug === slug ? { ...h, ...found } : h)) ?? null;
    return found;
  } finally {
    mark(slug, false);
  }
}

/** Ask all active providers, some at a time. */
export async function checkAll() {
  const waiting = (results.value ?? []).filter((h) => h.active).map((h) => h.provider_slug);
  healthError.value = '';
  for (const slug of waiting) mark(slug, true);
  const work = async () => {
    for (let slug = waiting.shift(); slug; slug = waiting.shift()) await check(slug).catch(failed);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

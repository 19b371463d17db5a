/* The last tests of this browser session, newest first. The answers themselves stay in the memory of
 * the page: what a model said is not kept in the browser's storage. */
import { effect, signal } from '@preact/signals';
import type { UpstreamTest } from '../types';

export interface TestRun {
  id: number;
  at: string;
  model: string;
  result: UpstreamTest;
}

const KEPT = 20;
const KEY = 'lop.tests';

function stored(): TestRun[] {
  try {
    const list = JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as unknown;
    return Array.isArray(list) ? (list as TestRun[]).slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export const tests = signal<TestRun[]>(stored());

effect(() => {
  const slim = tests.value.map((run) => ({ ...run, result: { ...run.result, body: undefined } }));
  try {
    sessionStorage.setItem(KEY, JSON.stringify(slim));
  } catch {
    /* storage is switched off: the list lasts as long as the page */
  }
});

export function remember(result: UpstreamTest, model: string) {
  const id = Math.max(0, ...tests.value.map((run) => run.id)) + 1;
  const run = { id, at: new Date().toISOString(), model, result };
  tests.value = [run, ...tests.value].slice(0, KEPT);
}

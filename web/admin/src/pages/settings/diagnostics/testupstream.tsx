/* A small real request through the routing, to see whether an upstream answers. */
import { signal, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { ask } from '../../../api';
import { remember, type TestRun } from './history';
import { TestResult } from './testresult';
import { KINDS, type TestKind, type UpstreamTest } from './types';

/* Kept while the person looks at another section. */
const model = signal('');
const prompt = signal('');

const DEFAULT_MODEL = 'gpt-test';

export function TestUpstream() {
  const busy = useSignal<TestKind | null>(null);
  const error = useSignal('');
  const last = useSignal<TestRun | null>(null);
  const abort = useRef<AbortController | null>(null);

  const run = async (kind: TestKind) => {
    const asked = model.value.trim() || DEFAULT_MODEL;
    const mine = (abort.current = new AbortController());
    busy.value = kind;
    error.value = '';
    try {
      const body = { kind, model: asked, prompt: prompt.value };
      const answer = await ask<UpstreamTest>('POST', '/admin/api/diagnostics/test-upstream', { body, signal: mine.signal });
      last.value = remember(asked, answer.data!);
    } catch (caught) {
      error.value = mine.signal.aborted ? 'The test was stopped; the upstream may still answer it.' : (caught as Error).message;
    }
    busy.value = null;
  };

  return (
    <section class="card" aria-label="Test upstream" aria-busy={busy.value !== null}>
      <header><h2>Test upstream</h2><span class="muted">sends a small real request; it is not captured</span></header>
      <form class="fields" onSubmit={(e) => { e.preventDefault(); if (!busy.value) run('simple'); }}>
        <label class="field"><span>Model</span>
          <input value={model.value} placeholder={DEFAULT_MODEL} autocomplete="off" spellcheck={false}
            onInput={(e) => (model.value = e.currentTarget.value)} />
        </label>
        <label class="field wide"><span>Prompt</span>
          <input value={prompt.value} placeholder="Answer with one short sentence." autocomplete="off"
            onInput={(e) => (prompt.value = e.currentTarget.value)} />
        </label>
        <div class="bar">
          {KINDS.map(([kind, text]) => (
            <button key={kind} type={kind === 'simple' ? 'submit' : 'button'} class={kind === 'simple' ? 'primary' : ''}
              disabled={busy.value !== null} onClick={kind === 'simple' ? undefined : () => run(kind)}>
              {busy.value === kind ? 'Waiting…' : text}
            </button>
          ))}
          {busy.value && <button type="button" onClick={() => abort.current?.abort()}>Stop</button>}
        </div>
      </form>
      {error.value && <p role="alert" class="alert">{error.value}</p>}
      <div role="status">{last.value && !busy.value && <TestResult run={last.value} />}</div>
    </section>
  );
}

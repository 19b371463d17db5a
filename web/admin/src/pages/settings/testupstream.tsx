/* A real request to an upstream, by a model's name. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, ask } from '../../api';
import * as format from '../../format';
import { Code } from '../../ui/code';
import { Facts } from '../../ui/facts';
import type { UpstreamTest } from './types';

export const TEST_KINDS: [string, string][] = [
  ['simple', 'Run test'], ['image', 'Image message'], ['tools', 'Function call'],
];

export function TestResult({ test }: { test: UpstreamTest }) {
  return (
    <div class="result" role="status">
      <p>
        <span class={`pill ${test.ok ? 'ok' : 'bad'}`}>{test.ok ? 'OK' : 'Failed'} {test.status_code ?? ''}</span>
        {test.error && <bdi class="why">{test.error}</bdi>}
      </p>
      <Facts rows={[
        ['Kind', test.kind],
        ['Route', test.model_route ? <bdi>{test.model_route}</bdi> : 'Global fallback'],
        ['Sent as', test.upstream_model && <bdi>{test.upstream_model}</bdi>],
        ['Took', format.duration(test.duration_ms)],
        ['URL', <bdi>{test.url}</bdi>],
      ]} />
      {test.body && <Code label="Answer" text={test.body} />}
    </div>
  );
}

/** Runs one test at a time; done gets what came of it. */
export function useTest(done: (test: UpstreamTest, model: string) => void) {
  const busy = useSignal('');
  const problem = useSignal('');
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  return {
    busy: busy.value,
    problem: problem.value,
    stop: () => abort.current?.abort(),
    async run(url: string, body: { test_kind: string; model?: string; prompt?: string }) {
      abort.current?.abort();
      const mine = (abort.current = new AbortController());
      busy.value = body.test_kind;
      problem.value = '';
      try {
        const answer = await ask<UpstreamTest>('POST', url, { body, signal: mine.signal });
        if (answer.data) done(answer.data, body.model ?? '');
      } catch (error) {
        problem.value = error instanceof ApiError ? error.message : 'Stopped.';
      }
      if (abort.current === mine) busy.value = '';
    },
  };
}

export function TestCard(props: { title: string; done?(test: UpstreamTest, model: string): void; more?: ComponentChildren }) {
  const model = useSignal('gpt-test');
  const prompt = useSignal('');
  const result = useSignal<UpstreamTest | null>(null);
  const test = useTest((found, asked) => {
    result.value = found;
    props.done?.(found, asked);
  });
  const run = (kind: string) =>
    test.run('/admin/api/diagnostics/test-upstream', { test_kind: kind, model: model.value, prompt: prompt.value });
  return (
    <section class="card">
      <header><h2>{props.title}</h2></header>
      <form class="form" aria-label={props.title} onSubmit={(e) => { e.preventDefault(); run('simple'); }}>
        <div class="pair">
          <label class="field"><span>Model</span>
            <input value={model.value} spellcheck={false} onInput={(e) => (model.value = e.currentTarget.value)} />
          </label>
          <label class="field"><span>Message</span>
            <input value={prompt.value} placeholder="A short greeting" onInput={(e) => (prompt.value = e.currentTarget.value)} />
          </label>
        </div>
        <div class="formend">
          {TEST_KINDS.map(([kind, text], i) => (
            <button key={kind} type={i ? 'button' : 'submit'} class={i ? '' : 'primary'} disabled={test.busy !== ''}
              onClick={i ? () => run(kind) : undefined}>{test.busy === kind ? 'Waiting…' : text}</button>
          ))}
          {test.busy && <button type="button" onClick={test.stop}>Stop</button>}
          {props.more}
        </div>
        <small>This sends a real request, and it may cost money. It is not captured.</small>
      </form>
      {test.problem && <p role="alert" class="alert">{test.problem}</p>}
      {result.value && <TestResult test={result.value} />}
    </section>
  );
}

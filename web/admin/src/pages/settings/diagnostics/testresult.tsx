/* What came back from a test of an upstream. */
import * as format from '../../../format';
import { Copy } from '../../../ui/copy';
import { Time } from '../../../ui/time';
import { tests, type TestRun } from './history';
import { kindName, type UpstreamTest } from './types';

export const routeOf = (r: UpstreamTest) => r.model_route ?? 'global fallback';

export function TestPill({ r }: { r: UpstreamTest }) {
  return <span class={`pill ${r.ok ? 'ok' : 'bad'}`}>{r.error ? 'No answer' : r.status_code}{r.ok ? ' OK' : ''}</span>;
}

export function TestResult({ run }: { run: TestRun }) {
  const { result: r } = run;
  return (
    <div class="testresult">
      <dl class="facts">
        <div><dt>Result</dt><dd><TestPill r={r} /> {kindName(r.kind)}, {format.duration(r.duration_ms)}</dd></div>
        <div><dt>Model</dt><dd><bdi>{run.model}</bdi>{r.upstream_model && r.upstream_model !== run.model && <> → <bdi>{r.upstream_model}</bdi></>}</dd></div>
        <div><dt>Route</dt><dd><bdi>{routeOf(r)}</bdi></dd></div>
        <div><dt>URL</dt><dd><code>{r.url}</code></dd></div>
      </dl>
      {r.error && <p role="alert" class="alert" dir="auto">{r.error}</p>}
      {r.body && (
        <>
          <div class="bar"><h3>Answer</h3><span class="right"><Copy label="Copy" text={r.body} /></span></div>
          <pre class="body" dir="auto" tabIndex={0} aria-label="Answer">{r.body}</pre>
        </>
      )}
      {!r.error && r.body === undefined && <p class="muted">The answer itself is shown until the page is loaded again.</p>}
    </div>
  );
}

export function RecentTests() {
  const list = tests.value;
  return (
    <section class="card" aria-label="Recent test results">
      <header>
        <h2>Recent test results</h2>
        <span class="muted">the last 20 of this browser session</span>
        {list.length > 0 && <span class="right"><button onClick={() => (tests.value = [])}>Clear</button></span>}
      </header>
      {list.length === 0 && <p class="muted">No test has been run yet.</p>}
      <ul class="tests">
        {list.map((run) => (
          <li key={run.id}>
            <details>
              <summary>
                <Time iso={run.at} table /> <span>{kindName(run.result.kind)}</span> <bdi>{run.model}</bdi>{' '}
                <bdi class="muted">{routeOf(run.result)}</bdi> <TestPill r={run.result} />{' '}
                <span class="num">{format.duration(run.result.duration_ms)}</span>
              </summary>
              <TestResult run={run} />
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

/* The charts that the numbers of requests over time make. */
import * as format from '../format';
import { Chart, type Line, type Tone } from './chart';
import { cumulative, percentile, SAMPLES_MIN, starts, values, type Sums, type Timeseries } from './series';

interface Props {
  t: Timeseries;
  zoom?: (from: number, to: number) => void;
}
const base = ({ t, zoom }: Props) => ({ x: starts(t), zoom, sync: 'requests' });
const each = (t: Timeseries) => `in each ${format.duration(t.bucket_ms)}`;
const many = (n: number, what: string) => `${format.count(n)} ${what}${n === 1 ? '' : 's'}`;
const number = (n: number | null) => format.count(n);

export function Requests(props: Props) {
  const { t } = props;
  const counts = values(t, (b) => b.request_count, 0);
  const { request_count: all, error_count: bad } = t.total;
  return (
    <Chart {...base(props)} title="Requests" show={number}
      summary={`${many(all, 'request')}, ${many(bad, 'error')} (${format.percent(all ? bad / all : null)}); at most ${format.count(Math.max(...(counts as number[])))} ${each(t)}.`}
      lines={[
        { label: 'Requests', values: counts, tone: 'info', bars: true },
        { label: 'of them errors', values: values(t, (b) => b.error_count, 0), tone: 'bad', bars: true },
      ]} />
  );
}

export function Tokens(props: Props) {
  const { t } = props;
  const line = (label: string, of: (s: Sums) => number, tone: Tone): Line => ({ label, values: values(t, of, 0), tone });
  return (
    <Chart {...base(props)} title="Tokens" show={number}
      summary={`${format.count(t.total.input_tokens)} in, ${format.count(t.total.cached_input_tokens)} of them cached, ${format.count(t.total.output_tokens)} out.`}
      lines={[
        line('Input', (b) => b.input_tokens, 'info'), line('of it cached', (b) => b.cached_input_tokens, 'ok'),
        line('Output', (b) => b.output_tokens, 'tool'),
      ]} />
  );
}

export function Speed(props: Props) {
  const { t } = props;
  const list = values(t, (b) => b.output_tokens / (t.bucket_ms / 1000), 0);
  return (
    <Chart {...base(props)} title="Output tok/s" show={(n) => format.rate(n)}
      summary={`Of all requests together, by the clock; at most ${format.rate(Math.max(...(list as number[])))} ${each(t)}.`}
      lines={[{ label: 'Tokens a second', values: list, tone: 'tool' }]} />
  );
}

export function Cost(props: Props) {
  const { t } = props;
  const list = values(t, (b) => b.cost_usd ?? 0, 0);
  return (
    <Chart {...base(props)} title="Cost" show={(n) => format.usd(n)}
      summary={`${format.usd(t.total.cost_usd)} in all; at most ${format.usd(Math.max(...(list as number[])))} ${each(t)}.`}
      lines={[
        { label: 'Altogether', values: cumulative(list), tone: 'ok' },
        { label: 'Cost', values: list, tone: 'info', bars: true },
      ]} />
  );
}

export function Spread(props: Props & { of: 'ttft_ms' | 'request_duration_ms'; title: string }) {
  const { t, of } = props;
  const p = t.total[of];
  const few = p.count < SAMPLES_MIN;
  const said = few ? `Only ${p.count} requests have it: too few for percentiles.`
    : `Half of ${format.count(p.count)} requests within ${format.duration(p.p50)}, 95 of 100 within ${format.duration(p.p95)}, 99 within ${format.duration(p.p99)}, the longest ${format.duration(p.max)}.`;
  return (
    <Chart {...base(props)} title={props.title} show={(n) => format.duration(n)}
      summary={`${said} Points stand for at least ${SAMPLES_MIN} requests.`}
      lines={[
        { label: 'p50', values: values(t, percentile(of, 'p50'), null), tone: 'info' },
        { label: 'p95', values: values(t, percentile(of, 'p95'), null), tone: 'warn' },
        { label: 'p99', values: values(t, percentile(of, 'p99'), null), tone: 'bad' },
      ]} />
  );
}

/** What requests come to by one of their names. */
export function Breakdown(props: { title: string; rows: (Sums & { label: string | null })[]; link?: (label: string) => string }) {
  return (
    <section class="card">
      <header><h2>{props.title}</h2></header>
      <div class="box" tabIndex={0} role="group" aria-label={props.title}>
        <table class="breakdown">
          <thead>
            <tr>
              <th scope="col">Name</th><th scope="col" class="num">Requests</th><th scope="col" class="num">Errors</th>
              <th scope="col" class="num">Tokens</th><th scope="col" class="num">Cost</th>
            </tr>
          </thead>
          <tbody>
            {props.rows.map((r) => (
              <tr key={r.label}>
                <th scope="row" dir="auto" title={r.label ?? ''}>
                  {r.label === null ? <span class="muted">not known</span> : props.link ? <a href={props.link(r.label)}>{r.label}</a> : r.label}
                </th>
                <td class="num" title={String(r.request_count)}>{format.count(r.request_count)}</td>
                <td class={`num ${r.error_count ? 'bad' : ''}`} title={String(r.error_count)}>{format.count(r.error_count)}</td>
                <td class="num" title={`input ${r.input_tokens}, cached ${r.cached_input_tokens}, output ${r.output_tokens}`}>
                  {format.count(r.input_tokens)} → {format.count(r.output_tokens)}
                </td>
                <td class="num" title={String(r.cost_usd ?? 'not known')}>{format.usd(r.cost_usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

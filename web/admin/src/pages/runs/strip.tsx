/* The figures of a run in one line. What could be misread says what it is. */
import type { ComponentChildren } from 'preact';
import * as format from '../../format';
import { Count, Exact, OpenFor, Usd } from './parts';
import type { RunDetail } from './types';

function Stat(props: { name: string; is?: string; tone?: string; more?: ComponentChildren; children: ComponentChildren }) {
  const id = `is-${props.name.replace(/\W+/g, '-').toLowerCase()}`;
  return (
    <li class={props.tone} title={props.is} aria-describedby={props.is ? id : undefined}>
      <span class="label">{props.name}</span> <b>{props.children}</b>
      {props.more && <>{' '}<small>{props.more}</small></>}
      {props.is && <span hidden id={id}>{props.is}</span>}
    </li>
  );
}

const Ms = ({ n }: { n: number | null }) => <span title={n === null ? 'not known' : `${n} ms`}>{format.duration(n)}</span>;

export function StatStrip({ d }: { d: RunDetail }) {
  const s = d.stats;
  const cached = s.tokens.input.value && s.cached_input_tokens !== null ? s.cached_input_tokens / s.tokens.input.value : null;
  const tps = s.throughput.output_observed.value;
  const latency = s.request_duration_ms;
  return (
    <ul class="stats" aria-label="Figures">
      <Stat name="Requests"><Count n={s.request_count} /></Stat>
      <Stat name="Success" is="Answered with a status from 200 to 399" more={format.percent(s.success_rate)}><Count n={s.success_count} /></Stat>
      <Stat name="Errors" is="Failed, refused, or an error inside the answer" tone={s.error_count ? 'bad' : undefined}
        more={format.percent(s.error_rate)}><Count n={s.error_count} /></Stat>
      <Stat name="Run open" is="Clock time since the start of the run, up to its end; pauses count"><OpenFor run={d.run} /></Stat>
      <Stat name="LLM wall time" is="From the start of the first request to the end of the last answer"><Ms n={s.llm_wall_time_ms} /></Stat>
      <Stat name="Latency p50" is={`Half of ${latency.count} requests took no longer, from start to end`}><Ms n={latency.p50} /></Stat>
      <Stat name="Latency p95" is={`95 of 100 of ${latency.count} requests took no longer`}><Ms n={latency.p95} /></Stat>
      <Stat name="TTFT p50" is={`Time to the first token: half of ${s.ttft_ms.count} streams took no longer`}><Ms n={s.ttft_ms.p50} /></Stat>
      <Stat name="Input tokens"><Count n={s.tokens.input.value} /></Stat>
      <Stat name="Cached share" is="Share of the input tokens that the provider had cached"><Exact n={s.cached_input_tokens} as={format.percent(cached)} /></Stat>
      <Stat name="Output tokens"><Count n={s.tokens.output.value} /></Stat>
      <Stat name="Total tokens"><Count n={s.tokens.total.value} /></Stat>
      <Stat name="Estimated cost" is="US dollars, by the prices in force when each request was made"
        more={s.unpriced_request_count > 0 && `${format.count(s.unpriced_request_count)} without a price`}><Usd n={s.cost_usd} /></Stat>
      <Stat name="Output tok/s" is="Average: output tokens divided by the sum of request durations"><Exact n={tps} as={format.rate(tps)} /></Stat>
    </ul>
  );
}

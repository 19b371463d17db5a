/* Small things of the pages of runs. */
import type { ComponentChildren } from 'preact';
import type { RunSummary } from '../../api-types';
import * as format from '../../format';
import { now } from '../../hooks';
import type { Group } from './types';

const TONES: Record<string, string> = { active: 'ok', paused: 'warn' };

export function RunStatus({ status }: { status: string }) {
  return (
    <span class={`pill ${TONES[status] ?? ''}`}>
      {status === 'active' && <span class="dot live" aria-hidden="true" />}{status}
    </span>
  );
}

/** How long a run has been open: still growing while it is. */
export function OpenFor({ run }: { run: RunSummary }) {
  const ms = run.ended_at ? run.open_duration_ms : Math.max(0, now.value - Date.parse(run.started_at));
  return <span title={`${ms} ms`}>{format.duration(run.ended_at ? ms : Math.floor(ms / 1000) * 1000)}</span>;
}

/** A number as people read it; exact in its title. */
export function Exact({ n, as }: { n: number | string | null; as: string }) {
  return <span title={n === null ? 'not known' : Number(n).toLocaleString('en', { maximumFractionDigits: 12 })}>{as}</span>;
}
export const Count = ({ n }: { n: number | null }) => <Exact n={n} as={format.count(n)} />;
export const Usd = ({ n }: { n: number | null }) => <Exact n={n} as={format.usd(n)} />;

/** Figures that are read only. */
export function Chips({ rows, label }: { rows: [string, ComponentChildren, string?][]; label: string }) {
  return (
    <ul class="chips counts" aria-label={label}>
      {rows.map(([name, value, tone]) => (
        <li key={name} class={tone}><b>{value}</b> {name}</li>
      ))}
    </ul>
  );
}

/** Labels with their shares as bars; the rest of them in one line. */
export function Groups(props: { groups: Group[]; of: number; most?: number; link?: (label: string) => string }) {
  const shown = props.groups.slice(0, props.most ?? props.groups.length);
  const rest = props.groups.slice(shown.length);
  if (!shown.length) return <p class="muted">None yet.</p>;
  return (
    <table class="groups">
      <tbody>
        {shown.map((g) => (
          <tr key={g.label}>
            <th scope="row" dir="auto" title={g.label}>{props.link ? <a href={props.link(g.label)}>{g.label}</a> : g.label}</th>
            <td><meter min={0} max={props.of || 1} value={g.count} aria-hidden="true" /></td>
            <td class="num"><Count n={g.count} /></td>
            <td class="num muted">{format.percent(props.of ? g.count / props.of : null)}</td>
          </tr>
        ))}
        {rest.length > 0 && (
          <tr>
            <th scope="row" class="muted">{rest.length} more</th><td />
            <td class="num"><Count n={rest.reduce((sum, g) => sum + g.count, 0)} /></td><td />
          </tr>
        )}
      </tbody>
    </table>
  );
}

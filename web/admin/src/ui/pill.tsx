/* Small words with a colour that means nothing more than they do. */
import type { RequestRow, Signals, SignalName } from '../api-types';

export const SIGNALS: [SignalName, string][] = [
  ['stream', 'Stream'], ['tool', 'Tool'], ['image', 'Image'], ['error', 'Error'], ['slow', 'Slow >10s'],
  ['large', 'Large >10k tok'],
];

export function statusTone(row: Pick<RequestRow, 'status' | 'signals' | 'outcome'>): string {
  if (row.status === null) return 'pending';
  return row.signals.error ? 'bad' : row.outcome === 'rewritten' ? 'warn' : 'ok';
}

/** The status, and in words what is not told by it: an error inside a 200, a stream that was cut. */
export function StatusPill({ row }: { row: RequestRow }) {
  const odd = row.status !== null && row.status < 400 && row.outcome && row.outcome !== 'ok';
  return (
    <span class={`pill ${statusTone(row)}`}>
      {row.status === null && <span class="dot live" aria-hidden="true" />}
      {row.status_label}{odd ? ` ${row.outcome!.replace('_', ' ')}` : ''}
    </span>
  );
}

export function SignalPills({ signals, except }: { signals: Signals; except?: SignalName[] }) {
  const shown = SIGNALS.filter(([name]) => signals[name] && !except?.includes(name));
  if (!shown.length) return <span class="muted" aria-label="no signals">–</span>;
  return <>{shown.map(([name, text]) => <span key={name} class={`pill ${name}`}>{text}</span>)}</>;
}

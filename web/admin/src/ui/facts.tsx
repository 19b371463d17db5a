/* Names and values. */
import type { ComponentChildren } from 'preact';

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value ?? '-'}</dd></div>)}
    </dl>
  );
}

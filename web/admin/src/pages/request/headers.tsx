/* Headers as they are kept: one a line, secrets masked before they are stored. */
import { Copy } from '../../ui/copy';
import type { DetailRow } from './types';

/** Name and value of each; [] when none were kept. */
export function headersOf(json: string | null): [string, string][] {
  if (!json) return [];
  try {
    const all = JSON.parse(json) as Record<string, string | string[]>;
    return Object.entries(all).flatMap(([name, values]) => [values].flat().map((value): [string, string] => [name, String(value)]));
  } catch {
    return [];
  }
}

export const isMasked = (value: string) => value.includes('***');

export function Headers({ title, json }: { title: string; json: string | null }) {
  const rows = headersOf(json);
  const text = () => rows.map(([name, value]) => `${name}: ${value}`).join('\n');
  return (
    <section class="card" aria-label={title}>
      <header><h2>{title}</h2>{rows.length > 0 && <span class="right"><Copy label="Copy all" text={text} /></span>}</header>
      {rows.length === 0 ? <p class="muted">None were kept.</p> : (
        <table class="headers">
          <tbody>
            {rows.map(([name, value], i) => (
              <tr key={i}>
                <th scope="row"><bdi>{name}</bdi></th>
                <td dir="auto">{value} {isMasked(value) && <span class="pill" title="It was masked before it was stored, so there is nothing to reveal.">masked</span>}</td>
                <td class="num"><Copy label={`Copy ${name}`} text={`${name}: ${value}`} icon /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Upstream({ r }: { r: DetailRow }) {
  const rows: [string, string | null][] = [
    ['Sent to', r.upstream_url], ['Route', r.route_name], ['Provider', r.provider_name ?? r.provider_slug],
    ['Model', r.upstream_model ?? r.model], ['Answered by', r.response_model], ['Request id', r.upstream_request_id],
    ['Response id', r.response_id], ['Service tier', r.service_tier],
  ];
  return (
    <section class="card" aria-label="Upstream">
      <header><h2>Upstream</h2></header>
      <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="auto">{value}</dd></div>)}</dl>
    </section>
  );
}

export function HeadersView({ r }: { r: DetailRow }) {
  return (
    <div class="sides">
      <Upstream r={r} />
      <Headers title="Request headers" json={r.request_headers_json} />
      <Headers title="Response headers" json={r.response_headers_json} />
    </div>
  );
}

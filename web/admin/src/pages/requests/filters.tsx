/* What is listed: counters that are filters, and the fields. All of it is in the address. */
import { useSignal } from '@preact/signals';
import type { ApiError } from '../../api';
import type { RequestList } from '../../api-types';
import * as format from '../../format';
import { go, place, query, withQuery } from '../../router';
import { Chip, SelectFilter, TextFilter } from '../../ui/controls';
import { Icon } from '../../ui/icons';

const set = (key: string, value: string) => go(withQuery({ [key]: value || null, page: null }));
const value = (key: string) => query.value.get(key) ?? '';

const CHIPS = [
  ['streams', 'stream', 'Streams', 'stream'],
  ['tools', 'tool', 'Tools', 'tool'],
  ['images', 'image', 'Images', ''],
  ['errors', 'error', 'Errors', 'bad'],
  ['slow', 'slow', 'Slow >10s', 'warn'],
  ['large', 'large', 'Large >10k tok', ''],
] as const;

function Counters({ list }: { list: RequestList | null }) {
  const off = Object.fromEntries(CHIPS.map(([, key]) => [key, null]));
  const none = CHIPS.every(([, key]) => !value(key));
  return (
    <div class="chips" role="group" aria-label="Counters">
      <Chip label="Total" value={format.count(list?.stats.total.value)} on={none}
        toggle={() => go(withQuery({ ...off, page: null }))} />
      {CHIPS.map(([stat, key, label, tone]) => {
        const n = list?.stats[stat].value;
        return (
          <Chip key={key} label={label} value={format.count(n)} on={value(key) === '1'}
            tone={tone === 'bad' && !n ? '' : tone} title={n == null ? undefined : String(n)}
            toggle={() => set(key, value(key) === '1' ? '' : '1')} />
        );
      })}
    </div>
  );
}

export function Filters({ list, error }: { list: RequestList | null; error: ApiError | null }) {
  const open = useSignal(false);
  const problem = (key: string) =>
    error?.status === 422 && error.message.startsWith(`${key}: `) ? error.message : undefined;
  const plain = (values: string[] | undefined): [string, string][] => (values ?? []).map((v) => [v, v]);
  const active = ['endpoint', 'model', 'provider', 'route', 'run', 'status'].filter(value).length;
  return (
    <div class={open.value ? 'filters open' : 'filters'}>
      <Counters list={list} />
      <div class="search">
        <TextFilter label="Search" value={value('q')} change={(v) => set('q', v)} search wide
          placeholder="Words in prompts and answers, or a request id" problem={problem('q')} />
        <button class="unfold" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          <Icon name="filter" /> Filters{active ? ` (${active})` : ''}
        </button>
      </div>
      <div class="fields">
        <TextFilter label="Endpoint" value={value('endpoint')} change={(v) => set('endpoint', v)}
          suggestions={list?.endpoints ?? []} />
        <SelectFilter label="Model" any="Any model" value={value('model')} change={(v) => set('model', v)}
          options={plain(list?.models)} />
        <SelectFilter label="Provider" any="Any provider" value={value('provider')}
          change={(v) => set('provider', v)}
          options={(list?.provider_options ?? []).map((o) => [o.value, o.label])} />
        <SelectFilter label="Route" any="Any route" value={value('route')} change={(v) => set('route', v)}
          options={plain(list?.route_options)} />
        <SelectFilter label="Run" any="Any run" value={value('run')} change={(v) => set('run', v)}
          options={(list?.run_options ?? []).map((r) => [String(r.id), r.name])} />
        <TextFilter label="Status" value={value('status')} numeric change={(v) => set('status', v)}
          problem={problem('status')} />
        <TextFilter label="Where" value={value('where')} wide change={(v) => set('where', v)}
          placeholder="ttft>2s provider=openai -is:error" problem={error?.position !== undefined ? error.message : undefined} />
        <button onClick={() => go(place.value.pathname)}>Reset</button>
      </div>
    </div>
  );
}

const NAMES: Record<string, string> = {
  q: 'text', endpoint: 'endpoint', model: 'model', provider: 'provider', route: 'route', run: 'run',
  status: 'status', where: 'where', stream: 'streams', tool: 'tools', image: 'images', error: 'errors',
  slow: 'slow', large: 'large',
};

export function FilterPills({ list }: { list: RequestList | null }) {
  const on = [...query.value].filter(([key, text]) => NAMES[key] && text);
  if (!on.length) return null;
  const named = (key: string, text: string) => {
    if (text === '1' && key !== 'run') return NAMES[key];
    const run = key === 'run' && list?.run_options?.find((r) => String(r.id) === text);
    return `${NAMES[key]}: ${run ? run.name : text}`;
  };
  return (
    <ul class="filterpills" aria-label="Filters in force">
      {on.map(([key, text]) => (
        <li key={key}>
          <a href={withQuery({ [key]: null, page: null })} title="Take this filter away">
            <bdi>{named(key, text)}</bdi> <Icon name="close" /><span class="sr-only">, take away</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

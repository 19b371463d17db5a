import * as format from '../format';
import { now } from '../hooks';

/** A moment; both forms of it are in its title. */
export function Time({ iso, table }: { iso: string | null | undefined; table?: boolean }) {
  if (!iso) return <>-</>;
  const [day, clock] = format.dayAndTime(iso);
  const today = day === format.dayAndTime(new Date(now.value).toISOString())[0];
  return (
    <time dateTime={iso} title={format.bothTimes(iso)}>
      {table ? <>{clock}{!today && <small> {day}</small>}</> : format.time(iso)}
    </time>
  );
}

/** How long something takes: since its start as long as it has not ended. */
export function Took({ ms, since }: { ms: number | null; since: string }) {
  if (ms !== null) return <span title={`${ms} ms`}>{format.duration(ms)}</span>;
  const so = Math.max(0, now.value - Date.parse(since));
  return <span class="pending">{format.duration(so < 10000 ? Math.round(so / 100) * 100 : so)} so far</span>;
}

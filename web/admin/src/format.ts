/* Numbers and times as people read them; unknown is "-", never zero. The rules are those of the
 * API's *_display texts. Checked against test/vectors/format.json. */
import { timeForm } from './prefs';

export type Unknown = null | undefined;

const trim = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/* Two decimals under 10, one under 100, none above. */
const short = (n: number) => trim(n.toFixed(n < 9.995 ? 2 : n < 99.95 ? 1 : 0));

const SCALES: [number, string][] = [[1e9, 'B'], [1e6, 'M'], [1e3, 'k']];

export function count(n: number | Unknown): string {
  if (n == null) return '-';
  if (Math.abs(n) < 999.5) return String(Math.round(n));
  for (const [size, unit] of SCALES)
    if (Math.abs(n) >= size * 0.9995) return short(n / size) + unit;
  return String(n);
}

export function rate(n: number | string | Unknown): string {
  if (n == null) return '-';
  const value = Number(n);
  return value < 999.995 ? value.toFixed(2) : count(value);
}

export const percent = (share: number | Unknown) =>
  share == null ? '-' : `${trim((share * 100).toFixed(1))}%`;

export function duration(ms: number | Unknown): string {
  if (ms == null) return '-';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59995) return `${trim((ms / 1000).toFixed(2))} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)}m ${s % 60}s` : `${s / 60}m`;
  const m = Math.floor(s / 60);
  if (m < 1440) return m % 60 ? `${Math.floor(m / 60)}h ${m % 60}m` : `${m / 60}h`;
  const days = Math.floor(m / 1440);
  const hours = Math.floor((m % 1440) / 60);
  return `${days} ${days === 1 ? 'day' : 'days'}${hours ? ` ${hours}h` : ''}`;
}

export function usd(n: number | Unknown): string {
  if (n == null) return '-';
  const size = Math.abs(n);
  const sign = n < 0 ? '-' : '';
  if (size === 0) return '$0.00';
  if (size < 0.0000005) return `<${sign}$0.000001`;
  if (size < 0.01) return `${sign}$${size.toFixed(6)}`;
  if (size < 1) return `${sign}$${size.toFixed(4)}`;
  if (size < 1000) return `${sign}$${size.toFixed(2)}`;
  return `${sign}$${count(size)}`;
}

export function bytes(n: number | Unknown): string {
  if (n == null) return '-';
  if (n < 1024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = n / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

export function delta(from: number, to: number): string {
  const by = to - from;
  const sign = by < 0 ? '-' : '+';
  const share = from ? ` · ${sign}${trim(Math.abs((by / from) * 100).toFixed(1))}%` : '';
  return `${sign}${usd(Math.abs(by))}${share}`;
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export const utc = (iso: string) => `${iso.slice(0, 10)} ${iso.slice(11, 23)} UTC`;

export function time(iso: string | Unknown): string {
  if (!iso) return '-';
  return timeForm.value === 'utc' ? utc(iso) : local.format(new Date(iso));
}

export function dayAndTime(iso: string): [string, string] {
  if (timeForm.value === 'utc') return [iso.slice(0, 10), iso.slice(11, 19)];
  const at = new Date(iso);
  return [day.format(at), clock.format(at)];
}

export const bothTimes = (iso: string) => `${local.format(new Date(iso))}\n${utc(iso)}`;

export function ago(iso: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(iso));
  return ms < 1000 ? 'now' : `${duration(Math.floor(ms / 1000) * 1000)} ago`;
}

/* A chart: its numbers as a picture, in a sentence, and as a table. What draws it comes when the
 * first one is shown. */
import { effect, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import * as format from '../format';
import { theme, timeForm } from '../prefs';

export type Tone = 'info' | 'bad' | 'ok' | 'warn' | 'tool';
export interface Line {
  label: string;
  values: (number | null)[];
  tone: Tone;
  bars?: boolean;
}
export interface ChartProps {
  title: string;
  summary: string;
  x: number[]; /* seconds */
  lines: Line[];
  show(n: number | null): string;
  /** A range was dragged over, in seconds. */
  zoom?: ((from: number, to: number) => void) | undefined;
  sync?: string;
}

const DASHES = [[], [6, 4], [2, 3]];
const HEIGHT = 170;
const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function options(lib: typeof uPlot, props: ChartProps, width: number, at: (index: number | null) => void): uPlot.Options {
  const axis = { stroke: () => colour('muted'), grid: { stroke: () => colour('line'), width: 0.5 }, ticks: { show: false }, font: '11px system-ui' };
  return {
    width,
    height: HEIGHT,
    padding: [10, 10, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: Boolean(props.zoom), y: false, setScale: false },
      points: { size: 6 },
      ...(props.sync && { sync: { key: props.sync } }),
    },
    scales: { y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, space: 70 },
      { ...axis, size: 74, values: (_u, ticks) => ticks.map((n) => props.show(n)) },
    ],
    series: [{}, ...props.lines.map((line, i) => ({
      label: line.label,
      stroke: () => colour(line.tone),
      width: 1.5,
      dash: line.bars ? [] : DASHES[i % DASHES.length]!,
      spanGaps: false,
      points: { show: !line.bars && line.values.filter((n) => n !== null).length < 30, size: 4 },
      ...(line.bars && { fill: () => colour(line.tone), paths: lib.paths.bars!({ size: [0.8, 40] }) }),
    }))],
    hooks: {
      setCursor: [(u) => at(u.cursor.idx ?? null)],
      setSelect: [(u) => {
        if (u.select.width < 4) return;
        const [from, to] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
        u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        props.zoom?.(from, to);
      }],
    },
    ...(timeForm.value === 'utc' && { tzDate: (s: number) => lib.tzDate(new Date(s * 1000), 'UTC') }),
  };
}

const data = (props: ChartProps) => [props.x, ...props.lines.map((line) => line.values)] as uPlot.AlignedData;

function Picture({ props, at }: { props: ChartProps; at(index: number | null): void }) {
  const ref = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const broken = useSignal(false);
  useEffect(() => {
    const box = ref.current!;
    let gone = false;
    let end = () => {};
    import('uplot').then(({ default: lib }) => {
      if (gone) return;
      /* Drawn anew when the colours or the form of times change. */
      const stop = effect(() => {
        void [theme.value, timeForm.value];
        plot.current?.destroy();
        plot.current = new lib(options(lib, latest.current, box.clientWidth, at), data(latest.current), box);
      });
      const sized = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: HEIGHT }));
      const dark = matchMedia('(prefers-color-scheme: dark)');
      const redraw = () => plot.current?.redraw(false);
      sized.observe(box);
      dark.addEventListener('change', redraw);
      end = () => {
        stop();
        sized.disconnect();
        dark.removeEventListener('change', redraw);
        plot.current?.destroy();
      };
    }, () => (broken.value = true));
    return () => {
      gone = true;
      end();
    };
  }, []);
  useEffect(() => plot.current?.setData(data(props)), [props.x, props.lines]);
  return broken.value ? <p role="alert" class="alert">The chart could not be loaded.</p>
    : <div class="plot" ref={ref} aria-hidden="true" />;
}

function Numbers({ props }: { props: ChartProps }) {
  const rows = props.x.map((_, i) => i).filter((i) => props.lines.some((line) => line.values[i]));
  return (
    <div class="numbers" tabIndex={0} role="group" aria-label={`${props.title}, as a table`}>
      <table>
        <thead><tr><th scope="col">From</th>{props.lines.map((line) => <th key={line.label} scope="col" class="num">{line.label}</th>)}</tr></thead>
        <tbody>
          {rows.map((i) => (
            <tr key={i}>
              <th scope="row">{format.time(new Date(props.x[i]! * 1000).toISOString())}</th>
              {props.lines.map((line) => <td key={line.label} class="num" title={String(line.values[i] ?? 'not known')}>{props.show(line.values[i] ?? null)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Chart(props: ChartProps) {
  const table = useSignal(false);
  const at = useSignal<number | null>(null);
  const here = at.value !== null && props.x[at.value] !== undefined ? at.value : null;
  return (
    <figure class="chart card" aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        <span class="right">
          <button class="quiet" aria-pressed={table.value} onClick={() => (table.value = !table.value)}>
            {table.value ? 'Show as chart' : 'Show as table'}
          </button>
        </span>
      </header>
      {table.value ? <Numbers props={props} /> : (
        <>
          <Picture props={props} at={(index) => (at.value = index)} />
          <p class="legend" aria-hidden="true">
            {here !== null && <span>{format.time(new Date(props.x[here]! * 1000).toISOString())}</span>}
            {props.lines.map((line, i) => (
              <span key={line.label}>
                <svg viewBox="0 0 20 8" class={`mark ${line.tone}`}>
                  {line.bars ? <rect x="4" y="0" width="12" height="8" /> : <path d="M0 4h20" stroke-dasharray={DASHES[i % DASHES.length]!.join(' ')} />}
                </svg> {line.label}{here !== null && <b> {props.show(line.values[here] ?? null)}</b>}
              </span>
            ))}
          </p>
        </>
      )}
      <figcaption>{props.summary}</figcaption>
    </figure>
  );
}

/* The keys, as a table. */
import { signal } from '@preact/signals';
import { Dialog } from './dialog';
import { shortcuts } from '../prefs';

export const helpOpen = signal(false);

const KEYS: [string, string][] = [
  ['/', 'Search'],
  ['j k ↓ ↑', 'Next, previous row'],
  ['Enter o', 'Open the request'],
  ['[ ]', 'Previous, next request'],
  ['1 … 9', 'Tab of the page'],
  ['y c, y p, y f, y r, y l', 'Copy as curl, Python, fetch, raw HTTP, link'],
  ['p', 'Pause, go on'],
  ['.', 'Show new rows'],
  ['g r, g u, g m, g s', 'Requests, runs, metrics, settings'],
  ['Esc', 'Leave a field, then the selection, then the inspector'],
  ['?', 'This table'],
];

export function Help() {
  if (!helpOpen.value) return null;
  const close = () => (helpOpen.value = false);
  return (
    <Dialog label="Keys" close={close}>
      <h2>Keys</h2>
      <table class="keys">
        <tbody>
          {KEYS.map(([key, what]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{what}</td></tr>)}
        </tbody>
      </table>
      <label class="check">
        <input type="checkbox" checked={shortcuts.value === 'on'}
          onChange={(e) => (shortcuts.value = e.currentTarget.checked ? 'on' : 'off')} />
        Keys of a single letter
      </label>
      <div class="actions"><button autofocus onClick={close}>Close</button></div>
    </Dialog>
  );
}

/* A button that copies, and says so. */
import { useSignal } from '@preact/signals';
import { Icon } from './icons';

const SAID_MS = 1200;

export function Copy(props: { label: string; text: string | (() => string | Promise<string>); icon?: boolean }) {
  const said = useSignal('');
  const copy = async () => {
    try {
      const text = typeof props.text === 'string' ? props.text : await props.text();
      await navigator.clipboard.writeText(text);
      said.value = 'Copied';
    } catch (error) {
      said.value = error instanceof Error && error.message ? error.message : 'Not copied';
    }
    setTimeout(() => (said.value = ''), SAID_MS);
  };
  return (
    <button class={props.icon ? 'quiet' : ''} onClick={copy} title={props.label} aria-label={props.label}>
      {said.value || (props.icon ? <Icon name="copy" /> : props.label)}
    </button>
  );
}

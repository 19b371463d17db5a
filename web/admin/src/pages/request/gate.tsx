/* Asks before something large is loaded, and shows what went wrong with it. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import * as format from '../../format';
import { LARGE_BYTES, loadBody, useLoaded, type Body, type Loaded, type Side } from './load';
import type { DetailRow } from './types';

/** True once it may be loaded: it is small, or somebody pressed the button. */
export function useGate(bytes: number | null, id: number): { open: boolean; button: ComponentChildren } {
  const pressed = useSignal(0);
  const open = (bytes ?? 0) <= LARGE_BYTES || pressed.value === id;
  return { open, button: open ? null : <p><button onClick={() => (pressed.value = id)}>Load {format.bytes(bytes)}</button></p> };
}

export function Waiting<T>({ loaded, what }: { loaded: Loaded<T>; what: string }) {
  if (!loaded.error) return <p class="muted" role="status">Loading {what}…</p>;
  return (
    <p role="alert" class="alert">
      {what[0]!.toUpperCase() + what.slice(1)} could not be loaded: {loaded.error} <button onClick={loaded.retry}>Retry</button>
    </p>
  );
}

const sizeOf = (r: DetailRow, side: Side) => (side === 'request' ? r.request_bytes : r.response_bytes);

export function WithBody(props: { r: DetailRow; side: Side; children(body: Body): ComponentChildren }) {
  const { r, side } = props;
  const gate = useGate(sizeOf(r, side), r.id);
  const loaded = useLoaded(gate.open ? `${r.id} ${side} ${r.completed_at}` : null,
    async () => ({ body: await loadBody(r, side) }));
  if (gate.button) return <>{gate.button}</>;
  if (!loaded.data) return <Waiting loaded={loaded} what="the body" />;
  const { body } = loaded.data;
  if (!body || (body.bytes.length === 0 && !sizeOf(r, side)))
    return <p class="muted">{sizeOf(r, side) ? `The body (${format.bytes(sizeOf(r, side))}) was not kept; the facts about it were.` : 'There was no body.'}</p>;
  const whole = sizeOf(r, side);
  return (
    <>
      {side !== 'upstream' && whole !== null && body.bytes.length < whole && (
        <p class="strip warn">Only the first {format.bytes(body.bytes.length)} of {format.bytes(whole)} were kept.</p>
      )}
      {!body.isUtf8 && <p class="strip warn">This is not UTF-8: what cannot be read is shown as �. The bytes are under Raw.</p>}
      {props.children(body)}
    </>
  );
}

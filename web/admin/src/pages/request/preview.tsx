/* The last question and its answer, beside the list. */
import { get } from '../../api';
import type { RequestRow } from '../../api-types';
import { Prose } from '../../ui/prose';
import { messageText } from './asmarkdown';
import { conversationUrl } from './conversation';
import { LiveItems, useLive } from './live';
import { useGate, Waiting } from './gate';
import { drawnBytes, useLoaded } from './load';
import { isChatLike, type Conversation } from './types';

const FOLD = 12;

function Arriving({ id }: { id: number }) {
  const { grown } = useLive(id);
  return <LiveItems items={grown.items} />;
}

function Talk({ row }: { row: RequestRow }) {
  const gate = useGate(drawnBytes(row), row.id);
  const loaded = useLoaded(gate.open ? `${row.id} ${row.completed_at}` : null,
    (signal) => get<Conversation>(conversationUrl(row.id), signal));
  if (gate.button) return <>{gate.button}</>;
  if (!loaded.data) return <Waiting loaded={loaded} what="the conversation" />;
  const { messages } = loaded.data;
  const asked = messages.findLast((m) => m.role === 'user' && m.origin === 'request');
  const answers = messages.filter((m) => m.origin === 'response');
  return (
    <>
      <h3>Asked</h3>
      {asked ? <Prose text={messageText(asked) || '(no text)'} plain={false} fold={FOLD} /> : <p class="muted">No message of a user.</p>}
      <h3>Answered</h3>
      {row.completed_at === null && <Arriving id={row.id} />}
      {answers.map((m) => <Prose key={m.index} text={messageText(m) || '(no text)'} plain={false} fold={FOLD} />)}
      {row.completed_at !== null && !answers.length && <p class="muted">There was no answer.</p>}
    </>
  );
}

export function Preview({ row }: { row: RequestRow }) {
  return (
    <div class="preview">
      {isChatLike(row.endpoint) ? <Talk row={row} /> : <p class="quote" dir="auto">{row.semantic_summary}</p>}
    </div>
  );
}

/* "Copy as": the request for elsewhere. */
import { useSignal } from '@preact/signals';
import { get } from '../../api';
import { useKeys } from '../../hooks';
import { shortcuts } from '../../prefs';
import { Popover } from '../../ui/popover';
import { toast } from '../../ui/toast';
import { conversationMarkdown } from './asmarkdown';
import { conversationUrl } from './conversation';
import { asCurl, asFetch, asHttp, asPython, notInline } from './copyas';
import { loadBody, type Body } from './load';
import { isChatLike, type Conversation, type DetailRow } from './types';

type Maker = (r: DetailRow, body: Body | null, origin: string) => string;
const FORMS: [string, string, Maker][] = [
  ['c', 'curl (bash)', asCurl], ['p', 'Python', asPython], ['f', 'JavaScript fetch', asFetch], ['r', 'Raw HTTP', asHttp],
];

async function textAs(r: DetailRow, make: Maker): Promise<string> {
  const body = await loadBody(r, 'request');
  const why = notInline(body);
  if (!why) return make(r, body, location.origin);
  if (make !== asCurl) throw new Error(why);
  return asCurl(r, null, location.origin, `request-${r.id}-request`);
}

export function CopyMenu({ r }: { r: DetailRow }) {
  const said = useSignal('');
  const waiting = useSignal(false);
  const copy = async (name: string, text: () => Promise<string>) => {
    said.value = '';
    try {
      await navigator.clipboard.writeText(await text());
      toast(`Copied: ${name}.`);
      said.value = `Copied: ${name}`;
    } catch (error) {
      said.value = `Not copied: ${error instanceof Error ? error.message : error}`;
      toast(said.value);
    }
  };
  const link = () => copy('link', async () => location.href);
  useKeys((key) => {
    if (shortcuts.value === 'off') return false;
    if (!waiting.value) {
      waiting.value = key === 'y';
      return waiting.value;
    }
    waiting.value = false;
    const form = FORMS.find(([k]) => k === key);
    if (form) copy(form[1], () => textAs(r, form[2]));
    else if (key === 'l') link();
    else return false;
    return true;
  });
  return (
    <Popover label="Copy as" button="Copy as" class="">
      {() => (
        <>
          {FORMS.map(([key, name, make]) => (
            <button key={key} class="line" onClick={() => copy(name, () => textAs(r, make))}>{name} <kbd>y {key}</kbd></button>
          ))}
          {isChatLike(r.endpoint) && (
            <button class="line" onClick={() => copy('conversation', async () => conversationMarkdown(await get<Conversation>(conversationUrl(r.id))))}>Conversation as Markdown</button>
          )}
          <button class="line" onClick={() => copy('JSON', async () => JSON.stringify(await get(`/admin/api/requests/${r.id}`), null, 2))}>Everything as JSON</button>
          <button class="line" onClick={link}>Link to this view <kbd>y l</kbd></button>
          <p class="about">Keys are written as variables such as $OPENAI_API_KEY.</p>
          {said.value && <p role="status">{said.value}</p>}
        </>
      )}
    </Popover>
  );
}

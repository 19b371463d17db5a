/* Events of a stream, read from its bytes. */

export interface StreamEvent {
  number: number;
  name: string; /* of an "event:" line, "" without */
  data: string;
  type: string;
  carries: string;
  broken: boolean;
}

/* What an event of any of the APIs carries. */
function judge(name: string, data: string): { type: string; carries: string; broken: boolean } {
  if (data.trim() === '[DONE]') return { type: 'done', carries: 'done', broken: false };
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(data) as Record<string, unknown>;
  } catch {
    return { type: name || '-', carries: 'not JSON', broken: true };
  }
  const at = (o: unknown, key: string): unknown => (typeof o === 'object' && o !== null ? (o as Record<string, unknown>)[key] : undefined);
  const type = String(at(value, 'type') ?? at(value, 'object') ?? (name || '-')).slice(0, 80);
  const choice = (at(value, 'choices') as unknown[] | undefined)?.[0];
  const delta = at(choice, 'delta') ?? at(value, 'delta');
  const carries: string[] = [];
  if (/tool|function_call|input_json/.test(type) || at(delta, 'tool_calls') || at(delta, 'partial_json') !== undefined) carries.push('tool arguments');
  else if (/reasoning|thinking/.test(type) || at(delta, 'reasoning_content') || at(delta, 'reasoning') || at(delta, 'thinking')) carries.push('reasoning');
  else if (at(delta, 'content') || at(delta, 'text') || (typeof delta === 'string' && delta) || at(choice, 'text')) carries.push('text');
  if (at(choice, 'finish_reason') ?? at(delta, 'stop_reason')) carries.push('finish');
  if (at(value, 'usage') ?? at(at(value, 'response'), 'usage') ?? at(at(value, 'message'), 'usage')) carries.push('usage');
  if (at(value, 'error') || type === 'error') carries.push('error');
  if (/^(message_stop|response\.completed|response\.done)$/.test(type)) carries.push('done');
  return { type, carries: carries.join(', ') || 'other', broken: false };
}

/** All events; the last one is broken when the stream was cut within it. Linear. */
export function parseEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  let name = '';
  let data: string[] = [];
  const flush = () => {
    if (data.length) {
      const whole = data.join('\n');
      events.push({ number: events.length + 1, name, data: whole, ...judge(name, whole) });
    }
    name = '';
    data = [];
  };
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    if (line === '') flush();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line.startsWith('event:')) name = line.slice(6).trim();
  }
  flush();
  return events;
}

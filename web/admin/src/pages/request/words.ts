/* What short codes mean, in words. */
import type { Conversation, DetailRow } from './types';

const FINISHED: Record<string, string> = {
  stop: 'The model finished.',
  end_turn: 'The model finished its turn.',
  completed: 'The model finished.',
  stop_sequence: 'The model wrote a stop sequence.',
  tool_calls: 'The model calls tools and waits for their results.',
  tool_use: 'The model calls tools and waits for their results.',
  function_call: 'The model calls a function and waits for its result.',
  content_filter: 'A content filter ended the answer.',
  refusal: 'The model declined to answer.',
  pause_turn: 'The model paused a long turn; it goes on when it is sent again.',
  incomplete: 'The answer is not complete.',
  failed: 'The model failed.',
  cancelled: 'The answer was cancelled.',
};

export function finishInWords(reason: string, outputTokens: number | null): string {
  if (/^(length|max_tokens|max_output_tokens|model_context_window_exceeded)$/.test(reason))
    return `The answer stopped at the output limit${outputTokens === null ? '' : `, after ${outputTokens.toLocaleString()} tokens`}.`;
  return FINISHED[reason] ?? `It ended with “${reason}”.`;
}

const ENDED_BY: Record<string, string> = {
  upstream_eof: 'the upstream ended it without an end',
  upstream_error: 'the connection to the upstream failed',
  client_disconnect: 'the client hung up',
  idle_timeout: 'the upstream was silent for too long',
  shutdown: 'the proxy was stopped',
  cancelled: 'it was cancelled',
  refused: 'it was refused before anything was sent',
};

export const endedBy = (by: string | null) => (by ? (ENDED_BY[by] ?? by.replaceAll('_', ' ')) : 'nobody knows why');

/** Why there is no more of a stream than there is; null for one that is whole. */
export function brokenStream(c: Conversation): string | null {
  const s = c.stream;
  if (!s || s.state === 'complete') return null;
  const where = s.last_message === null ? 'before any content'
    : `in the ${s.last_part === 'tool_call' ? 'arguments of a tool call' : s.last_part} of message ${s.last_message + 1}`;
  const after = `${s.events.toLocaleString()} events, ${where}${s.inside_event ? ', within an event' : ''}`;
  if (s.state === 'failed') return `The stream reports an error after ${after}.`;
  if (s.state === 'cut') return `The kept body ends after ${after}: the rest was over the limit of what is kept.`;
  return `The stream broke off after ${after}: ${endedBy(c.terminated_by)}.`;
}

/** What an error means and what helps; null when there is nothing to add. */
export function explain(r: DetailRow): string | null {
  const text = `${r.error ?? ''} ${r.upstream_error_message ?? ''} ${r.upstream_error_code ?? ''} ${r.upstream_error_type ?? ''}`;
  const has = (pattern: RegExp) => pattern.test(text);
  if (has(/context.?length|maximum context|prompt is too long|too many tokens|context window/i))
    return 'The prompt is longer than the model can take. Shorten it, or choose a model with a larger context.';
  if (has(/refused/i)) return 'Nothing listens at the upstream’s address. Is the server running, and is its port right?';
  if (has(/resolve|name lookup|unknown host|getaddrinfo/i)) return 'The name of the upstream has no address. Is it spelled right, and is there a network?';
  if (has(/certificate|\btls\b|\bssl\b/i)) return 'No trusted encrypted connection came about. For an own authority, start with --upstream-ca-file.';
  if (has(/time.?out|timed out/i)) return 'The upstream did not answer in time. It may be overloaded, or still loading the model.';
  switch (r.status) {
    case 401: return 'The upstream does not accept the key. Is it set where the proxy or the client reads it?';
    case 403: return 'The key is known, but it may not do this: the model, the region or the account is not allowed.';
    case 404: return 'The upstream does not know this model or path. Compare the forwarded model and the upstream’s address.';
    case 413: return 'The body is larger than the upstream accepts.';
    case 429: return 'Too many requests or tokens for this account at the moment. Wait as long as retry-after says, or send less at once.';
    case 400: case 422: return 'The upstream does not accept the request as it is; its message says which part.';
    case 502: case 503: case 504: return 'The upstream could not be reached, or is overloaded. Trying again later may help.';
    case 529: return 'The upstream is overloaded. Trying again later may help.';
    default: return r.status !== null && r.status >= 500 ? 'The upstream failed. Trying again may help.' : null;
  }
}

/* How states of routing are said. */
const STATES: Record<string, [string, string]> = {
  matched: ['Matched', 'ok'],
  fallback: ['Fallback', 'stream'],
  no_match: ['No match', 'warn'],
  unmatched: ['No match', 'warn'],
  missing_api_key: ['Missing API key', 'bad'],
  active: ['Active', 'ok'],
  inactive: ['Inactive', ''],
};

export function State({ of }: { of: string }) {
  const [text, tone] = STATES[of] ?? [of, ''];
  return <span class={`pill ${tone}`}>{text}</span>;
}

/** Of an API key: only whether there is one, never the key. */
export const keyState = (state: string) => state.replace('_', ' ');

export const today = () => {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  return midnight.toISOString();
};

/* A conversation as Markdown, to be pasted somewhere. */
import type { Conversation, Message, Part } from './types';

/* A fence that is longer than any in the text. */
function fenced(text: string, language: string): string {
  const runs = text.match(/`{3,}/g) ?? [];
  const fence = '`'.repeat(runs.reduce((most, run) => Math.max(most, run.length + 1), 3));
  return `${fence}${language}\n${text}\n${fence}`;
}

function partText(part: Part): string {
  switch (part.type) {
    case 'text': case 'refusal': return part.text ?? '';
    case 'reasoning': return part.text ?? '';
    case 'tool_call': return part.arguments_raw ?? '';
    case 'tool_result': return (part.content ?? []).map(partText).join('\n');
    case 'audio': return part.transcript ?? '';
    default: return '';
  }
}

/** All text of a message, for copying. */
export const messageText = (m: Message) => m.parts.map(partText).filter(Boolean).join('\n\n');

function partMarkdown(part: Part): string {
  switch (part.type) {
    case 'text': return part.text ?? '';
    case 'refusal': return `*Refusal:* ${part.text ?? ''}`;
    case 'reasoning': return part.text ? `*Reasoning:*\n\n${part.text.replace(/^/gm, '> ')}` : '*Reasoning without text*';
    case 'tool_call': return `*Calls* \`${part.name ?? ''}\`:\n\n${fenced(part.arguments_raw ?? '', 'json')}`;
    case 'tool_result': return `*Result* of \`${part.tool_call_id ?? ''}\`:\n\n${fenced((part.content ?? []).map(partText).join('\n'), '')}`;
    case 'image': case 'audio': case 'file':
      return `*${part.type}* ${[part.mime_type, part.url, part.name, part.file_id].filter(Boolean).join(' ')}`;
    default: return fenced(JSON.stringify(part.raw ?? null, null, 2), 'json');
  }
}

export function conversationMarkdown(c: Conversation): string {
  const messages = c.messages.map((m) =>
    `## ${m.role ?? 'no role'}${m.name ? ` (${m.name})` : ''}\n\n${m.parts.map(partMarkdown).join('\n\n')}`);
  return `# Request ${c.id}, ${c.model ?? 'no model'}\n\n${messages.join('\n\n')}\n`;
}

/* Markdown as elements: a fixed list of them, made from the tokens of marked's lexer. No markup of
 * the text becomes markup of the page, and its links lead to the web or to mail only. */
import { Lexer, type Token, type Tokens } from 'marked';
import type { ComponentChildren, VNode } from 'preact';
import { Copy } from './copy';

const MAX_DEPTH = 24;

/** The address of a link that may be one; null for any other. */
export function safeUrl(href: string): string | null {
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null; /* what is relative leads nowhere from here */
  }
}

function Link(props: { href: string; title?: string; children: ComponentChildren }) {
  const url = safeUrl(props.href);
  if (!url) return <span class="md-nolink" title={`Not opened: ${props.href.slice(0, 200)}`}>{props.children}</span>;
  return <a href={url} title={props.title ?? url} target="_blank" rel="noopener noreferrer">{props.children}</a>;
}

function Code({ token }: { token: Tokens.Code }) {
  return (
    <figure class="md-code">
      <figcaption><bdi>{token.lang?.slice(0, 40)}</bdi><Copy label="Copy code" text={token.text} icon /></figcaption>
      <pre dir="ltr"><code>{token.text}</code></pre>
    </figure>
  );
}

function Table({ token, depth }: { token: Tokens.Table; depth: number }) {
  const cell = (c: Tokens.TableCell, i: number) => {
    const Cell = c.header ? 'th' : 'td';
    return <Cell key={i} class={c.align ? `to-${c.align}` : undefined}>{nodes(c.tokens, depth)}</Cell>;
  };
  return (
    <div class="md-table">
      <table>
        <thead><tr>{token.header.map(cell)}</tr></thead>
        <tbody>{token.rows.map((row, i) => <tr key={i}>{row.map(cell)}</tr>)}</tbody>
      </table>
    </div>
  );
}

function List({ token, depth }: { token: Tokens.List; depth: number }) {
  const items = token.items.map((item, i) => (
    <li key={i} class={item.task ? 'task' : undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label={item.checked ? 'Done' : 'Open'} />}
      {nodes(item.tokens.filter((t) => t.type !== 'checkbox'), depth)}
    </li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

const inside = (token: Token, depth: number): ComponentChildren =>
  'tokens' in token && token.tokens ? nodes(token.tokens, depth) : 'text' in token ? String(token.text) : token.raw;

function node(token: Token, key: number, depth: number): VNode | string | null {
  switch (token.type) {
    case 'space': case 'def': return null;
    case 'heading': return <p key={key} class={`md-h md-h${(token as Tokens.Heading).depth}`} role="heading" aria-level={Math.min(6, (token as Tokens.Heading).depth + 3)}>{inside(token, depth)}</p>;
    case 'paragraph': return <p key={key}>{inside(token, depth)}</p>;
    case 'blockquote': return <blockquote key={key}>{inside(token, depth)}</blockquote>;
    case 'code': return <Code key={key} token={token as Tokens.Code} />;
    case 'list': return <List key={key} token={token as Tokens.List} depth={depth} />;
    case 'table': return <Table key={key} token={token as Tokens.Table} depth={depth} />;
    case 'hr': return <hr key={key} />;
    case 'br': return <br key={key} />;
    case 'strong': return <strong key={key}>{inside(token, depth)}</strong>;
    case 'em': return <em key={key}>{inside(token, depth)}</em>;
    case 'del': return <del key={key}>{inside(token, depth)}</del>;
    case 'codespan': return <code key={key}>{(token as Tokens.Codespan).text}</code>;
    case 'escape': return (token as Tokens.Escape).text;
    case 'link': return <Link key={key} href={(token as Tokens.Link).href} title={(token as Tokens.Link).title ?? undefined}>{inside(token, depth)}</Link>;
    case 'image': return <Link key={key} href={(token as Tokens.Image).href}>Image: {(token as Tokens.Image).text || (token as Tokens.Image).href.slice(0, 80)}</Link>;
    case 'text': return <>{inside(token, depth)}</>;
    default: return token.raw; /* "html" too: it is text */
  }
}

function nodes(tokens: Token[], depth: number): ComponentChildren {
  if (depth >= MAX_DEPTH) return tokens.map((t) => t.raw).join('');
  return tokens.map((token, i) => node(token, i, depth + 1));
}

export function Markdown({ text }: { text: string }) {
  let tokens: Token[];
  try {
    tokens = Lexer.lex(text, { gfm: true, breaks: true });
  } catch {
    return <div class="plain" dir="auto">{text}</div>; /* nested more deeply than the lexer can go */
  }
  return <div class="md" dir="auto">{nodes(tokens, 0)}</div>;
}

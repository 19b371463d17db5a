import assert from 'node:assert/strict';
import test from 'node:test';
import { isValidElement, type ComponentChildren, type VNode } from 'preact';
import { Markdown, safeUrl } from '../../src/ui/markdown';

interface Seen {
  text: string;
  tags: Set<string>;
  links: string[];
  props: Set<string>;
}

/* What would be drawn: components are called, but for those that need a page. */
function look(node: ComponentChildren, seen: Seen = { text: '', tags: new Set(), links: [], props: new Set() }): Seen {
  const open: ComponentChildren[] = [node];
  while (open.length) {
    const one = open.pop();
    if (Array.isArray(one)) open.push(...[...one].reverse());
    else if (isValidElement(one)) {
      const { type, props } = one as VNode<Record<string, unknown>>;
      if (typeof type === 'function') {
        if (type.name !== 'Copy') open.push((type as (p: unknown) => ComponentChildren)(props));
        continue;
      }
      seen.tags.add(String(type));
      for (const name of Object.keys(props)) seen.props.add(name);
      if (props.href) seen.links.push(String(props.href));
      open.push(props.children as ComponentChildren);
    } else if (one !== null && one !== undefined && typeof one !== 'boolean') seen.text += String(one);
  }
  return seen;
}
const draw = (text: string) => look(<Markdown text={text} />);
const ALLOWED = new Set(['div', 'p', 'strong', 'em', 'del', 'code', 'pre', 'figure', 'figcaption', 'bdi', 'table', 'thead', 'tbody',
  'tr', 'th', 'td', 'ul', 'ol', 'li', 'input', 'blockquote', 'hr', 'br', 'a', 'span']);
const PROPS = new Set(['children', 'class', 'dir', 'role', 'aria-level', 'aria-label', 'href', 'title', 'target', 'rel', 'type',
  'checked', 'disabled', 'start']);

test('what is common is drawn', () => {
  const seen = draw('# Head\n\ntext **bold** *em* `code` ~~old~~\n\n- one\n- [x] two\n\n3. three\n\n> quote\n\n```c\nint x;\n```\n\n|a|b|\n|-|-:|\n|1|2|\n\n---\n\n[web](https://a.test/x)');
  for (const tag of ['p', 'strong', 'em', 'code', 'del', 'ul', 'ol', 'li', 'input', 'blockquote', 'pre', 'table', 'td', 'hr', 'a'])
    assert.ok(seen.tags.has(tag), tag);
  assert.deepEqual(seen.links, ['https://a.test/x']);
  assert.match(seen.text, /Head.*bold.*int x;/s);
});

test('only the web and mail can be linked to', () => {
  for (const href of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x',
    'vbscript:x', 'file:///etc/passwd', 'blob:x', '/admin', '//evil.test', 'ftp://x', ''])
    assert.equal(safeUrl(href), null, href);
  for (const href of ['https://a.test/', 'http://a.test/', 'mailto:a@b.test']) assert.equal(safeUrl(href), href);
});

const HOSTILE = [
  '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '<svg><script>alert(1)</script></svg>', '<iframe src="//evil.test"></iframe>',
  '[x](javascript:alert(1))', '[x](<javascript:alert(1)>)', '![x](https://evil.test/x.png)', '![x](javascript:alert(1))',
  '[x]: javascript:alert(1)\n\n[x]', '<a href="javascript:alert(1)">x</a>', '<https://evil.test>', '[a](https://b.test "onclick=x")',
  '# <b onmouseover=alert(1)>x</b>', '```<script>\nx\n```', '| <script> |\n|---|\n| <img onerror=x> |', '- <style>*{}</style>',
  '&lt;script&gt;', '\u0000\u202e\ufeff', '[x](data:text/html;base64,PHNjcmlwdD4=)', '<!-- -->', '<![CDATA[x]]>', '<?php ?>', '\\<b>',
];

test('no text makes an element or an attribute that is not on the list', () => {
  for (const text of HOSTILE) {
    const seen = draw(text);
    for (const tag of seen.tags) assert.ok(ALLOWED.has(tag), `${text}: <${tag}>`);
    for (const name of seen.props) assert.ok(PROPS.has(name), `${text}: ${name}=`);
    for (const href of seen.links) assert.match(href, /^(https?|mailto):/, text);
  }
  assert.match(draw('<script>alert(1)</script>').text, /<script>alert\(1\)<\/script>/);
});

test('nesting of any depth and long odd text end in time', () => {
  const odd = ['>'.repeat(20000), '- '.repeat(5000), '*'.repeat(20000), '['.repeat(20000), '`'.repeat(20001), '**a '.repeat(5000),
    '[a]('.repeat(4000), '<'.repeat(20000), '|'.repeat(20000), '![['.repeat(5000), '_a'.repeat(10000), '\\'.repeat(20000),
    `${' '.repeat(20000)}x`, 'a\n'.repeat(20000), '&'.repeat(20000), '~~'.repeat(10000), '1. '.repeat(5000)];
  for (const text of odd) {
    const started = performance.now();
    draw(text);
    const took = performance.now() - started;
    assert.ok(took < 3000, `${JSON.stringify(text.slice(0, 12))}… took ${Math.round(took)} ms`);
  }
});

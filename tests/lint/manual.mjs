/* The manual against the program's own tables, which its hidden command "__tables" prints. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const NAME = 'llm-observe-proxy';
const HELP_MAX = 60;
/* Explained in the main page. */
const IN_MAIN_PAGE = ['help', 'version', 'completion'];

/* The words of a macro line; "quoted words" are one. */
const words = (line) => [...line.matchAll(/"((?:[^"]|"")*)"|(\S+)/g)].map((m) => m[1] ?? m[2]);

/* What "Ar KEY Ns = Ns Ar VALUE" and "Ar N Ns Op : Ns Ar SHARE" show, without blanks. */
function shown(tokens) {
  let text = '', close = '';
  for (const token of tokens) {
    if (token === 'Op' || token === 'Oo') {
      text += '[';
      if (token === 'Op') close += ']';
    } else if (token === 'Oc') {
      text += ']';
    } else if (!['Ns', 'Ar', 'Cm', 'No', 'Fl', 'Ev', 'Ic'].includes(token)) {
      text += token.replaceAll('\\&', '').replaceAll('\\e', '\\');
    }
  }
  return text + close;
}

/* An .It line as parts between commas: each the words behind the macro that starts it. */
function parts(tokens) {
  const list = [[]];
  for (const token of tokens)
    if (token === ',') list.push([]);
    else if (token !== 'Xo') list.at(-1).push(token);
  return list.filter((part) => part.length);
}

/* ".It Fl f , Fl -lines Ar N": names, the short one and the argument. */
function optionsOf(tokens) {
  const found = [];
  let short = null;
  for (const [macro, name, ...rest] of parts(tokens)) {
    if (macro !== 'Fl' || !name) continue;
    if (!name.startsWith('-')) {
      short = name;
      continue;
    }
    found.push({ name: name.slice(1), short, argument: shown(rest) || null });
    short = null;
  }
  return found;
}

/* A page: sections, in them subsections, in them items with the text that follows. */
export function readPage(text) {
  const page = { sections: new Map(), text };
  let section, part, item;
  const newPart = (name) => ({ name, items: [], text: '' });
  for (const line of text.split('\n')) {
    const [macro, ...rest] = line.startsWith('.') ? words(line.slice(1)) : [''];
    if (macro === 'Sh') {
      section = { parts: [part = newPart('')] };
      page.sections.set(rest.join(' '), section);
      item = undefined;
    } else if (macro === 'Ss') {
      section.parts.push((part = newPart(rest.join(' '))));
      item = undefined;
    } else if (macro === 'It') {
      part.items.push((item = { tokens: rest, text: '' }));
    } else if (macro === 'El') {
      item = undefined;
    }
    if (part) part.text += `${line}\n`;
    if (item) item.text += `${line}\n`;
  }
  return page;
}

function readPages(root) {
  const pages = new Map();
  for (const name of readdirSync(path.join(root, 'man')))
    if (/\.\d$/.test(name))
      pages.set(`man/${name}`, readPage(readFileSync(path.join(root, 'man', name), 'utf8')));
  return pages;
}

const items = (parts_, macro) => parts_.flatMap((part) => part.items)
  .filter((item) => item.tokens[0] === macro);
const section = (page, name) => page?.sections.get(name)?.parts ?? [];
const named = (list) => list.flatMap((item) => parts(item.tokens).map(
  (part) => part.filter((word) => !['Cm', 'Ev', 'Ic', 'Ta'].includes(word))[0]));
/* Tables have their text behind Ta. */
const cells = (list) => list.map((item) => {
  const end = item.tokens.indexOf('Ta');
  return { ...item, tokens: end < 0 ? item.tokens : item.tokens.slice(0, end) };
});

function compare(complain, where, what, table, manual) {
  for (const name of table) if (!manual.has(name)) complain(where, `does not explain ${what} ${name}`);
  for (const name of manual) if (!table.has(name)) complain(where, `explains ${what} ${name}, which does not exist`);
}

/* Options of a verb against where the page explains them. */
function checkOptions(complain, file, where, options, documented, known) {
  const found = new Map();
  for (const item of documented)
    for (const option of optionsOf(item.tokens)) found.set(option.name, { ...option, item });
  for (const option of options) {
    const own = found.get(option.name);
    const name = `--${option.name}`;
    if (!own) {
      if (!['help', 'version'].includes(option.name))
        complain(file, `does not explain ${name} of ${where}`);
      continue;
    }
    const argument = option.argument_optional ? `[=${option.argument}]` : option.argument;
    if (own.argument !== argument)
      complain(file, `${name} of ${where} takes ${argument}, not ${own.argument}`);
    if (own.short !== option.short)
      complain(file, `${name} of ${where} has the letter ${option.short}, not ${own.short}`);
    if (option.default && !own.item.text.includes(option.default))
      complain(file, `${name} of ${where} does not tell its default, ${option.default}`);
    if (option.repeatable && !/repeat|several/.test(own.item.text))
      complain(file, `${name} of ${where} does not tell that it may be repeated`);
  }
  for (const name of found.keys())
    if (!known.has(name)) complain(file, `explains --${name} in ${where}, which has no such option`);
}

function checkCommand(complain, command, file, page, globals) {
  const verbs = command.verbs.filter((verb) => verb.name);
  const common = items(section(page, 'OPTIONS'), 'Fl');
  const parts_ = [...page.sections.values()].flatMap((one) => one.parts);
  const all = new Set(command.verbs.flatMap((verb) => verb.options.map((o) => o.name)));
  const columns = new Set(command.verbs.flatMap((verb) => verb.columns));

  for (const verb of verbs) {
    const part = parts_.find(({ name }) => [verb.name, `${command.name} ${verb.name}`].some(
      (start) => name === start || name.startsWith(`${start} `)));
    const known = new Set([...verb.options.map((o) => o.name), ...globals]);
    if (!part) {
      complain(file, `has no subsection about ${command.name} ${verb.name}`);
      continue;
    }
    const own = part.items.filter((item) => item.tokens[0] === 'Fl');
    const ownNames = new Set(own.flatMap((item) => optionsOf(item.tokens)).map((o) => o.name));
    const shared = common.filter((item) => optionsOf(item.tokens).some(
      (o) => known.has(o.name) && !ownNames.has(o.name)));
    checkOptions(complain, file, `${command.name} ${verb.name}`, verb.options, [...shared, ...own],
      new Set([...known, ...optionsOf(shared.flatMap((item) => [...item.tokens, ','])).map((o) => o.name)]));
    for (const column of verb.columns)
      if (!named(cells(items(section(page, 'COLUMNS'), 'Cm'))).includes(column) &&
          !new RegExp(`^\\.Cm .*\\b${column}\\b`, 'm').test(part.text))
        complain(file, `does not explain the column ${column} of ${command.name} ${verb.name}`);
  }
  for (const name of named(cells(items(section(page, 'COLUMNS'), 'Cm'))))
    if (!columns.has(name)) complain(file, `explains the column ${name}, which no verb has`);
  for (const option of common.flatMap((item) => optionsOf(item.tokens)))
    if (!all.has(option.name) && !globals.has(option.name))
      complain(file, `explains --${option.name}, which ${command.name} does not have`);
  if (!verbs.length)
    checkOptions(complain, file, command.name, command.verbs[0].options, common,
      new Set([...all, ...globals]));
  for (const { name, verb } of command.aliases)
    if (!page.text.includes(name)) complain(file, `does not mention ${name}${verb ? ` (${verb})` : ''}`);
  if (command.keys.length)
    compare(complain, file, 'key', new Set(command.keys.map((key) => key.keys.replaceAll(' ', ''))),
      new Set(items(section(page, 'KEYS'), 'Ic').map((item) => parts(item.tokens)
        .map((part) => shown(part)).join(','))));
}

function checkMain(complain, tables, file, page, pages) {
  const subsection = (verb) => new RegExp(`\\b${verb}\\b`).test(page.text);
  const globals = new Set(tables.global_options.map((o) => o.name));
  checkOptions(complain, file, NAME, tables.global_options, items(section(page, 'OPTIONS'), 'Fl'), globals);
  for (const name of [...tables.commands, ...tables.topics].map((one) => one.name))
    if (!subsection(name)) complain(file, `does not mention ${name}`);
  compare(complain, file, 'exit status', new Set(tables.exit_codes.map((e) => String(e.code))),
    new Set(section(page, 'EXIT STATUS').flatMap((part) => part.items).map((i) => i.tokens[0])));
  const variables = new Set();
  for (const one of [page, pages.get(`man/${NAME}-serve.1`)])
    for (const name of named(items(section(one, 'ENVIRONMENT'), 'Ev')))
      variables.add(name.startsWith('OTEL_') ? 'OTEL_...' : name);
  compare(complain, file, 'variable', new Set(tables.variables.map((v) => v.name)), variables);
}

/* The filter language: its page has a table for fields, one for flags, one for outcomes. */
function checkFilter(complain, tables, page) {
  const file = `man/${NAME}-filter.7`;
  const names = (list) => new Set(list.flatMap(({ name, alias }) => (alias ? [name, alias] : [name])));
  const explained = (part) => new Set(named(cells(items(
    section(page, 'FIELDS').filter(({ name }) => name === part), 'Ic'))));
  compare(complain, file, 'field', names(tables.filter_fields), explained(''));
  compare(complain, file, 'flag', names(tables.filter_flags), explained('Flags'));
  compare(complain, file, 'outcome', names(tables.filter_outcomes), explained('Outcomes'));
}

function checkHelpLines(complain, tables) {
  const line = (where, help) => {
    if (!help) complain(where, 'has no help line');
    else if (help.length > HELP_MAX) complain(where, `help line of ${help.length} characters: ${help}`);
  };
  for (const option of tables.global_options) line(`--${option.name}`, option.help);
  for (const command of tables.commands) {
    line(command.name, command.help);
    for (const verb of command.verbs) {
      line(`${command.name} ${verb.name}`, verb.help);
      for (const option of verb.options)
        line(`${command.name} ${verb.name} --${option.name}`, option.help);
    }
  }
}

/* Variables of ours that the sources read. */
function checkVariables(complain, root, tables) {
  const known = new Set(tables.variables.map((v) => v.name));
  const read = new Set();
  const visit = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const file = path.join(dir, entry.name);
      if (entry.isDirectory()) visit(file);
      else if (entry.name.endsWith('.c') && entry.name !== 'topics.c')
        for (const [, name] of readFileSync(file, 'utf8').matchAll(/"(LLM_OBSERVE_[A-Z_]+)"/g))
          read.add(name);
    }
  };
  visit(path.join(root, 'src'));
  for (const name of read)
    if (!known.has(name)) complain('src/cli/topics.c', `does not know the variable ${name}`);
  for (const name of known)
    if (name.startsWith('LLM_OBSERVE_') && !read.has(name))
      complain('src/cli/topics.c', `knows ${name}, which nothing reads`);
}

/* ---- examples ---- */

/* The words of the first of our commands in a line of shell, or null. */
export function commandWords(line) {
  const start = line.search(/(?<![\w/.-])llm-observe-proxy(?= |$)/);
  if (start < 0) return null;
  const list = [];
  let word = null, quote = '';
  for (let i = start; i < line.length; i++) {
    const c = line[i];
    if (quote) {
      if (c === quote) quote = '';
      else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= '';
    } else if (c === '\\' && i + 1 < line.length) {
      word = (word ?? '') + line[++i];
    } else if (/[|;&<>()#`]/.test(c) && (c !== '#' || word === null)) {
      break;
    } else if (/\s/.test(c)) {
      if (word !== null) list.push(word);
      word = null;
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote) return null;
  if (word !== null) list.push(word);
  return list.slice(1).filter((w) => w !== '2');
}

/* With --help the command line is read but nothing is done. Behind a command that follows, options
 * are not ours. */
function checkExample(complain, binary, where, line) {
  const list = commandWords(line);
  if (!list || list.some((word) => /^\[|\.\.\.$|…/.test(word) || /^[A-Z_]+$/.test(word))) return;
  const end = list.indexOf('--');
  const own = end < 0 ? list : list.slice(0, end);
  if (['completion', 'help'].includes(own[0])) return;
  const at = own.indexOf('exec');
  if (at > 0) own.splice(at + 1, 0, '--help');
  else own.push('--help');
  const run = spawnSync(binary, own, { encoding: 'utf8', timeout: 20000 });
  if (run.status !== 0)
    complain(where, `example does not parse: ${line.trim()}\n    ${run.stderr.split('\n')[0]}`);
}

function checkExamples(complain, binary, root, pages, tables) {
  for (const [file, page] of pages)
    for (const [, line] of page.text.matchAll(/^\.Dl (?:\$ )?(.*)$/gm))
      checkExample(complain, binary, file, line.replaceAll('\\(aq', "'").replaceAll('\\(dq', '"')
        .replaceAll('\\-', '-').replace(/\\e$/, ''));
  for (const command of tables.commands)
    for (const verb of command.verbs)
      for (const line of verb.more?.split('\n') ?? [])
        if (line.startsWith(`  ${NAME} `))
          checkExample(complain, binary, `help ${command.name} ${verb.name}`, line);
  for (const file of ['README.md'])
    for (const [, block] of readFileSync(path.join(root, file), 'utf8')
      .matchAll(/^```(?:sh|console|bash)\n(.*?)^```/gms))
      for (const line of block.split('\n')) checkExample(complain, binary, file, line);
}

/** complain(where, what) is called for each difference. */
export function checkManual(binary, root, complain) {
  const run = spawnSync(binary, ['__tables'], { encoding: 'utf8', timeout: 20000 });
  const tables = JSON.parse(run.stdout);
  const pages = readPages(root);
  const globals = new Set(tables.global_options.map((o) => o.name));
  const main = `man/${NAME}.1`;

  if (!pages.has(main)) return complain(main, 'is missing');
  checkMain(complain, tables, main, pages.get(main), pages);
  for (const command of tables.commands) {
    const file = `man/${NAME}-${command.name}.1`;
    if (pages.has(file)) checkCommand(complain, command, file, pages.get(file), globals);
    else if (!IN_MAIN_PAGE.includes(command.name)) complain(file, 'is missing');
  }
  for (const file of pages.keys()) {
    const command = /^man\/llm-observe-proxy-(.*)\.1$/.exec(file)?.[1];
    if (command && !tables.commands.some((one) => one.name === command))
      complain(file, `is about ${command}, which is no command`);
  }
  checkFilter(complain, tables, pages.get(`man/${NAME}-filter.7`));
  checkHelpLines(complain, tables);
  checkVariables(complain, root, tables);
  checkExamples(complain, binary, root, pages, tables);
}

/* The OpenAPI documents against the program: every operation is called, well and badly, and every
 * answer is held against its schema. */
import assert from 'node:assert/strict';
import test from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { mock, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const PUBLIC = '/api/openapi.json';
const ADMIN = '/admin/api/openapi.json';
const CHAT = '/v1/chat/completions';
const UNKNOWN_ID = 987654321;
const HUGE = '99999999999999999999';

const PROMISED = [
  'get /api/models', 'get /api/models/lookup', 'get /api/models/suggest', 'get /api/requests',
  'get /api/requests/{record_id}', 'get /api/runs', 'get /api/runs/{run_id}',
  'get /api/runs/{run_id}/requests', 'get /api/runs/{run_id}/stats', 'get /healthz',
  'post /api/runs/end', 'post /api/runs/pause', 'post /api/runs/start',
  'post /api/runs/{run_id}/resume',
]; // prettier-ignore

/** [{ path, method, op }] of a document. */
const operations = (document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, op]) => ({ path, method, op })),
  );

/* ---- schemas ---- */

/* Keys that a schema does not name are an error, where the value is used: a shape that builds on
 * another one must not refuse what the whole has. */
function close(schema) {
  if (Array.isArray(schema)) return schema.map(close);
  if (schema === null || typeof schema !== 'object') return schema;
  const { allOf, properties, ...rest } = schema;
  const closed = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, close(value)]));
  if (allOf) closed.allOf = allOf.map(inside);
  if (properties) closed.properties = mapValues(properties, close);
  if (schema.$ref || properties) closed.unevaluatedProperties = false;
  return closed;
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/* A part of a whole: only what it holds is closed. */
const inside = (schema) =>
  schema.properties ? { ...schema, properties: mapValues(schema.properties, close) } : schema;

const shape = (schema) =>
  schema.allOf ? { ...schema, allOf: schema.allOf.map(inside) } : inside(schema);

/* References as JSON Schema has them. */
const refer = (schema) =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"document#/$defs/'));

class Schemas {
  #ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
  #checks = new Map();

  constructor(document) {
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    this.#ajv.addFormat('int64', true);
    this.#ajv.addSchema(
      refer({ $id: 'document', $defs: mapValues(document.components.schemas, shape) }),
    );
  }

  check(schema, value, what) {
    const text = JSON.stringify(schema);
    if (!this.#checks.has(text)) this.#checks.set(text, this.#ajv.compile(refer(close(schema))));
    const check = this.#checks.get(text);
    if (check(value)) return;
    const errors = check.errors.map((e) => `${e.instancePath}: ${e.message} ${JSON.stringify(e.params)}`);
    assert.fail(`${what}: ${errors.slice(0, 8).join('; ')}\n${JSON.stringify(value).slice(0, 1500)}`);
  }
}

/* ---- a server with traffic ---- */

const chat = (model, more = {}) => ({
  model,
  messages: [{ role: 'user', content: 'one two three' }],
  ...more,
});
const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';
const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
const TRAFFIC = [
  [CHAT, chat('mock')],
  [CHAT, chat('mock', { stream: true })],
  [CHAT, chat('mock,status=429')],
  [CHAT, chat('mock,tool=look', { tools: TOOLS })],
  [CHAT, chat('mock', { messages: [{ role: 'user', content: [
    { type: 'image_url', image_url: { url: PIXEL } }] }] })], // prettier-ignore
  ['/v1/messages', { ...chat('mock'), max_tokens: 100 }],
  ['/v1/embeddings', { model: 'mock', input: 'a' }],
  [CHAT, chat('several')],
  [CHAT, 'no JSON'],
];

const PRICE = { provider_slug: 'lab', input_usd_per_million: '0.5', output_usd_per_million: 2 };
const JSON_TYPE = ['Content-Type', 'application/json'];

class World {
  made = 0;

  constructor(proxy, upstream) {
    this.proxy = proxy;
    this.upstream = upstream;
  }

  async call(method, target, value) {
    const fields = value === undefined ? [] : [JSON_TYPE];
    const body = value === undefined ? undefined : JSON.stringify(value);
    return this.proxy.request(method.toUpperCase(), target, { fields, body });
  }

  async must(method, target, value) {
    const answer = await this.call(method, target, value);
    assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
    return answer.json;
  }

  name(prefix) {
    return `${prefix}-${++this.made}`;
  }

  async run() {
    return (await this.must('POST', '/api/runs/start', { name: this.name('run') })).run.id;
  }

  async paused() {
    const id = await this.run();
    await this.must('POST', '/api/runs/pause');
    return id;
  }

  provider(slug = this.name('made')) {
    return { slug, name: slug, upstream_url: `http://127.0.0.1:9/${slug}` };
  }

  async newProvider() {
    return (await this.must('POST', '/admin/api/providers', this.provider())).slug;
  }

  route() {
    return { model: this.name('model'), upstream_url: this.upstream.url };
  }

  async newRoute() {
    return (await this.must('POST', '/admin/api/routes', this.route())).id;
  }

  price() {
    return { ...PRICE, model: this.name('price') };
  }

  newPrice() {
    return this.must('POST', '/admin/api/pricing/prices', {
      ...this.price(), aliases: ['x'], variants: [{ service_tier: 'flex', multiplier: '0.5' }],
      tiers: [{ max_input_tokens: 10, input_usd_per_million: 1, output_usd_per_million: 1 }],
    }); // prettier-ignore
  }

  async tier() {
    return (await this.newPrice()).tiers[0].id;
  }

  async fill() {
    await this.must('POST', '/admin/api/providers', {
      slug: 'lab', name: 'Lab', upstream_url: this.upstream.url,
    }); // prettier-ignore
    await this.must('POST', '/admin/api/pricing/prices', { ...PRICE, model: 'mock' });
    await this.must('POST', '/admin/api/routes', {
      model: 'mock', upstream_url: this.upstream.url, provider_slug: 'lab',
    }); // prettier-ignore
    await this.must('POST', '/admin/api/routes', {
      model: 'several', upstreams: [
        { upstream_url: this.upstream.url },
        { upstream_url: this.upstream.url, provider_slug: 'lab', weight: 2 },
      ],
    }); // prettier-ignore
    this.runId = await this.run();
    for (const [target, value] of TRAFFIC) {
      const body = typeof value === 'string' ? value : JSON.stringify(value);
      await this.proxy.request('POST', target, { fields: [JSON_TYPE], body });
    }
    await until(
      async () => (await this.proxy.rows()).filter((r) => r.completed_at).length === TRAFFIC.length,
      () => 'all rows to be written',
    );
    this.rows = await this.proxy.rows();
  }
}

async function world(t) {
  const router = await scripted(t);
  const pricing = { prompt: '0.000001', completion: '0.000002' };
  router.script('/api/v1/models', (turn) => turn.json({ data: [{ id: 'a/b', name: 'B', pricing }] }));
  router.fallback = (turn) => turn.json({}, 404);
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, {
    upstream,
    env: { LLM_OBSERVE_CATALOG_URL: new URL(router.url).origin },
  });
  const made = new World(proxy, upstream);
  await made.fill();
  return made;
}

/* ---- good calls: what an operation needs; {} does for most of those that read ---- */

const CATALOG = { source: 'openrouter' };
const FILE = {
  source: 'litellm',
  document: { 'm/n': { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 } },
}; // prettier-ignore
const estimate = { provider: 'lab', model: 'mock', input: 10, output: 5 };
const GOOD = {
  'post /api/runs/start': (w) => ({ body: { name: w.name('run'), notes: 'n' } }),
  'post /api/runs/{run_id}/resume': async (w) => ({ run_id: await w.paused() }),
  'post /api/runs/{run_id}/end': async (w) => ({ run_id: await w.run() }),
  'get /api/models/lookup': () => ({ query: 'model=mock' }),
  'get /api/requests/{record_id}/body': () => ({ query: 'side=request' }),
  'delete /admin/api/requests/{record_id}': (w) => ({ record_id: w.rows.at(-1).id }),
  'post /api/requests/{record_id}/cancel': async (w) => {
    const wire = await w.proxy.connect();
    wire.send(`POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{`, 'POST');
    const flight = async () => {
      const [row] = (await w.proxy.api('/api/live')).inflight;
      return row && row.id !== w.cancelled && row;
    };
    w.cancelled = (await until(flight, () => 'a request in flight')).id;
    return { record_id: w.cancelled, body: { reason: 'r' } };
  },
  'patch /api/runs/{run_id}': () => ({ body: { notes: 'n', budget_usd: '1.5' } }),
  'post /api/alerts/{alert_id}/acknowledge': async (w) => {
    await w.must('POST', '/api/runs/start', { name: w.name('run'), budget_tokens: 1 });
    await w.must('POST', CHAT, chat('mock'));
    const alerts = async () => (await w.proxy.api('/api/alerts')).items;
    return { alert_id: (await until(async () => (await alerts())[0], () => 'an alert')).id };
  },
  'get /api/runs/{run_id}/what-if': () => ({ query: 'key=openai:gpt-5.5&key=lab:mock' }),
  'get /api/events': () => null /* does not end; live.test.mjs reads it */,
  'post /admin/api/providers': (w) => ({ body: w.provider() }),
  'put /admin/api/providers/{slug}': async (w) => {
    const slug = await w.newProvider();
    return { slug, body: { ...w.provider(slug), capabilities: { vision: true } } };
  },
  'delete /admin/api/providers/{slug}': async (w) => ({ slug: await w.newProvider() }),
  'post /admin/api/providers/{slug}/test': () => ({ slug: 'lab' }),
  'post /admin/api/routes': (w) => ({ body: w.route() }),
  'put /admin/api/routes/{route_id}': async (w) => ({ route_id: await w.newRoute(), body: w.route() }),
  'delete /admin/api/routes/{route_id}': async (w) => ({ route_id: await w.newRoute() }),
  'get /admin/api/routes/{route_id}': async (w) => ({ route_id: await w.newRoute() }),
  'post /admin/api/routes/{route_id}/test': async (w) => ({ route_id: await w.newRoute(), body: { test_kind: 'tools' } }),
  'post /admin/api/routes/simulate': () => ({ body: { model: 'several' } }),
  'post /admin/api/routes/sample-request': () => ({ body: { model: 'mock', provider_slug: 'lab' } }),
  'post /admin/api/settings/listener': () => ({ body: { port: 8123 } }),
  'post /admin/api/settings/upstream-defaults': (w) => ({ body: { upstream_url: w.upstream.url } }),
  'post /admin/api/settings/compat-fixes': () => ({ body: { fixes: [] } }),
  'post /admin/api/settings/trim': () => ({ body: { days: 3650, confirm: true } }),
  'post /admin/api/pricing/prices': (w) => ({ body: w.price() }),
  'get /admin/api/pricing/prices/{price_id}': async (w) => ({ price_id: (await w.newPrice()).id }),
  'put /admin/api/pricing/prices/{price_id}': async (w) => ({ price_id: (await w.newPrice()).id, body: w.price() }),
  'delete /admin/api/pricing/prices/{price_id}': async (w) => ({ price_id: (await w.newPrice()).id }),
  'post /admin/api/pricing/prices/{price_id}/tiers': async (w) => ({
    price_id: (await w.newPrice()).id,
    body: { min_input_tokens: 10, input_usd_per_million: 1, output_usd_per_million: 1 },
  }),
  'put /admin/api/pricing/tiers/{tier_id}': async (w) => ({
    tier_id: await w.tier(),
    body: { label: 'l', input_usd_per_million: 1, output_usd_per_million: 1 },
  }),
  'delete /admin/api/pricing/tiers/{tier_id}': async (w) => ({ tier_id: await w.tier() }),
  'get /admin/api/pricing/find': () => ({ query: 'provider=lab&model=mock' }),
  'post /admin/api/pricing/estimate': () => ({ body: estimate }),
  'post /admin/api/pricing/backfill': () => ({ body: { kind: 'missing' } }),
  'post /admin/api/pricing/catalog/preview': () => ({ body: CATALOG, also: [FILE] }),
  'post /admin/api/pricing/catalog/apply': () => ({ body: { ...CATALOG, keys: ['openrouter:a/b'] } }),
}; // prettier-ignore

/* What an unknown id gives where it is not 404. */
const UNKNOWN_STATUS = {
  'put /admin/api/routes/{route_id}': 400,
  'put /admin/api/providers/{slug}': 200,
};

const twin = (name) => name.replace(' /admin/api/', ' /api/');

async function goodCall(w, name) {
  const make = GOOD[name] ?? GOOD[twin(name)] ?? (() => ({}));
  const call = await make(w);
  return call && { record_id: w.rows[0].id, run_id: w.runId, slug: 'lab', ...call };
}

const fillPath = (path, call) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(call[name] ?? `no ${name}`));

const target = (path, call, query = call.query) => fillPath(path, call) + (query ? `?${query}` : '');

/** The query of a good call with one parameter changed; undefined takes it away. */
function changed(call, name, value) {
  const query = new URLSearchParams(call.query);
  query.delete(name);
  if (value !== undefined) query.set(name, value);
  return query.toString();
}

/** [value, issue type] that a query parameter must refuse. */
function refused({ schema, required }) {
  const bad = [];
  if (schema.type === 'integer' && 'default' in schema) {
    bad.push(['x', 'int_parsing'], ['', 'int_parsing'], ['1.5', 'int_parsing'], [HUGE, 'int_parsing']);
    if ('minimum' in schema) bad.push([schema.minimum - 1, 'greater_than_equal']);
    if ('maximum' in schema) bad.push([schema.maximum + 1, 'less_than_equal']);
  }
  if (schema.format === 'date-time') bad.push(['yesterday', 'datetime_parsing']);
  if (required) bad.push([undefined, 'missing'], ['', 'string_too_short'], [' ', 'string_too_short']);
  return bad;
}

/* ---- the tests ---- */

test('the documents are complete and consistent', async (t) => {
  const proxy = await start(t);
  const documents = [await proxy.api(PUBLIC), await proxy.api(ADMIN)];
  const names = operations(documents[0]).map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(names.sort(), PROMISED);
  assert.equal(documents[0].info.title, 'LLM Observe Proxy');
  assert.deepEqual(documents[0].info.version, (await proxy.api('/api/status')).server.version);
  assert.equal(typeof documents[0].info.summary, 'string');
  const ids = new Set();
  for (const document of documents) {
    assert.equal(document.openapi, '3.1.0');
    for (const { path, method, op } of operations(document)) {
      const what = `${method} ${path}`;
      assert.ok(op.summary, what);
      assert.equal(op.tags.length, 1, what);
      if (document === documents[0] && path.startsWith('/api/'))
        assert.deepEqual(op.tags, ['public api'], what);
      assert.ok(!ids.has(op.operationId), what);
      ids.add(op.operationId);
      const inPath = op.parameters.filter((p) => p.in === 'path').map((p) => p.name);
      assert.deepEqual([...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]), inPath, what);
      if (op.parameters.length || op.requestBody)
        assert.deepEqual(op.responses[422].content['application/json'].schema, {
          $ref: '#/components/schemas/HTTPValidationError',
        }, what); // prettier-ignore
    }
    for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g))
      assert.ok(document.components.schemas[name], name);
  }
  assert.equal(documents[0].paths['/api/runs/start'].post.requestBody.required, false);
});

test('every operation answers as its document says', async (t) => {
  const w = await world(t);
  for (const document of [await w.proxy.api(PUBLIC), await w.proxy.api(ADMIN)]) {
    const schemas = new Schemas(document);
    const detail = { $ref: '#/components/schemas/Detail' };

    for (const { path, method, op } of operations(document)) {
      const name = `${method} ${path}`;
      await t.test(name, () => walk(w, { path, method, op, name, schemas, detail }));
    }
  }
});

async function walk(w, o) {
  const { path, method, op, name, schemas, detail } = o;
  const call = await goodCall(w, name);

  await wrongMethod(w, o);
  if (!call) return;
  for (const body of [call.body, ...(call.also ?? [])]) {
    if (body) {
      const { schema } = op.requestBody.content['application/json'];
      schemas.check(schema, body, `the body of ${name}`);
    }
    const answer = await w.call(method, target(path, call), body);
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
    const [[media, { schema }]] = Object.entries(op.responses[200].content);
    assert.equal(answer.field('content-type').split(';')[0], media);
    if (media === 'application/json') schemas.check(schema, answer.json, name);
  }

  for (const parameter of op.parameters) {
    if (parameter.in === 'query') await badQuery(w, o, call, parameter);
    else await badPath(w, o, call, parameter);
  }
  if (UNKNOWN_STATUS[name]) return;
  for (const { name: key, schema: of } of op.parameters.filter((p) => p.in === 'path')) {
    const unknown = { ...call, [key]: of.type === 'integer' ? UNKNOWN_ID : 'nobody' };
    const missing = await w.call(method, target(path, unknown), call.body);
    assert.equal(missing.status, 404, `${name}: ${missing.text}`);
    schemas.check(detail, missing.json, `${name} of an unknown id`);
  }
}

async function wrongMethod(w, { path, method, name }) {
  const answer = await w.call('OPTIONS', fillPath(path, { record_id: 1, run_id: 1, slug: 'a', route_id: 1, price_id: 1, tier_id: 1, alert_id: 1 }));
  assert.equal(answer.status, 405, name);
  assert.ok(answer.field('allow').split(', ').includes(method.toUpperCase()), name);
  assert.deepEqual(answer.json, { detail: 'Method Not Allowed' });
}

async function badQuery(w, { path, method, name, op, schemas }, call, parameter) {
  for (const [value, type] of refused(parameter)) {
    const answer = await w.call(method, target(path, call, changed(call, parameter.name, value)));
    const what = `${name} with ${parameter.name}=${value}`;
    assert.equal(answer.status, 422, `${what}: ${answer.text}`);
    schemas.check(op.responses[422].content['application/json'].schema, answer.json, what);
    assert.deepEqual(answer.json.detail.map((issue) => [issue.type, issue.loc]), [
      [type, ['query', parameter.name]],
    ]); // prettier-ignore
  }
  if (parameter.schema.type !== 'integer' || 'default' in parameter.schema) return;
  for (const value of ['x', HUGE]) {
    const answer = await w.call(method, target(path, call, changed(call, parameter.name, value)));
    assert.equal(answer.status, 422, `${name} with ${parameter.name}=${value}`);
    assert.match(answer.json.detail, new RegExp(`${parameter.name} must be an integer`));
  }
}

async function badPath(w, { path, method, name, op, schemas }, call, parameter) {
  if (parameter.schema.type !== 'integer') return;
  for (const value of ['x', HUGE, '1.5']) {
    const answer = await w.call(method, target(path, { ...call, [parameter.name]: value }), call.body);
    assert.equal(answer.status, 422, `${name}: ${answer.text}`);
    schemas.check(op.responses[422].content['application/json'].schema, answer.json, name);
    assert.deepEqual(answer.json.detail[0].loc, ['path', parameter.name]);
  }
}

test('all that is wrong with a query is said at once, in the order of the declaration', async (t) => {
  const proxy = await start(t);
  const answer = await proxy.get('/api/requests?before=-1&per_page=900&page=x');
  assert.equal(answer.status, 422);
  assert.deepEqual(JSON.parse(answer.text).detail, [
    { type: 'int_parsing', loc: ['query', 'page'], msg: 'must be an integer', input: 'x' },
    { type: 'less_than_equal', loc: ['query', 'per_page'], msg: 'must be at most 200', input: '900', ctx: { le: 200 } },
    { type: 'greater_than_equal', loc: ['query', 'before'], msg: 'must be at least 0', input: '-1', ctx: { ge: 0 } },
  ]); // prettier-ignore
});

test('a wrong path and a wrong query are told together, as they were received', async (t) => {
  const proxy = await start(t);
  const answer = await proxy.get('/api/runs/a%20%22b/requests?page=0');
  assert.equal(answer.status, 422);
  assert.deepEqual(JSON.parse(answer.text).detail, [
    { type: 'int_parsing', loc: ['path', 'run_id'], msg: 'must be an integer', input: 'a "b' },
    { type: 'greater_than_equal', loc: ['query', 'page'], msg: 'must be at least 1', input: '0', ctx: { ge: 1 } },
  ]); // prettier-ignore
});

test('a body that starts no run says where it is wrong', async (t) => {
  const proxy = await start(t);
  const bad = async (body, fields = [JSON_TYPE]) => {
    const answer = await proxy.request('POST', '/api/runs/start', { fields, body });
    assert.equal(answer.status, 422, body);
    const [{ type, loc, input }, ...others] = answer.json.detail;
    assert.equal(others.length, 0);
    return [type, loc, input];
  };
  assert.deepEqual(await bad('{"name": tru}'), ['json_invalid', ['body', 9], {}]);
  assert.deepEqual(await bad(' {"name": "x"} y'), ['json_invalid', ['body', 15], {}]);
  assert.deepEqual(await bad('{"name": "x", "notes": ["a" "b"]}'), ['json_invalid', ['body', 27], {}]);
  assert.deepEqual(await bad('[1,2]'), ['dict_type', ['body'], [1, 2]]);
  assert.deepEqual(await bad('"x"'), ['dict_type', ['body'], 'x']);
  assert.deepEqual(await bad(JSON.stringify('x'.repeat(500))), ['dict_type', ['body'], null]);
  assert.deepEqual(await bad('{"name":"x"}', [['Content-Type', 'text/plain']]), ['dict_type', ['body'], '{"name":"x"}']);
  assert.equal((await proxy.api('/api/runs')).items.length, 0);
  const plain = await proxy.request('POST', '/api/runs/start', { body: '{"name":"x"}' });
  assert.equal(plain.json.run.name, 'x');
}); // prettier-ignore

test('each filter of the list and each mode of a detail answers by its schema', async (t) => {
  const w = await world(t);
  const document = await w.proxy.api(PUBLIC);
  const schemas = new Schemas(document);
  const of = (path) => document.paths[path].get.responses[200].content['application/json'].schema;
  const flags = ['stream', 'image', 'tool', 'error', 'slow', 'large'].map((flag) => `${flag}=1`);

  for (const query of [...flags, 'facets=0', 'after=2', 'before=3', 'page=99&per_page=2', `run=${w.runId}`, 'status=200', 'status=+', 'endpoint=CHAT'])
    schemas.check(of('/api/requests'), await w.proxy.api(`/api/requests?${query}`), query);
  for (const { id } of w.rows)
    for (const mode of ['auto', 'json', 'text', 'markdown', 'tool', 'sse', 'strange'])
      schemas.check(of('/api/requests/{record_id}'), await w.proxy.detail(id, mode), `${id} ${mode}`);
});

/* Where requests go: startup and stored routes, providers and fallback, keys, and what the API about
 * them refuses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { folder, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const JSON_TYPE = ['Content-Type', 'application/json'];

/** Call the API with a JSON body; gives status and value. */
async function call(proxy, method, target, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const answer = await proxy.request(method, target, { fields: [JSON_TYPE], body });
  return { status: answer.status, value: JSON.parse(answer.body.toString()) };
}

async function must(proxy, method, target, value) {
  const answer = await call(proxy, method, target, value);
  assert.equal(answer.status, 200, JSON.stringify(answer.value));
  return answer.value;
}

const chat = (proxy, model, fields = []) =>
  proxy.request('POST', CHAT, {
    fields: [JSON_TYPE, ...fields],
    body: JSON.stringify({ model, messages: [] }),
  });

test('a saved route is in force for the next request, on every worker', async (t) => {
  const [first, second] = [await scripted(t), await scripted(t)];
  const proxy = await start(t, { upstream: first, args: ['--workers', '4'] });

  const route = await must(proxy, 'POST', '/admin/api/routes', {
    model: 'm', upstream_url: second.url, upstream_model: 'other', priority: 1,
  }); // prettier-ignore
  for (let n = 1; n <= 16; n++) {
    await chat(proxy, 'm');
    assert.equal(second.requests.length, n);
  }
  assert.equal(JSON.parse(second.requests[0].body).model, 'other');
  await must(proxy, 'DELETE', `/admin/api/routes/${route.id}`);
  for (let n = 1; n <= 16; n++) {
    await chat(proxy, 'm');
    assert.equal(first.requests.length, n);
  }
  const rows = await until(async () => {
    const all = await proxy.rows();
    return all.length === 32 && all.every((row) => row.completed_at) && all;
  }, '32 finished rows');
  assert.equal(rows.filter((row) => row.model_route === 'm').length, 16);
});

test('a change by another program is noticed', async (t) => {
  const [first, second] = [await scripted(t), await scripted(t)];
  const proxy = await start(t, { upstream: first });
  const sql =
    'INSERT INTO model_routes (incoming_model, upstream_url, priority, created_us, updated_us)' +
    ` VALUES ('m', '${second.url}', 1, 1, 1)`;

  assert.equal(spawnSync('sqlite3', [proxy.database, sql]).status, 0);
  await until(async () => {
    await chat(proxy, 'm');
    return second.requests.length > 0;
  }, 'a request that takes the new route');
});

test('a literal key goes upstream and nowhere else', async (t) => {
  const upstream = await scripted(t);
  const dir = folder(t);
  const file = path.join(dir, 'models.json');
  const key = 'sk-a-key-that-nobody-may-see';
  writeFileSync(
    file,
    JSON.stringify([
      { model: 'keyed', upstream_url: upstream.url, api_key: key },
      { model: 'unset', upstream_url: upstream.url, api_key_env: 'LOP_TEST_NO_SUCH_KEY' },
    ]),
  );
  const proxy = await start(t, { upstream, args: ['--models-file', file, '--log-level', 'trace'] });

  const own = [['Authorization', 'Bearer client'], ['x-api-key', 'client']];
  await chat(proxy, 'keyed', own);
  await chat(proxy, 'unset', own);
  await chat(proxy, 'other', own);
  const sent = upstream.requests.map((r) => [r.field('authorization'), r.field('x-api-key')]);
  assert.deepEqual(sent[0], [`Bearer ${key}`, undefined]);
  assert.deepEqual(sent[1], [undefined, undefined]);
  assert.deepEqual(sent[2], ['Bearer client', 'client']);

  const { value } = await call(proxy, 'POST', '/admin/api/routes/simulate', { model: 'keyed' });
  assert.equal(value.api_key_state, 'configured');
  assert.ok(!JSON.stringify(value).includes(key));
  await until(async () => (await proxy.rows()).filter((r) => r.completed_at).length === 3, 'rows');
  await proxy.stop();
  assert.ok(!(proxy.child.out + proxy.child.err).includes(key), 'the key is in the log');
  for (const name of readdirSync(path.dirname(proxy.database)))
    if (name.startsWith(path.basename(proxy.database)))
      assert.ok(
        !readFileSync(path.join(path.dirname(proxy.database), name)).includes(key),
        `the key is in ${name}`,
      );
});

test('a compressed body that is changed goes out plain', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  await must(proxy, 'POST', '/admin/api/routes', {
    model: 'm', upstream_url: upstream.url, upstream_model: 'n',
  }); // prettier-ignore
  const body = '{"model":"m","n":18446744073709551615}';

  await proxy.request('POST', CHAT, {
    fields: [JSON_TYPE, ['Content-Encoding', 'gzip']],
    body: zlib.gzipSync(body),
  });
  const [seen] = upstream.requests;
  assert.equal(seen.body.toString(), '{"model":"n","n":18446744073709551615}');
  assert.equal(seen.field('content-encoding'), undefined);
  assert.equal(seen.field('content-length'), String(seen.body.length));
});

test('the fallback takes what no route matches, while it can', async (t) => {
  const [first, second] = [await scripted(t), await scripted(t)];
  const proxy = await start(t, { upstream: first });
  await must(proxy, 'PUT', '/admin/api/providers/lab', { name: 'Lab', base_url: second.url });
  const set = (value) =>
    must(proxy, 'POST', '/admin/api/settings/upstream-defaults', {
      upstream_url: first.url, default_provider_slug: 'lab', default_model: 'house', ...value,
    }); // prettier-ignore

  const summary = await set({});
  assert.equal(summary.upstream.default_provider_name, 'Lab');
  await chat(proxy, 'nobody-knows');
  assert.equal(JSON.parse(second.requests[0].body).model, 'house');
  await set({ fallback_enabled: false });
  await chat(proxy, 'nobody-knows');
  await set({});
  await must(proxy, 'DELETE', '/admin/api/providers/lab');
  await chat(proxy, 'nobody-knows');
  assert.equal(second.requests.length, 1);
  assert.equal(first.requests.length, 2);
});

const ROUTE = { model: 'm', upstream_url: 'http://one.test/v1' };
const REFUSED = [
  ['POST', '/admin/api/routes', {}, 400, /model is required/i],
  ['POST', '/admin/api/routes', [1], 400, /model is required/i],
  ['POST', '/admin/api/routes', { ...ROUTE, match_type: 'glob' }, 400, /match type/i],
  ['POST', '/admin/api/routes', { ...ROUTE, match_type: 'prefix' }, 400, /prefix/i],
  ['POST', '/admin/api/routes', { ...ROUTE, upstream_url: '/v1' }, 400, /absolute/],
  ['POST', '/admin/api/routes', { ...ROUTE, upstream_url: 'http://h/x' }, 400, /\/v1 base URL/],
  ['POST', '/admin/api/routes', { ...ROUTE, upstream_url: 'http://u:p@h/v1' }, 400, /user name/],
  ['POST', '/admin/api/routes', { ...ROUTE, priority: null }, 400, /priority/i],
  ['POST', '/admin/api/routes', { ...ROUTE, priority: 'x' }, 400, /priority/i],
  ['POST', '/admin/api/routes', { ...ROUTE, priority: 101 }, 400, /between 1 and 100/],
  ['POST', '/admin/api/routes', { ...ROUTE, priority: 1e300 }, 400, /priority/i],
  ['POST', '/admin/api/routes', { ...ROUTE, provider_slug: 'no slug' }, 400, /slug/i],
  ['POST', '/admin/api/routes', { ...ROUTE, provider_slug: 'nobody' }, 400, /not found/],
  ['POST', '/admin/api/routes', { ...ROUTE, fixes: ['x'] }, 400, /Unknown compatibility fix/],
  ['POST', '/admin/api/routes', { ...ROUTE, fixes: 5 }, 400, /list/],
  ['POST', '/admin/api/routes', { ...ROUTE, api_key_env: 'A B' }, 400, /env/i],
  ['POST', '/admin/api/routes', { ...ROUTE, id: 'x' }, 400, /id/],
  ['POST', '/admin/api/routes', { ...ROUTE, id: 99999 }, 400, /not found/i],
  ['PUT', '/admin/api/routes/99999', ROUTE, 400, /not found/i],
  ['PUT', '/admin/api/routes/x', ROUTE, 422, null],
  ['DELETE', '/admin/api/routes/99999', undefined, 404, /^Route not found\.$/],
  ['GET', '/admin/api/routes/99999', undefined, 404, /^Route not found\.$/],
  ['GET', '/admin/api/routes?page=0', undefined, 422, null],
  ['GET', '/admin/api/routes/simulate', undefined, 405, /Method Not Allowed/],
  ['POST', '/admin/api/routes/simulate', {}, 400, /required/],
  ['GET', '/api/models/lookup', undefined, 422, null],
  ['GET', '/api/models/lookup?model=+', undefined, 422, null],
  ['GET', '/api/models/lookup?model=m&provider_slug=nobody', undefined, 400, /not found/],
  ['POST', '/admin/api/routes/sample-request', { model: 'm', provider: 'nobody' }, 400, /not found/],
  ['POST', '/admin/api/routes/defaults/apply', { mode: 'all' }, 400, /mode/i],
  ['POST', '/admin/api/routes/defaults/preview', { provider: 'A B' }, 400, /slug/i],
  ['POST', '/admin/api/providers', {}, 400, /slug/i],
  ['POST', '/admin/api/providers', { slug: 'a' }, 400, /name/i],
  ['POST', '/admin/api/providers', { slug: 'a', name: 'A', currency: '€' }, 400, /currency/i],
  ['POST', '/admin/api/providers', { slug: 'a', name: 'A', base_url: 'ftp://h' }, 400, /http/],
  ['POST', '/admin/api/providers',
    { slug: 'a', name: 'A', base_url: 'https://api.openai.com/v1/' }, 400, /openai/],
  ['POST', '/admin/api/providers', { slug: 'a', name: 'A', capabilities: '{' }, 400, /valid JSON/],
  ['POST', '/admin/api/providers', { slug: 'a', name: 'A', capabilities: [] }, 400, /object/],
  ['POST', '/admin/api/providers',
    { slug: 'a', name: 'A', active: false, is_default_fallback: true }, 400, /active/],
  ['DELETE', '/admin/api/providers/nobody', undefined, 404, /^Provider not found\.$/],
  ['DELETE', '/admin/api/providers/A%20B', undefined, 404, /^Provider not found\.$/],
  ['POST', '/admin/api/providers/nobody/test', {}, 404, /^Provider not found\.$/],
  ['POST', '/admin/api/settings/upstream-defaults', { upstream_url: 'x' }, 400, /http/],
  ['POST', '/admin/api/settings/upstream-defaults',
    { upstream_url: 'http://h/v1', default_provider_slug: 'nobody' }, 400, /not found/],
  ['POST', '/admin/api/settings/compat-fixes', { fixes: ['x'] }, 400, /Unknown compatibility fix/],
  ['POST', '/admin/api/settings/listener', { port: 'x' }, 400, /between 1 and 65535/],
]; // prettier-ignore

test('what is refused says why and leaves the database as it was', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const generation = () => proxy.sql('SELECT value FROM generation');
  const before = generation();

  for (const [method, target, value, status, message] of REFUSED) {
    const answer = await call(proxy, method, target, value);
    const what = `${method} ${target} ${JSON.stringify(value)}: ${JSON.stringify(answer)}`;
    assert.equal(answer.status, status, what);
    if (message) assert.match(answer.value.detail, message, what);
    else assert.ok(Array.isArray(answer.value.detail), what);
  }
  assert.deepEqual(generation(), before);
});

test('an edit makes a generated route the user’s own', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const again = await must(proxy, 'POST', '/admin/api/routes/defaults/apply', {});
  assert.deepEqual([again.inserted, again.skipped_existing], [0, again.total_candidates]);
  const { items } = await proxy.api('/admin/api/routes?search=gpt&per_page=1');
  assert.equal(items[0].managed, true);
  const kept = { ...items[0], active: false };

  const edited = await must(proxy, 'PUT', `/admin/api/routes/${items[0].id}`, kept);
  assert.equal(edited.managed_by, null);
  const refreshed = await must(proxy, 'POST', '/admin/api/routes/defaults/apply', {
    mode: 'refresh_seeded',
  });
  assert.equal(refreshed.skipped_user, 1);
  assert.equal((await proxy.api(`/admin/api/routes/${items[0].id}`)).active, false);
});

test('a first start makes a route for every known model, a later one none', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t), env: { OPENAI_API_KEY: '' } });
  const simulate = (model) => must(proxy, 'POST', '/admin/api/routes/simulate', { model });
  const known = await simulate('gpt-5.5');
  assert.deepEqual(
    [known.status, known.matched_route, known.upstream_url, known.provider_slug],
    ['missing_api_key', 'gpt-5.5', 'https://api.openai.com/v1', 'openai'],
  );
  assert.equal((await simulate('nobody-knows')).status, 'no_match');
  assert.match(proxy.child.err, /made routes for known models: .* count=120/);
  const { items } = await proxy.api('/admin/api/routes?search=gpt-5.5&per_page=1');
  await must(proxy, 'DELETE', `/admin/api/routes/${items[0].id}`);
  await proxy.stop();
  await proxy.restart();
  assert.equal((await proxy.api('/admin/api/routes')).total, 119);
  assert.ok(!proxy.child.err.includes('made routes'));
});

test('a first start without default routes leaves every model to the upstream', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { default_routes: 0 } });
  assert.equal((await proxy.api('/admin/api/routes')).total, 0);
  await chat(proxy, 'gpt-5.5', [['Authorization', 'Bearer client']]);
  assert.equal(upstream.requests[0].field('authorization'), 'Bearer client');
});

/** Put a setting and routes into the file of a proxy that does not run. */
function change(proxy, query) {
  const done = spawnSync('sqlite3', [proxy.database, query]);
  assert.equal(done.status, 0, String(done.stderr));
}

const OLD = [
  { model: ' old ', upstream_url: 'http://one.test/v1/', upstream_model: 'new', api_key_env: 'K' },
  { model: 'gpt-5.5', upstream_url: 'http://one.test/v1', provider_slug: 'nobody' },
];
const save = (text) =>
  `INSERT OR REPLACE INTO app_settings VALUES ('model_routes_json', '${text}', '2031-01-01')`;

test('routes that an old version kept as a setting become stored routes', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  await proxy.stop();
  change(proxy, save(JSON.stringify(OLD)));
  await proxy.restart();
  const row = async (model) =>
    (await proxy.api(`/admin/api/routes?search=${model}`)).items.find((r) => r.incoming_model === model);
  const { upstream_model, upstream_url, match_type, priority, api_key_env, source } = await row('old');
  assert.deepEqual(
    [upstream_model, upstream_url, match_type, priority, api_key_env, source],
    ['new', 'http://one.test/v1', 'exact', 50, 'K', 'ui'],
  );
  const taken = await row('gpt-5.5'); /* the generated one gave way */
  assert.deepEqual([taken.upstream_url, taken.provider_slug, taken.source], ['http://one.test/v1', null, 'ui']);
  assert.deepEqual(proxy.sql("SELECT 1 FROM app_settings WHERE key = 'model_routes_json'"), []);
});

for (const [what, text] of [
  ['that cannot be read', '[{"model":"m"}]'],
  ['that is no list', '{"model_routes":[]}'],
  ['that holds a key', '[{"model":"m","upstream_url":"http://one.test/v1","api_key":"sk-old"}]'],
])
  test(`a setting of an old version ${what} is left alone, with a warning`, async (t) => {
    const proxy = await start(t, { upstream: await scripted(t), set: { default_routes: 0 } });
    await proxy.stop();
    change(proxy, save(text));
    await proxy.restart();
    assert.equal((await proxy.api('/admin/api/routes')).total, 0);
    assert.match(proxy.child.err, /level=warning .*model_routes_json is left alone/);
    assert.ok(!proxy.child.err.includes('sk-old'));
    const kept = proxy.sql("SELECT value FROM app_settings WHERE key = 'model_routes_json'");
    assert.deepEqual(kept, [{ value: text }]);
  });

test('routes of an old version are not taken where a person has made others', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t), set: { default_routes: 0 } });
  await must(proxy, 'POST', '/admin/api/routes', ROUTE);
  await proxy.stop();
  change(proxy, save(JSON.stringify(OLD)));
  await proxy.restart();
  assert.equal((await proxy.api('/admin/api/routes')).total, 1);
});

test('health checks tell how a provider answers', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/models', (turn) => turn.answer(401, [], '{}'));
  const proxy = await start(t, { upstream, env: { LOP_TEST_KEY: 'k' } });
  const lab = { name: 'Lab', base_url: upstream.url };

  await must(proxy, 'PUT', '/admin/api/providers/lab', lab);
  const open = await must(proxy, 'POST', '/admin/api/providers/lab/test');
  assert.deepEqual([open.status, open.auth_state, open.message], [
    'healthy', 'not_configured', 'HTTP 401',
  ]); // prettier-ignore
  await must(proxy, 'PUT', '/admin/api/providers/lab', { ...lab, api_key_env: 'LOP_TEST_KEY' });
  const keyed = await must(proxy, 'POST', '/admin/api/providers/lab/test');
  assert.deepEqual([keyed.status, keyed.auth_state], ['warning', 'valid']);
  assert.equal(upstream.requests.at(-1).field('authorization'), 'Bearer k');
  await must(proxy, 'PUT', '/admin/api/providers/lab', { name: 'Lab' });
  const none = await must(proxy, 'POST', '/admin/api/providers/lab/test');
  assert.deepEqual([none.status, none.latency_ms], ['warning', null]);
  assert.equal(proxy.sql('SELECT count(*) AS n FROM requests')[0]?.n ?? 0, 0);
});

for (const [what, text, code] of [
  ['is no JSON', '[', 'invalid_json'],
  ['names a model twice',
    '[{"model":"a","upstream_url":"http://h/v1"},{"model":" a","upstream_url":"http://h/v1"}]',
    'duplicate_model_route'],
  ['has a bad URL', '[{"model":"a","upstream_url":"h/v1"}]', 'upstream_url_not_absolute'],
]) // prettier-ignore
  test(`a models file that ${what} stops the start with one line`, async (t) => {
    const file = path.join(folder(t), 'models.json');
    writeFileSync(file, text);
    const { code: status, err } = await run(['serve', '--port', '0', '--models-file', file]);
    assert.equal(status, 2);
    assert.equal(err.trimEnd().split('\n').length, 1, err);
    assert.ok(err.includes(file) && err.includes(code), err);
  });

test('lists name the upstream that is in force', async (t) => {
  const proxy = await start(t, {});
  const saved = 'http://127.0.0.1:9/v1';
  await must(proxy, 'POST', '/admin/api/settings/upstream-defaults', { upstream_url: saved });
  assert.equal((await proxy.api('/api/requests')).upstream_url, saved);
});

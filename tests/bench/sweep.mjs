/* Which pages of a large database are slow: node tests/bench/sweep.mjs URL [rounds]
 *
 * Asks for every page, filter alone, in pairs and in threes, first, middle and last page, and prints
 * median and maximum of all and the slowest ones. Without rounds each is asked for 3 times. */
const [url, rounds = '3'] = process.argv.slice(2);
const get = async (path) => {
  const from = performance.now();
  const answer = await fetch(url + path);
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} from ${path}: ${body.slice(0, 200)}`);
  return [performance.now() - from, body];
};
const filters = ['model=model-7', 'endpoint=chat', 'endpoint=v1', 'provider=lab-2', 'provider=Lab%203', 'route=model-*',
  'status=200', 'status=500', 'run=7', 'run=150', 'stream=1', 'image=1', 'tool=1', 'error=1', 'slow=1', 'large=1']; // prettier-ignore
const key = (f) => f.split('=')[0];
const sets = [[]];
for (const a of filters) {
  sets.push([a]);
  for (const b of filters.slice(filters.indexOf(a) + 1)) {
    if (key(a) === key(b)) continue;
    sets.push([a, b]);
    for (const c of filters.slice(filters.indexOf(b) + 1)) if (![key(a), key(b)].includes(key(c))) sets.push([a, b, c]);
  }
}
const runs = [1, 77, 200];
const others = ['/api/requests?after=500000&limit=100', '/api/requests?before=500000&limit=100',
  '/api/requests?after=500000&stream=1&limit=100', '/api/requests?before=900000&error=1&tool=1&limit=100',
  '/api/runs', '/api/status', '/api/models', '/api/models/suggest?q=model', '/api/live', '/metrics', '/healthz',
  '/admin/api/providers', '/admin/api/providers/usage', '/admin/api/routes', '/admin/api/routes/usage',
  '/admin/api/settings/summary', '/admin/api/settings/retention-preview', '/admin/api/storage',
  '/api/requests/500000', '/api/requests/999999', '/api/requests?order=asc', '/api/requests?sort=oldest',
  ...runs.flatMap((r) => [`/api/runs/${r}`, `/api/runs/${r}/stats`, `/api/runs/${r}/requests?page=25&per_page=100`,
    `/api/runs/${r}?page=50&per_page=100`, `/admin/api/runs/${r}/what-if`])]; // prettier-ignore

const times = [];
const measure = async (path) => {
  let body;
  const mine = [];
  for (let i = 0; i < Number(rounds); i++) {
    const [ms, text] = await get(path);
    mine.push(ms);
    body = text;
  }
  mine.sort((x, y) => x - y);
  times.push({ path, median: mine[mine.length >> 1], max: mine.at(-1) });
  return body;
};
for (const path of others) {
  try {
    await measure(path);
  } catch (e) {
    console.log(String(e.message).slice(0, 120));
  }
}
for (const set of sets) {
  const query = set.length ? `${set.join('&')}&` : '';
  const pages = JSON.parse(await measure(`/api/requests?${query}per_page=50`)).pagination.total_pages;
  if (pages > 2) await measure(`/api/requests?${query}per_page=50&page=${Math.round(pages / 2)}`);
  if (pages > 1) await measure(`/api/requests?${query}per_page=50&page=${pages}`);
}
const at = (share, of) => times.map((t) => t[of]).sort((x, y) => x - y)[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1); // prettier-ignore
console.log(`${times.length} pages: median ${at(0.5, 'median')} ms, 99 % ${at(0.99, 'median')} ms; slowest answer ${at(1, 'max')} ms`);
for (const t of times.sort((x, y) => y.median - x.median).slice(0, 40))
  console.log(`${t.median.toFixed(1).padStart(8)} ${t.max.toFixed(1).padStart(8)}  ${t.path}`);

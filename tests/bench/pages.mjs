/* How long pages take: node tests/bench/pages.mjs URL [rounds]. Prints median, p99 and the slowest. */
const [url, rounds = '20'] = process.argv.slice(2);
const each = (n, make) => Array.from({ length: n }, (_, i) => make(i + 1));
const groups = {
  'GET /api/runs': ['/api/runs'],
  'GET /api/runs/{id}': each(200, (i) => `/api/runs/${i}`),
  'GET /api/runs/{id}/stats': each(200, (i) => `/api/runs/${i}/stats`),
  'GET /api/runs/{id}/requests, pages': each(40, (i) => `/api/runs/${i * 5}/requests?page=${i}&per_page=100`),
  'GET /api/requests': ['/api/requests'],
  'GET /api/requests?run=': each(200, (i) => `/api/requests?run=${i}&error=1`),
  'GET retention-preview': ['/admin/api/settings/retention-preview'],
  'GET /metrics': ['/metrics'],
}; // prettier-ignore

for (const [name, paths] of Object.entries(groups)) {
  const times = [];
  const count = Math.max(paths.length, Number(rounds));
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    const answer = await fetch(url + paths[i % paths.length]);
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${answer.status} from ${paths[i % paths.length]}`);
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
  console.log(`${name.padEnd(40)} median ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms`);
}

/* Pages while requests are captured: node tests/bench/mixed.mjs PROXY_URL [requests/s] [seconds]
 *
 * Sends requests through the proxy at a fixed rate, first alone, then while pages are polled, then
 * alone again, and prints the proxy's latency in each part, and median and 99 % of each page. */
import { Agent, request } from 'node:http';

const [url, rate = '500', seconds = '8'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const body = JSON.stringify({ model: 'mock-r1024', messages: [{ role: 'user', content: 'x'.repeat(900) }] });
const ask = (method, path, data) =>
  new Promise((resolve, reject) => {
    const from = performance.now();
    const headers = data ? { 'content-type': 'application/json', 'content-length': data.length } : {};
    const r = request(url + path, { method, agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => (answer.statusCode === 200 ? resolve(performance.now() - from) : reject(new Error(`${answer.statusCode} ${path}`))));
    }); // prettier-ignore
    r.on('error', reject);
    r.end(data);
  });
const at = (times, share) => times.sort((x, y) => x - y)[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1); // prettier-ignore
const show = (name, times) => console.log(`${name.padEnd(64)} ${String(times.length).padStart(6)}  median ${at(times, 0.5)} ms  99 % ${at(times, 0.99)} ms`); // prettier-ignore

async function load(during) {
  const times = [];
  const open = new Set();
  const begin = performance.now();
  let sent = 0;
  let on = true;
  const pages = during ? during(() => on) : undefined;
  while (performance.now() - begin < seconds * 1000) {
    for (; sent < ((performance.now() - begin) * rate) / 1000; sent++) {
      const one = ask('POST', '/v1/chat/completions', body).then((ms) => times.push(ms));
      open.add(one);
      one.finally(() => open.delete(one));
    }
    await new Promise((done) => setTimeout(done, 2));
  }
  on = false;
  await Promise.all(open);
  await pages;
  return times;
}

const paths = ['/api/requests', '/api/requests?page=10000', '/api/requests?stream=1&status=200',
  '/api/requests?stream=1&status=200&page=3000', '/api/requests?run=77&error=1', '/api/requests?model=model-7&tool=1&slow=1&page=10',
  '/api/requests?endpoint=chat&provider=lab-2&status=200&page=2000', '/api/runs', '/api/runs/77', '/api/runs/77/stats',
  '/api/runs/77/requests?page=25&per_page=100', '/admin/api/runs/77/what-if', '/admin/api/providers/usage',
  '/admin/api/routes/usage', '/admin/api/settings/summary', '/admin/api/settings/retention-preview', '/api/live', '/metrics']; // prettier-ignore
const times = Object.fromEntries(paths.map((path) => [path, []]));
const poll = async (on) => {
  for (let i = 0; on(); i++) {
    times[paths[i % paths.length]].push(await ask('GET', paths[i % paths.length]));
    await new Promise((done) => setTimeout(done, 20));
  }
};

show('proxy, nobody polls', await load());
show('proxy, pages are polled', await load(poll));
show('proxy, nobody polls', await load());
for (const path of paths) show(path, times[path]);
agent.destroy();

/* Writes traffic.jsonl: what /api/live answers about some made-up traffic, one line. The screens
 * beside it are drawn from it. Run it after a change here: node make.mjs */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NOW = Date.parse('2026-11-23T14:02:07.104Z');
const iso = (ms) => new Date(ms).toISOString().replace('Z', '000Z');

/* id age st endpoint model provider in cache out reason ttft tok/s gap dur bytes cost tools finish run */
const ROWS = [
  '4127 0.9s pre messages claude-sonnet-4-6 anthropic ~48.1k - - - - - - 900ms 0 ~$0.1443 - - bench-42',
  '4126 2.2s str chat qwen3-coder-30b local-llm ~12.4k - ~286 - 180ms 141.6 9ms 2.20s 38.1K - - - bench-42',
  '4125 6.7s str responses gpt-5.4-mini openai ~31k - ~402 - 410ms 64.0 14ms 6.70s 61.7K ~$0.0251 1 - bench-42',
  '4124 9.1s STL chat glm-4.7 zai ~22.7k - ~88 - 1.90s 0.0 2.60s 9.10s 9.9K ~$0.0138 - - bench-42',
  '4123 14.0s str chat qwen3-coder-30b local-llm ~9.91k - ~1.9k - 160ms 137.3 7ms 14.0s 212K - - - -',
  '4122 16.5s ok responses gpt-5.4-mini openai 30.6k 90% 118 40 390ms 71.5 20ms 2.04s 18.3K $0.0049 2 complet+ bench-42',
  '4121 18.0s 429 messages claude-sonnet-4-6 anthropic - - - - - - - 212ms 310 - - - bench-42',
  '4120 21.3s ok messages claude-sonnet-4-6 anthropic 47.7k 97% 640 0 1.10s 58.2 31ms 12.1s 84.0K $0.0278 1 tool_use bench-42',
  '4119 25.0s cxl chat glm-4.7 zai - - - - 2.01s - 1.80s 5.68s 4.1K - - - bench-42',
  '4118 26.6s ok chat qwen3-coder-30b local-llm 9.12k 89% 702 0 150ms 143.0 9ms 5.06s 79.2K - - stop -',
  '4117 30.2s ok responses gpt-5.4-mini openai 29.8k 90% 233 96 440ms 66.0 24ms 3.97s 36.0K $0.0053 1 complet+ bench-42',
  '4116 33.8s fix chat qwen3-coder-30b local-llm 8.83k 0% 511 200 920ms 139.6 9ms 4.58s 57.4K - 1 tool_ca+ bench-42',
  '4115 36.0s tmo chat glm-4.7 zai - - - - - - - 30.0s 94 - - - bench-42',
  '4114 38.2s ok messages claude-sonnet-4-6 anthropic 46.9k 97% 212 0 1.02s 60.4 29ms 4.53s 28.8K $0.0210 1 tool_use bench-42',
  '4113 41.0s ok embeddings bge-m3 local-llm 1.21k - - - - - - 31ms 22.5K - - - -',
  '4112 44.7s ok responses gpt-5.4-mini openai 29.1k 90% 309 140 470ms 65.9 25ms 5.16s 47.9K $0.0055 1 complet+ bench-42',
  '4111 47.5s ok chat qwen3-coder-30b local-llm 8.1k 88% 455 0 150ms 144.0 9ms 3.31s 51.3K - 1 tool_ca+ bench-42',
  '4110 52.9s ok messages claude-sonnet-4-6 anthropic 46.2k 0% 388 0 4.90s 56.2 33ms 11.8s 50.2K $0.1444 1 tool_use bench-42',
  '4109 58.0s ok chat glm-4.7 zai 21.2k 0% 201 0 1.77s 11.4 1.10s 19.4s 22.6K $0.0132 1 tool_ca+ bench-42',
  '4108 1m01s ok responses gpt-5.4-mini openai 28.3k 91% 97 31 380ms 70.3 19ms 1.76s 15.1K $0.0043 1 complet+ bench-42',
  '4107 1m04s ok chat qwen3-coder-30b local-llm 7.72k 88% 380 0 140ms 144.5 9ms 2.77s 42.8K - 1 stop bench-42',
  '4106 1m09s cut chat glm-4.7 zai - - - - 1.80s - 1.40s 8.20s 8.0K - - - bench-42',
];

const UNITS = { '': 1, k: 1e3, K: 1024, M: 1e6, '%': 0.01, ms: 1, s: 1e3 };
/* "~48.1k" is 48100, "1m04s" 64000 ms, "-" null. */
function value(text) {
  if (text === '-') return null;
  const minutes = /^(\d+)m(\d+)s$/.exec(text);
  if (minutes) return (Number(minutes[1]) * 60 + Number(minutes[2])) * 1000;
  const [, digits, unit] = /^~?\$?([\d.]+)(ms|s|k|K|M|%)?$/.exec(text);
  return Number((Number(digits) * UNITS[unit ?? '']).toFixed(6));
}

const ENDPOINTS = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
  embeddings: '/v1/embeddings',
};
const LIVE = { pre: 'waiting', str: 'streaming', STL: 'stalled' };
const OUTCOMES = { ok: 'ok', cxl: 'client_gone', tmo: 'timeout', cut: 'cut', fix: 'rewritten' };
const STATUS = { cxl: 499, tmo: 504 };
const FINISH = { 'complet+': 'completed', 'tool_ca+': 'tool_calls', '-': null };
const text = (t) => (t === '-' ? null : t);

function row(line) {
  const [id, age, st, endpoint, model, provider, input, cache, out, reason, ttft, tps, gap, dur, bytes, cost, tools, finish, run] =
    line.split(' ');
  const live = st in LIVE;
  const arrived = NOW - value(age);
  const tokens = { input: value(input), cached_input: null, output: value(out), input_estimated: live, output_estimated: live };
  if (value(cache) !== null) tokens.cached_input = Math.round(value(cache) * tokens.input);
  return {
    id: Number(id),
    rev: Number(id) + 77000,
    created_at: iso(arrived),
    completed_at: live ? null : iso(arrived + value(dur)),
    endpoint: ENDPOINTS[endpoint],
    model,
    provider_slug: provider,
    status: st === 'pre' ? null : /^\d/.test(st) ? Number(st) : (STATUS[st] ?? 200),
    state: live ? LIVE[st] : 'done',
    outcome: live ? null : (OUTCOMES[st] ?? 'http_error'),
    duration_ms: live ? null : value(dur),
    elapsed_ms: live ? value(dur) : null,
    tokens,
    reasoning_tokens: value(reason),
    ttft_ms: value(ttft),
    generation_tps: live ? null : text(tps),
    current_tps: live ? text(tps) : null,
    chunk_gap_p95_ms: live ? null : value(gap),
    gap_ms: live ? value(gap) : null,
    response_bytes: Math.round(value(bytes)),
    cost_usd: value(cost),
    cost_estimated: live && cost !== '-',
    tool_call_count: value(tools),
    finish_reason: finish in FINISH ? FINISH[finish] : finish,
    task_run: run === '-' ? null : { id: 12, name: run },
  };
}

const rows = ROWS.map(row);
const selected = rows.find((r) => r.id === 4125);
Object.assign(selected, { event_count: 402, chunk_gap_max_ms: 310, price_checked_at: '2026-05-23' });
const failed = rows.find((r) => r.id === 4115);
failed.error = 'glm-4.7: no response head from zai after 30.0s';

/* Older ones: 209 within the last 15 minutes, 779 before. */
for (let i = 0; i < 988; i++) {
  const ago = i < 209 ? 70 + i * 3.9 : 901 + (i - 209) * 5;
  rows.push({ id: 4105 - i, rev: 81105 - i, created_at: iso(NOW - Math.round(ago * 1000)), state: 'done', outcome: 'ok', status: 200 });
}

/* Output tokens a second. */
const output = [
  324, 274, 374, 474, 324, 374, 524, 424, 474, 524, 424, 524, 424, 374, 374, 424,
  424, 274, 324, 224, 324, 274, 124, 224, 124, 124, 224, 224, 174, 60, 174, 224,
  174, 124, 174, 124, 321, 224, 321, 374, 321, 439, 374, 532, 439, 532, 561, 439,
  439, 532, 532, 532, 374, 414, 321, 414, 224, 346, 185, 321, 160, 224, 224, 185,
  124, 124, 124, 185, 160, 124, 124, 160, 160, 321, 224, 224, 374, 346, 439, 439,
  439, 474, 439, 532, 414, 439, 532, 474, 414, 439, 374, 439, 374, 278, 374, 224,
];
const SPARK = ' .:-=+*#';
const requests = [...'==+=++++**++-+=+=::-.:...:..:=:-=+++=++**======-:-::-::::.--'].map((c) => SPARK.indexOf(c) + 1);
const gaps = (graph) => [...graph].map((c) => ({ '.': 10, ':': 20, '-': 30, '*': 55 })[c]);

const model = (name, provider, requests, errors, output, tps) => ({
  model: name,
  provider_slug: provider,
  inflight: 1,
  requests,
  errors,
  tokens: { input: output * 20, cached_input: output * 14, output },
  output_tokens_per_second: tps,
  generation_tps_p50: tps,
  ttft_ms_p50: 400,
  ttft_ms_p95: 910,
  cost_usd: requests / 200,
  unpriced: 0,
});
const upstream = (slug, host, inflight, ttft, errors, limited, state) => ({
  host,
  base_url: `https://${host}/v1`,
  provider_slug: slug,
  inflight,
  requests: 41,
  errors,
  rate_limited: limited,
  connect_ms_p50: 31,
  ttft_ms_p50: ttft,
  last_error: errors ? 'no response head after 30.0s' : null,
  state,
});

const said = {
  id: 4125,
  offset: 0,
  user: 'Fix the flaky retry test in client_test.py',
  truncated: false,
  gaps_ms: gaps('.:::::*:..:.*.:.:.:.:..:.:.:.::.-.:.*::****-:.:.-*..........-:-..........:..:...*...-*-.:.'),
  items: [
    {
      kind: 'reasoning',
      text: 'The test asserts on the attempt counter, and the client resets that on every turn of the loop.',
      open: false,
    },
    {
      kind: 'text',
      text: 'The failing assertion comes from the retry counter being reset inside the loop, so I will move it above the `for` and add a test that sends two 429s before the 200',
      open: true,
    },
    { kind: 'tool_call', name: 'edit_file', text: '{"path":"client.py","old":"for attempt in ra', open: true },
  ],
};

const traffic = {
  rev: 81240,
  now: iso(NOW),
  instance: '5f0c9a17',
  server: {
    version: '1.0.0',
    api: 1,
    pid: 4711,
    host: 'devbox',
    url: 'http://localhost:8080',
    client_base_url: 'http://localhost:8080/v1',
    upstream_url: 'http://localhost:8000/v1',
    database: '/home/ada/traffic.sqlite3',
    uptime_ms: 11532104,
    workers: 2,
  },
  store: { queue_depth: 0, shed_bodies: 0, lost_events: 0, rows: 48231, db_bytes: 1288490188, wal_bytes: 4299161 },
  totals: { inflight: 5, inflight_peak: 10, stalled: 1, requests: 48231, errors: 312, client_gone: 3, cancelled: 1 },
  rates: {
    window_ms: 10000,
    requests_per_second: '1.90',
    output_tokens_per_second: '343.20',
    input_tokens_per_second: '9812.00',
    response_bytes_per_second: '61240.00',
  },
  minute: { cost_usd: 0.212, finished: 112, unpriced: 9 },
  recent: {
    window_ms: 300000,
    finished: 548,
    errors: 8,
    client_gone: 3,
    unpriced: 61,
    error_rate: 0.0146,
    cached_share: 0.71,
    ttft_ms: { count: 402, p50: 184, p95: 1210, p99: 2400, max: 4900 },
    gap_ms: { count: 398, p50: 11, p95: 38, p99: null, max: 310 },
    duration_ms: { count: 548, p50: 4530, p95: 19400, p99: 31000, max: 44200 },
  },
  series: { step_ms: 1000, output_tokens: output, requests },
  active_run: {
    id: 12,
    name: 'bench-42',
    open_duration_ms: 451000,
    request_count: 214,
    error_count: 3,
    pending_count: 4,
    tokens: { input: 4610000, cached_input: 3273100, output: 92400 },
    total_cost_usd: 1.84,
    llm_wall_time_ms: 432000,
    output_tokens_per_second: '38.20',
    budget_usd: null,
  },
  inflight: rows.filter((r) => r.state !== 'done').reverse(),
  finished: rows.filter((r) => r.state === 'done'),
  models: [
    model('claude-sonnet-4-6', 'anthropic', 41, 2, 18200, '57.90'),
    model('gpt-5.4-mini', 'openai', 118, 0, 31700, '66.40'),
    model('glm-4.7', 'zai', 19, 6, 4400, '11.80'),
    model('qwen3-coder-30b', 'local-llm', 36, 0, 38100, '140.20'),
  ],
  upstreams: [
    upstream('anthropic', 'api.anthropic.com', 1, 1100, 2, 2, 'limited'),
    upstream('local-llm', 'localhost:8000', 2, 160, 0, 0, 'ok'),
    upstream('openai', 'api.openai.com', 1, 400, 0, 0, 'ok'),
    upstream('zai', 'api.z.ai', 1, 1950, 6, 0, 'failing'),
  ],
  problems: [
    { at: '2026-11-23T14:01:49.000000Z', id: 4121, text: 'claude-sonnet-4-6: HTTP 429 from anthropic, retry-after 12s' },
    { at: '2026-11-23T14:02:01.310000Z', id: 4115, text: 'glm-4.7: no response head from zai after 30.0s, client got 504' },
  ],
  text: said,
};
/* The same request with other pauses between its events. */
const paused = { ...said, gaps_ms: gaps('*..:.:.*...*::.*.:::.*.:.::*::.....:*.::*.......:..:...-.-..:.-.:...*:.:.......*.:....*::.') };

const run = (id, name, status, started, requests, errors, tokens, cost) => ({
  id,
  name,
  is_active: status === 'active',
  is_paused: status === 'paused',
  status,
  started_at: iso(NOW - started * 1000),
  open_duration_ms: 451000,
  request_count: requests,
  signals: { errors: { value: errors } },
  total_tokens: tokens,
  total_cost_usd: cost,
  output_tokens_per_second: '38.20',
  llm_wall_time_ms: 432000,
});
const runs = {
  items: [
    run(12, 'bench-42', 'active', 451, 214, 3, 4702400, 1.84),
    run(11, 'bench-41', 'paused', 7200, 180, 0, 3900000, 1.52),
    run(10, 'nightly of a rather long name', 'complete', 260000, 12000, 12, 48000000, null),
  ],
};

writeFileSync(path.join(HERE, 'runs.json'), `${JSON.stringify(runs)}\n`);
writeFileSync(path.join(HERE, 'traffic.jsonl'), `${JSON.stringify(traffic)}\n`);
writeFileSync(path.join(HERE, 'text.json'), `${JSON.stringify({ text: paused })}\n`);

/* A scripted OpenTelemetry collector that reads OTLP/JSON strictly: every member must be one that
 * the protocol has, of the type that its JSON form prescribes. */
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { scripted } from './upstream.mjs';

/* ---- types: functions that throw ---- */

const text = (v, at) => assert.equal(typeof v, 'string', at);
const flag = (v, at) => assert.equal(typeof v, 'boolean', at);
const hex = (length) => (v, at) => {
  assert.match(v, new RegExp(`^[0-9a-f]{${length}}$`), at);
  assert.doesNotMatch(v, /^0+$/, at);
};
const uint64 = (v, at) => assert(typeof v === 'string' && /^(0|[1-9][0-9]{0,19})$/.test(v), `${at}: ${v}`);
const int64 = (v, at) => assert(typeof v === 'string' && /^-?[0-9]{1,19}$/.test(v), `${at}: ${v}`);
const uint32 = (v, at) => assert(Number.isInteger(v) && v >= 0 && v < 2 ** 32, `${at}: ${v}`);
const double = (v, at) => assert(typeof v === 'number' && Number.isFinite(v), `${at}: ${v}`);
const oneOf = (...values) => (v, at) => assert(values.includes(v), `${at}: ${v}`);
const list = (item) => (v, at) => {
  assert(Array.isArray(v), at);
  v.forEach((each, i) => item(each, `${at}[${i}]`));
};
const message = (members, must = []) => (v, at) => {
  assert(v && typeof v === 'object' && !Array.isArray(v), at);
  for (const [key, value] of Object.entries(v)) {
    assert(Object.hasOwn(members, key), `${at}.${key} is no member`);
    members[key](value, `${at}.${key}`);
  }
  for (const key of must) assert(Object.hasOwn(v, key), `${at}.${key} is missing`);
};

const exactlyOne = (check) => (v, at) => {
  check(v, at);
  assert.equal(Object.keys(v).length, 1, `${at} has one member`);
};
const anyValue = exactlyOne(
  message({
    stringValue: text,
    boolValue: flag,
    intValue: int64,
    doubleValue: double,
    arrayValue: message({ values: list((v, at) => anyValue(v, at)) }, ['values']),
  }),
);
const keyValue = message({ key: text, value: anyValue }, ['key', 'value']);
const attributes = (v, at) => {
  list(keyValue)(v, at);
  const keys = v.map((each) => each.key);
  assert.equal(new Set(keys).size, keys.length, `${at}: a key twice: ${keys}`);
};
const resource = message({ attributes }, ['attributes']);
const scope = message({ name: text, version: text }, ['name']);
const span = message(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    traceState: text,
    flags: uint32,
    name: text,
    kind: oneOf(3),
    startTimeUnixNano: uint64,
    endTimeUnixNano: uint64,
    attributes,
    status: message({ code: oneOf(2), message: text }),
  },
  ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
);
const times = { startTimeUnixNano: uint64, timeUnixNano: uint64 };
const histogramPoint = (v, at) => {
  message(
    { attributes, ...times, count: uint64, sum: double, min: double, max: double,
      bucketCounts: list(uint64), explicitBounds: list(double) },
    ['count', 'bucketCounts', 'explicitBounds', ...Object.keys(times)],
  )(v, at); // prettier-ignore
  assert.equal(v.bucketCounts.length, v.explicitBounds.length + 1, at);
  assert.equal(v.bucketCounts.reduce((sum, n) => sum + BigInt(n), 0n), BigInt(v.count), at);
  assert.deepEqual(v.explicitBounds, [...v.explicitBounds].sort((a, b) => a - b), at);
};
const numberPoint = message({ attributes, ...times, asDouble: double }, ['asDouble', ...Object.keys(times)]);
const cumulative = oneOf(2);
const metric = message(
  {
    name: text,
    description: text,
    unit: text,
    histogram: message({ aggregationTemporality: cumulative, dataPoints: list(histogramPoint) }, ['aggregationTemporality']),
    sum: message({ aggregationTemporality: cumulative, isMonotonic: oneOf(true), dataPoints: list(numberPoint) }, ['isMonotonic', 'aggregationTemporality']),
  },
  ['name'],
); // prettier-ignore
const traces = message({
  resourceSpans: list(message({ resource, scopeSpans: list(message({ scope, spans: list(span) })) })),
});
const metrics = message({
  resourceMetrics: list(message({ resource, scopeMetrics: list(message({ scope, metrics: list(metric) })) })),
});

/* ---- reading ---- */

const plain = (value) =>
  value.arrayValue ? value.arrayValue.values.map(plain)
  : 'intValue' in value ? Number(value.intValue)
  : Object.values(value)[0]; // prettier-ignore

/** Attributes as an object. */
export const flat = (given) => Object.fromEntries(given.map(({ key, value }) => [key, plain(value)]));

function body(request) {
  const packed = request.field('content-encoding') === 'gzip';
  assert.equal(request.field('content-type'), 'application/json');
  return JSON.parse(packed ? zlib.gunzipSync(request.body) : request.body);
}

/** The spans of an export, each with its attributes as an object, and the resource's. */
export function readSpans(request) {
  const sent = body(request);
  traces(sent, 'traces');
  return sent.resourceSpans.flatMap((r) =>
    r.scopeSpans.flatMap((s) =>
      s.spans.map((each) => ({ ...each, is: flat(each.attributes), resource: flat(r.resource.attributes) })),
    ),
  ); // prettier-ignore
}

/** The metrics of an export: points by name, each with its attributes as an object. */
export function readMetrics(request) {
  const sent = body(request);
  metrics(sent, 'metrics');
  const found = {};
  for (const each of sent.resourceMetrics.flatMap((r) => r.scopeMetrics.flatMap((s) => s.metrics))) {
    assert(!(each.name in found), `${each.name} twice`);
    const points = (each.histogram ?? each.sum).dataPoints;
    found[each.name] = points.map((p) => ({ ...p, is: flat(p.attributes), unit: each.unit }));
  }
  return found;
}

/** A collector: `spans` and `metrics` are what it was sent so far; `env` points a proxy to it. */
export async function collector(t) {
  const server = await scripted(t);
  server.fallback = (turn) => turn.json({});
  return Object.assign(server, {
    env: (more = {}) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.port}`,
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_METRIC_EXPORT_INTERVAL: '60000',
      ...more,
    }),
    spans: () => server.of('/v1/traces').flatMap(readSpans),
    metrics: () => {
      const last = server.of('/v1/metrics').at(-1);
      return last ? readMetrics(last) : {};
    },
  });
}

/* Whether arguments of a call are what its tool declares: names, types and lists of values, at the
 * first two levels. Enough to see what a model got wrong; no validator. */

type Schema = Record<string, unknown>;

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

const fits = (value: unknown, type: unknown): boolean =>
  Array.isArray(type) ? type.some((one) => fits(value, one))
    : typeof type !== 'string' || typeOf(value) === type || (type === 'number' && typeOf(value) === 'integer');

const MOST = 5;

/** What is wrong, in words; [] when nothing is. */
export function problemsOf(value: unknown, schema: unknown, at = '', levels = 2): string[] {
  if (!isObject(schema)) return [];
  const name = at || 'the arguments';
  if (!fits(value, schema.type)) return [`${name}: ${typeOf(value)} in place of ${[schema.type].flat().join(' or ')}`];
  if (Array.isArray(schema.enum) && !schema.enum.some((one) => one === value)) return [`${name}: none of ${JSON.stringify(schema.enum).slice(0, 200)}`];
  if (!isObject(value) || levels === 0) return [];
  const known = isObject(schema.properties) ? schema.properties : {};
  const path = (key: string) => (at ? `${at}.${key}` : key);
  const problems = (Array.isArray(schema.required) ? schema.required : [])
    .filter((key) => typeof key === 'string' && !Object.hasOwn(value, key)).map((key) => `${path(key as string)} is missing`);
  for (const [key, inner] of Object.entries(value)) {
    if (Object.hasOwn(known, key)) problems.push(...problemsOf(inner, known[key], path(key), levels - 1));
    else if (schema.additionalProperties === false) problems.push(`${path(key)} is not declared`);
  }
  return problems.slice(0, MOST);
}

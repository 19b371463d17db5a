/* What a client may put on the wire, and what must come of it.
 *
 * A case is [name, bytes, wanted, more]. wanted: the statuses of the answers in order; a list in
 * the list means any of these. more: target, body, fields (what the upstream must have seen),
 * closes (whether the connection must end; by default after any 4xx or 5xx), early (the client
 * shuts its side down after the bytes). Every 200 stands for one request at the upstream. */
import { bytes } from './wire.mjs';

const HOST = 'Host: localhost\r\n';
const get = (fields = '', target = '/v1/x', version = 'HTTP/1.1') =>
  `GET ${target} ${version}\r\n${HOST}${fields}\r\n`;
const post = (fields, body = '', version = 'HTTP/1.1') =>
  `POST /v1/x ${version}\r\n${HOST}${fields}\r\n${body}`;
const chunked = (body, fields = '') => post(`Transfer-Encoding: chunked\r\n${fields}`, body);
const hello = '5\r\nhello\r\n0\r\n\r\n';
const hex = (c) => `0x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;

const CONTROLS = [...Array(32).keys(), 127].map((c) => String.fromCharCode(c));
const NOT_TOKEN = [...'"(),/;<=>?@[\\]{}', '\x01', '\x0b', '\x7f', '\x80', '\xff', ' ', '\t', '\0'];

const ACCEPTED = [
  ['a plain GET', get(), [200], { target: '/v1/x' }],
  ['names in any case', 'GET /v1/x HTTP/1.1\r\nhOSt: localhost\r\nX-a: 1\r\n\r\n', [200]],
  ['tabs and spaces around a value', get('X-A: \t 1 2 \t \r\n'), [200], { fields: { 'x-a': ['1 2'] } }],
  ['no space after the colon', get('X-A:1\r\n'), [200], { fields: { 'x-a': ['1'] } }],
  ['an empty value', get('X-A:\r\nX-B: \r\n'), [200], { fields: { 'x-a': [''], 'x-b': [''] } }],
  ['a value with colons', get('X-A: a:b: c\r\n'), [200], { fields: { 'x-a': ['a:b: c'] } }],
  ['8-bit bytes in a value', get('X-A: \xc3\xa9\xff\x80\r\n'), [200], { fields: { 'x-a': ['\xc3\xa9\xff\x80'] } }],
  ['repeated fields', get('X-A: 1\r\nX-A: 2\r\nX-A: 1\r\n'), [200], { fields: { 'x-a': ['1', '2', '1'] } }],
  ['every token character in a name', get("!#$%&'*+-.^_`|~09azAZ: 1\r\n"), [200]],
  ['100 fields', get(Array.from({ length: 100 }, (_, i) => `X-${i}: ${i}\r\n`).join('')), [200]],
  ['Content-Length: 0', post('Content-Length: 0\r\n'), [200], { body: '' }],
  ['Content-Length in a GET', get('Content-Length: 5\r\n') + 'hello', [200], { body: 'hello' }],
  ['a body with Content-Length', post('Content-Length: 5\r\n', 'hello'), [200], { body: 'hello' }],
  ['a body that looks like a request', post('Content-Length: 38\r\n', 'GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'), [200], { body: 'GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n' }],
  ['a chunked body', chunked(hello), [200], { body: 'hello' }],
  ['chunked written in capitals', post('Transfer-Encoding: CHUNKED\r\n', hello), [200], { body: 'hello' }],
  ['an empty chunked body', chunked('0\r\n\r\n'), [200], { body: '' }],
  ['capital hex digits', chunked('A\r\n0123456789\r\n0\r\n\r\n'), [200], { body: '0123456789' }],
  ['small hex digits', chunked('a\r\n0123456789\r\n0\r\n\r\n'), [200], { body: '0123456789' }],
  ['leading zeros in a chunk size', chunked('0005\r\nhello\r\n000\r\n\r\n'), [200], { body: 'hello' }],
  ['a chunk extension', chunked('5;a=b;c\r\nhello\r\n0;d=e\r\n\r\n'), [200], { body: 'hello' }],
  ['a quoted chunk extension', chunked('5;a="b c"\r\nhello\r\n0\r\n\r\n'), [200], { body: 'hello' }],
  ['trailers', chunked('5\r\nhello\r\n0\r\nX-Trailer: 1\r\nX-T2: 2\r\n\r\n'), [200], { body: 'hello', fields: { 'x-trailer': [], 'x-t2': [] } }],
  ['a trailer named like a field of framing', chunked('5\r\nhello\r\n0\r\nContent-Length: 99\r\nHost: evil.test\r\n\r\n'), [[200, 400]], { closes: null }],
  ['a chunk of CRLF', chunked('2\r\n\r\n\r\n0\r\n\r\n'), [200], { body: '\r\n' }],
  ['1000 chunks of a byte', chunked('1\r\nx\r\n'.repeat(1000) + '0\r\n\r\n'), [200], { body: 'x'.repeat(1000) }],
  ['blank lines before the request', '\r\n\r\n\r\n' + get(), [200]],
  ['two requests at once', get() + get(), [200, 200]],
  ['bodies and requests at once', post('Content-Length: 2\r\n', 'ab') + chunked(hello) + get(), [200, 200, 200]],
  ['Upgrade is ignored', get('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n'), [200], { fields: { upgrade: [] } }],
  ['Upgrade to h2c is ignored', get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n') + get(), [200, 200], { fields: { upgrade: [], 'http2-settings': [] } }],
  ['Upgrade with a body', post('Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n', 'hello') + get(), [200, 200], { body: 'hello' }],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, [204]],
  ['absolute-form', get('', 'http://localhost/v1/abs?q=1'), [200], { target: '/v1/abs?q=1' }],
  ['absolute-form with https and a port', get('', 'https://127.0.0.1:8080/v1/abs'), [200], { target: '/v1/abs' }],
  ['absolute-form with another Host', 'GET http://localhost/v1/abs HTTP/1.1\r\nHost: evil.test\r\n\r\n', [200], { target: '/v1/abs' }],
  ['a scheme in capitals', get('', 'HTTP://localhost/v1/abs'), [200], { target: '/v1/abs' }],
  ['nothing after Connection: close', get('Connection: close\r\n') + get('', '/v1/second'), [200], { closes: true }],
  ['garbage after Connection: close', get('Connection: close\r\n') + '\0\0garbage', [200], { closes: true }],
  ['Connection: Close in any case, in a list', get('Connection: x, CLOSE\r\n'), [200], { closes: true }],
  ['HTTP/1.0 closes', 'GET /v1/x HTTP/1.0\r\n\r\n', [200], { closes: true }],
  ['HTTP/1.0 with a Host', get('', '/v1/x', 'HTTP/1.0'), [200], { closes: true }],
  ['HTTP/1.0 with keep-alive stays', 'GET /v1/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', [200], { closes: false }],
  ['HTTP/1.0 with a body', post('Content-Length: 5\r\n', 'hello', 'HTTP/1.0'), [200], { body: 'hello', closes: true }],
  ['HTTP/1.0 with Expect gets no 1xx', post('Content-Length: 5\r\nExpect: 100-continue\r\n', 'hello', 'HTTP/1.0'), [200], { body: 'hello', closes: true, interim: 0 }],
  ['Expect, and the body without waiting', post('Content-Length: 5\r\nExpect: 100-Continue\r\n', 'hello'), [200], { body: 'hello', fields: { expect: [] } }],
]; // prettier-ignore

/** Either way is right; what matters is that nobody is confused. */
const EITHER = [
  ['bare LF line ends', 'GET /v1/x HTTP/1.1\nHost: localhost\n\n'],
  ['one bare LF', get('X-A: 1\nX-B: 2\r\n')],
  ['equal Content-Length twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
  ['an equal list of Content-Length', post('Content-Length: 5, 5\r\n', 'hello')],
  ['a Content-Length with leading zeros', post('Content-Length: 0005\r\n', 'hello')],
  ['an 8-bit byte in the target', get('', '/v1/\xe9')],
  ['a control character in a value', get('X-A: a\x01b\r\n')],
  ['DEL in a value', get('X-A: a\x7fb\r\n')],
  ['a space before a chunk extension', chunked('5 ;a=b\r\nhello\r\n0\r\n\r\n')],
  ['a Host with an empty port', 'GET /v1/x HTTP/1.1\r\nHost: localhost:\r\n\r\n'],
].map(([name, data]) => [name, data, [[200, 400]], { closes: null }]);

const REFUSED_HEADS = [
  ['a space before the colon', get('X-A : 1\r\n')],
  ['a tab before the colon', get('X-A\t: 1\r\n')],
  ['a folded line', get('X-A: 1\r\n 2\r\n')],
  ['a line folded by a tab', get('X-A: 1\r\n\t2\r\n')],
  ['a fold right after the request line', 'GET /v1/x HTTP/1.1\r\n X: 1\r\nHost: localhost\r\n\r\n'],
  ['a folded empty line', get('X-A: 1\r\n \r\n')],
  ['folded framing', post('Transfer-Encoding:\r\n chunked\r\n', hello)],
  ['folded length', post('Content-Length:\r\n 5\r\n', 'hello')],
  ['an empty name', get(': 1\r\n')],
  ['a line without colon', get('X-A\r\n')],
  ['a line of blanks', get('   \r\n')],
  ['NUL in a value', get('X-A: a\0b\r\n')],
  ['NUL at the end of a value', get('X-A: a\0\r\n')],
  ['a bare CR in a value', get('X-A: a\rb\r\n')],
  ['two CR before LF', get('X-A: a\r\r\n')],
  ['a bare CR in a name', get('X\rA: 1\r\n')],
  ['a bare CR, then framing', get('X:\rTransfer-Encoding: chunked\r\n')],
  ['two bare CR, then framing', get('X:\r\rContent-Length: 5\r\n')],
  ['CR and a letter at the end of the head', `GET /v1/x HTTP/1.1\r\n${HOST}\rX`],
  ['a bare CR ends the request line', `GET /v1/x HTTP/1.1\r${HOST}\r\n`],
  ...NOT_TOKEN.map((c) => [`${hex(c)} in a name`, get(`X${c}A: 1\r\n`)]),
];

const REFUSED_FRAMING = [
  ['both framings', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', hello)],
  ['both framings, the other way round', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', hello)],
  ['both framings with length 0', post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', hello)],
  ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')],
  ...['5, 6', '5,6', '+5', '-5', '-0', '0x5', '5.0', '5e0', '5 5', '5\t5', 'five', '5;', '"5"', '5\x0b',
    '\x0c5', '\xd9\xa5', '\xb2', '9223372036854775808', '18446744073709551621', '9'.repeat(40), '', ' ', ','].map(
    (v) => [`Content-Length ${JSON.stringify(v.slice(0, 24))}`, post(`Content-Length: ${v}\r\n`, 'hello')]),
  ['a space before the colon of Content-Length', post('Content-Length : 5\r\n', 'hello')],
  ['a space before the colon of Transfer-Encoding', post('Transfer-Encoding : chunked\r\n', hello)],
  ['Transfer-Encoding in HTTP/1.0', post('Transfer-Encoding: chunked\r\n', hello, 'HTTP/1.0')],
  ['Transfer-Encoding with a NUL', post('Transfer-Encoding: chunked\0\r\n', hello)],
  ['a CR before Transfer-Encoding', post('X: 1\rTransfer-Encoding: chunked\r\n', hello)],
]; // prettier-ignore

/** Another coding is 501, what is no coding 400. */
const CODINGS = ['gzip', 'identity', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked, identity',
  'xchunked', 'chunkedx', 'chunked;q=1', '"chunked"', 'chunked,', ',chunked', '', 'cow', '\x0bchunked', 'chunked\x0c',
  'chunk ed', 'chunked chunked'].map((v) => [
  `Transfer-Encoding ${JSON.stringify(v)}`, post(`Transfer-Encoding: ${v}\r\n`, hello), [[400, 501]],
]); // prettier-ignore
CODINGS.push(
  ['Transfer-Encoding twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', hello), [[400, 501]]],
  ['Transfer-Encoding twice, differing', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n', hello), [[400, 501]]],
); // prettier-ignore

const REFUSED_CHUNKS = [
  ['a letter after the CR of a size', '5\rXhello\r\n0\r\n\r\n'],
  ['a letter after the CR of an extension', '5;a=b\rXhello\r\n0\r\n\r\n'],
  ['a chunk followed by other bytes', '5\r\nhelloXX0\r\n\r\n'],
  ['a chunk followed by nothing', '5\r\nhello0\r\n\r\n'],
  ['a letter in the end of the body', '5\r\nhello\r\n0\r\n\rX'],
  ['LF line ends', '5\nhello\n0\n\n'],
  ['LF after a size', '5\nhello\r\n0\r\n\r\n'],
  ['LF after the data', '5\r\nhello\n0\r\n\r\n'],
  ['CR line ends', '5\rhello\r0\r\r'],
  ...['g', '-5', '+5', '0x5', ' 5', '5 5', '', ';', 'five', '5,', '5.', '\0', '5\0'].map((size) => [
    `size ${JSON.stringify(size)}`, `${size}\r\nhello\r\n0\r\n\r\n`]),
  ['a size of 17 digits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a size that overflows', 'FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n'],
  ['65 zeros', `${'0'.repeat(65)}5\r\nhello\r\n0\r\n\r\n`],
  ['NUL in an extension', '5;a\0=b\r\nhello\r\n0\r\n\r\n'],
  ['LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['a trailer without colon', '5\r\nhello\r\n0\r\nbad\r\n\r\n'],
  ['a trailer with a space in its name', '5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n'],
  ['a trailer with a bare CR', '5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n'],
  ['a trailer with NUL', '5\r\nhello\r\n0\r\nX: a\0b\r\n\r\n'],
].map(([name, body]) => [`chunked: ${name}`, chunked(body)]); // prettier-ignore

const REFUSED_LINES = [
  ...CONTROLS.map((c) => [`${hex(c)} in the target`, get('', `/v1/a${c}b`), [[400, 505]]]),
  ['a space in the target', get('', '/v1/a b'), [[400, 505]]],
  ['a fragment', get('', '/v1/x#f'), [400]],
  ['two spaces before the target', `GET  /v1/x HTTP/1.1\r\n${HOST}\r\n`],
  ['two spaces before the version', `GET /v1/x  HTTP/1.1\r\n${HOST}\r\n`, [[400, 505]]],
  ['a space before the method', ` GET /v1/x HTTP/1.1\r\n${HOST}\r\n`],
  ['a space after the version', `GET /v1/x HTTP/1.1 \r\n${HOST}\r\n`],
  ['tabs between the parts', `GET\t/v1/x\tHTTP/1.1\r\n${HOST}\r\n`],
  ['no target', `GET HTTP/1.1\r\n${HOST}\r\n`, [[400, 505]]],
  ['a target without slash', get('', 'v1/x')],
  ['authority-form', get('', 'localhost:80')],
  ['GET *', get('', '*')],
  ['another scheme', get('', 'ftp://localhost/v1/x')],
  ['user info in the authority', get('', 'http://me@localhost/v1/x')],
  ['absolute-form without a host', get('', 'http:///v1/x')],
  ['not HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [[400, 405]]],
  ['two lines of garbage', 'hello\r\nworld\r\n\r\n', [[400, 405]]],
  ['HTTP/2.0', get('', '/v1/x', 'HTTP/2.0'), [505]],
  ['HTTP/0.9', get('', '/v1/x', 'HTTP/0.9'), [505]],
  ['HTTP/1.2', get('', '/v1/x', 'HTTP/1.2'), [[400, 505]]],
  ['HTTP/1.10', get('', '/v1/x', 'HTTP/1.10'), [[400, 505]]],
  ['HTTP/3.0', get('', '/v1/x', 'HTTP/3.0'), [[400, 505]]],
  ['http/1.1 in small letters', get('', '/v1/x', 'http/1.1'), [[400, 505]]],
  ['no version', 'GET /v1/x\r\n\r\n', [[400, 505]]],
  ['RTSP', get('', '/v1/x', 'RTSP/1.0'), [[400, 405, 505]]],
  ['ICE', `SOURCE /v1/x ICE/1.0\r\n${HOST}\r\n`, [[400, 405, 505]]],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [[400, 405, 505]]],
  ['CONNECT', `CONNECT localhost:443 HTTP/1.1\r\n${HOST}\r\n`, [[400, 405]]],
  ['a method in small letters', `get /v1/x HTTP/1.1\r\n${HOST}\r\n`, [[400, 405]]],
  ...['TRACE', 'PROPFIND', 'PURGE', 'BREW', 'SETUP', 'FLUSH', 'QUERY', 'G ET', 'GE\0T'].map((method) => [
    `method ${JSON.stringify(method)}`, `${method} /v1/x HTTP/1.1\r\n${HOST}\r\n`, [[400, 405, 505]]]),
]; // prettier-ignore

const host = (value) => `GET /v1/x HTTP/1.1\r\nHost: ${value}\r\n\r\n`;
const REFUSED_HOSTS = [
  ['no Host', 'GET /v1/x HTTP/1.1\r\n\r\n'],
  ['Host twice', `GET /v1/x HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ['two different Hosts', `GET /v1/x HTTP/1.1\r\n${HOST}Host: 127.0.0.1\r\n\r\n`],
  ['a space before the colon of Host', 'GET /v1/x HTTP/1.1\r\nHost : localhost\r\n\r\n'],
  ...['[', '[::1', '::1]', '[]', '[::1]x', 'a:b:c', ':', ':80', 'localhost:x', 'localhost:-1', 'localhost:80:80',
    '127.0.0.1@evil.test', 'me@localhost', '127.0.0.1,evil.test', 'local host', 'localhost/', 'localhost/v1',
    'http://localhost', 'localhost?x', 'localhost#x', 'local\thost', 'a\\b', '"localhost"', '\xff\xfe', 'x'.repeat(20000)].map(
    (value) => [`Host ${JSON.stringify(value.slice(0, 40))}`, host(value), [[400, 431]]]),
]; // prettier-ignore

const EARLY = [
  ['end inside the request line', 'GET /v1/x HT'],
  ['end inside a field', `GET /v1/x HTTP/1.1\r\n${HOST}X-A`],
  ['end before the blank line', `GET /v1/x HTTP/1.1\r\n${HOST}`],
  ['end inside a body', post('Content-Length: 10\r\n', 'hello')],
  ['end inside a chunk', chunked('5\r\nhel')],
  ['end before the last chunk', chunked('5\r\nhello\r\n')],
  ['end before the last line end', chunked('5\r\nhello\r\n0\r\n')],
].map(([name, data]) => [name, data, [], { early: true, closes: true }]);

const refused = (cases) => cases.map(([name, data, wanted = [400]]) => [name, data, wanted, {}]);

/** Accepted first, then a break: what was complete is answered, in order, then one refusal. */
const MIXED = [
  ['a good request, then garbage', get() + 'gar\0bage\r\n\r\n', [200, [400, 405]]],
  ['two good ones, then a bad field', get() + get() + get('X : 1\r\n'), [200, 200, 400]],
  ['a good body, then a bad chunk', post('Content-Length: 2\r\n', 'ab') + chunked('x\r\n'), [200, 400]],
  ['a smuggled request in a refused body', chunked('z\r\n') + get('', '/v1/smuggled'), [400]],
  ['a smuggled request behind both framings', post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n' + get('', '/v1/smuggled')), [400]],
  ['a smuggled request in a body nobody wants', `POST /nope HTTP/1.1\r\n${HOST}Content-Length: ${get('', '/v1/smuggled').length}\r\n\r\n${get('', '/v1/smuggled')}`, [404], { closes: null }],
  ['the same in chunks', `POST /nope HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${get('', '/v1/smuggled').length.toString(16)}\r\n${get('', '/v1/smuggled')}\r\n0\r\n\r\n`, [404], { closes: null }],
  ['the same to a path with another method', `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: ${get('', '/v1/smuggled').length}\r\n\r\n${get('', '/v1/smuggled')}`, [405], { closes: null }],
  ['Expect that is not known', post('Content-Length: 5\r\nExpect: fireworks\r\n', 'hello'), [417]],
  ['Expect with more than one', post('Content-Length: 5\r\nExpect: 100-continue, fireworks\r\n', 'hello'), [417]],
].map(([name, data, wanted, more = {}]) => [name, data, wanted, more]); // prettier-ignore

export const CASES = [
  ...ACCEPTED, ...EITHER, ...refused(REFUSED_HEADS), ...refused(REFUSED_FRAMING), ...refused(CODINGS),
  ...refused(REFUSED_CHUNKS), ...refused(REFUSED_LINES), ...refused(REFUSED_HOSTS), ...EARLY, ...MIXED,
].map(([name, data, wanted, more = {}]) => ({ name, data: bytes(data), wanted, ...more })); // prettier-ignore

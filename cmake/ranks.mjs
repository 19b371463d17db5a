/* node ranks.mjs FILE.tiktoken NAME OUT: makes OUT/ranks_NAME.bin and OUT/ranks_NAME.c of the ranks
 * of an encoding ("base64 rank" lines, in order). src/shared/llm/ranks.h says what they hold. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [file, name, out] = process.argv.slice(2);
const BLOCK = 16;
const EMPTY = 0xffffffff;
const RANK_BITS = 18;

const tokens = [];
for (const line of readFileSync(file, 'utf8').split('\n')) {
  if (line === '') continue;
  const [text, rank] = line.split(' ');
  tokens[Number(rank)] = Buffer.from(text, 'base64');
}

/* What ranks_hash() does. */
function hash(bytes) {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/* A few encodings leave ranks out: such a token is empty, and nothing finds it. */
for (let rank = 0; rank < tokens.length; rank++) tokens[rank] ??= Buffer.alloc(0);
if (tokens.length >= 2 ** RANK_BITS || tokens.some((t) => t.length > 255))
  throw new Error(`${file}: more than ${2 ** RANK_BITS} tokens, or one of more than 255 bytes`);

let bits = 1;
while (2 ** bits * 0.8 < tokens.length) bits++;
const slots = new Uint32Array(2 ** bits).fill(EMPTY);
const blocks = new Uint32Array(Math.ceil(tokens.length / BLOCK));
let offset = 0;
tokens.forEach((token, rank) => {
  if (rank % BLOCK === 0) blocks[rank / BLOCK] = offset;
  offset += token.length;
  if (token.length === 0) return;
  const h = hash(token);
  let at = h & (slots.length - 1);
  while (slots[at] !== EMPTY) at = (at + 1) & (slots.length - 1);
  slots[at] = (((h >>> RANK_BITS) << RANK_BITS) | rank) >>> 0;
});

const little = (words) => {
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => bytes.writeUInt32LE(word, i * 4));
  return bytes;
};
const bin = path.join(out, `ranks_${name}.bin`);
const lengths = Buffer.from(tokens.map((t) => t.length));
writeFileSync(bin, Buffer.concat([little(slots), little(blocks), lengths, ...tokens]));

const at = { blocks: slots.length * 4 };
at.lengths = at.blocks + blocks.length * 4;
at.bytes = at.lengths + lengths.length;
writeFileSync(path.join(out, `ranks_${name}.c`), `/* Made by cmake/ranks.mjs. */
#include "llm/ranks.h"

__asm__(".pushsection .rodata\\n.balign 64\\nranks_${name}_bin:\\n"
        ".incbin \\"${bin}\\"\\n.popsection\\n");
extern const unsigned char ranks_${name}_bin[] __attribute__((visibility("hidden")));

static const struct ranks table = {
    .count = ${tokens.length},
    .slot_mask = ${slots.length - 1},
    .slots = ranks_${name}_bin,
    .blocks = ranks_${name}_bin + ${at.blocks},
    .lengths = ranks_${name}_bin + ${at.lengths},
    .bytes = ranks_${name}_bin + ${at.bytes},
};
const struct ranks *const ranks_${name.replace(/_.*/, '')} = &table;
`);

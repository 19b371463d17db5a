#include "ranks.h"

#include <endian.h>

#define RANK_MASK ((UINT32_C(1) << RANKS_BITS) - 1)

static uint32_t word_at(const unsigned char *table, size_t index)
{
    uint32_t word;

    memcpy(&word, table + index * sizeof(word), sizeof(word));
    return le32toh(word);
}

static uint32_t ranks_hash(struct str bytes)
{
    uint32_t h = 0x811C9DC5u;

    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ (unsigned char)bytes.ptr[i]) * 0x01000193u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

static struct str token_bytes(const struct ranks *ranks, uint32_t rank)
{
    size_t offset = word_at(ranks->blocks, rank / RANKS_BLOCK);

    for (uint32_t i = rank / RANKS_BLOCK * RANKS_BLOCK; i < rank; i++)
        offset += ranks->lengths[i];
    return (struct str){(const char *)ranks->bytes + offset, ranks->lengths[rank]};
}

uint32_t ranks_find(const struct ranks *ranks, struct str bytes)
{
    uint32_t hash, slot;

    if (bytes.len == 0 || bytes.len > RANK_BYTES_MAX)
        return RANK_NONE;
    hash = ranks_hash(bytes);
    for (uint32_t at = hash & ranks->slot_mask;; at = (at + 1) & ranks->slot_mask) {
        slot = word_at(ranks->slots, at);
        if (slot == RANK_NONE)
            return RANK_NONE;
        if (slot >> RANKS_BITS == hash >> RANKS_BITS &&
            str_eq(token_bytes(ranks, slot & RANK_MASK), bytes))
            return slot & RANK_MASK;
    }
}

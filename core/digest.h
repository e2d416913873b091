/*
 * 128-bit digests (XXH3) and the digest of a sequence.
 *
 * XXH3 is specified to give the same value on every CPU. It is no protection against a forger: digests prove that two
 * honest computations agree.
 */
#ifndef SL_CORE_DIGEST_H
#define SL_CORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_DIGEST_BYTES = 16, SL_DIGEST_HEX = 32 };

typedef struct sl_digest {
    uint64_t low;
    uint64_t high;
} sl_digest;

/* The XXH3-128 of `length` bytes. */
sl_digest sl_digest_bytes(const void *bytes, size_t length);

bool sl_digest_equal(sl_digest a, sl_digest b);

/* Writes 32 hex digits, most significant first, and a NUL. */
void sl_digest_hex(sl_digest digest, char hex[SL_DIGEST_HEX + 1]);

/*
 * The digest of a sequence d0, d1, …: the polynomial sum(d[i] * B^i) modulo the prime 2^127 - 1, B a fixed number.
 * Because it is a sum, the digest of a concatenation follows from its parts' digests and lengths: a long list is kept
 * in blocks, and an insert costs one block, not the list. An empty place counts as zero.
 */

/* B^count: what moves a sequence `count` places back. */
sl_digest sl_digest_power(uint64_t count);

/* first + power * rest: the digest of `first`'s elements followed by `rest`'s; `power` is sl_digest_power of the number
 * of first's elements. */
sl_digest sl_digest_concat(sl_digest first, sl_digest power, sl_digest rest);

/* sum + power * (now - was): the digest of a sequence of digest `sum` in which the element was `was` and is `now`,
 * power being that of the number of elements before it. Or, a block's digest for an element, of a whole list. */
sl_digest sl_digest_adjust(sl_digest sum, sl_digest power, sl_digest was, sl_digest now);

/* The digest of the sequence that begins with `head` and goes on with `rest` (Horner's step, from the back). */
sl_digest sl_digest_prepend(sl_digest head, sl_digest rest);

#endif

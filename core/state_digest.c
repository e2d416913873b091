/* The digest of a whole state: the tree, and all that decides what the next event will do. */
#include "core/bytes.h"
#include "core/state.h"

static void write_digest(uint8_t bytes[SL_DIGEST_BYTES], sl_digest digest)
{
    sl_put_le(bytes, digest.low, 8);
    sl_put_le(bytes + 8, digest.high, 8);
}

/* Digests a piece behind what came before it. */
static void chain(void *ctx, const void *bytes, size_t length)
{
    sl_digest *digest = ctx;
    uint8_t both[2 * SL_DIGEST_BYTES];
    write_digest(both, *digest);
    write_digest(both + SL_DIGEST_BYTES, sl_digest_bytes(bytes, length));
    *digest = sl_digest_bytes(both, sizeof both);
}

void sl_state_digests(sl_state *state, sl_digest *content, sl_digest *whole)
{
    sl_tree_digest(state->tree);
    const sl_node *project = sl_tree_project(state->tree);
    if (content != NULL) *content = project->content;
    if (whole == NULL) return;
    *whole = project->whole;
    sl_state_encode_rest(state, chain, whole);
}

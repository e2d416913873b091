/* B^0 to B^32 in the field of core/digest.c, as {low, high}. Written by tests/make_digest_powers.py. */
#ifndef SL_CORE_DIGEST_POWERS_H
#define SL_CORE_DIGEST_POWERS_H

#include "core/digest.h"

enum { SL_DIGEST_POWERS = 33 };

static const sl_digest sl_digest_powers[SL_DIGEST_POWERS] = {
    {0x0000000000000001, 0x0000000000000000}, {0x898cc51701b839a2, 0x121fb54442d18469},
    {0xc2c76c6423e906ee, 0x223fd06bd05e4ce2}, {0x2a91113fb08fd2ab, 0x3524bd21df377eaf},
    {0x8061b7567106e4a9, 0x12eb4da4d6892a28}, {0xecc4fc291000d58b, 0x5b17d9b7fbe3a742},
    {0x0e069e04a86a3c1d, 0x6ba9e6d26018a769}, {0xcb7033048609c571, 0x29624d11dbe07720},
    {0xa41f32287c3069f4, 0x3a0485556699a160}, {0x9d03d8572b42d926, 0x5343091f4a49d347},
    {0x60fced949264e583, 0x64c44582b4e770ea}, {0x83545c4098304246, 0x3794a6b59484021a},
    {0xb9353c87f8fad32b, 0x6cb35902ef9cc56a}, {0x33d3558877c44d29, 0x789cf7f4ceb92f34},
    {0xb1398bd56bfe95bc, 0x6a5cd89cf10ffa79}, {0xe6bfa429a566b23f, 0x7b68833f527f42c9},
    {0xc2469e758427ebcf, 0x353989f67331a76f}, {0x96352a664d78ce03, 0x47b94a559158f813},
    {0x87428a76bb6845cc, 0x474b10e1d663410f}, {0x350dc869f0eb2b62, 0x280fb55e6eda9e96},
    {0x841801881819a444, 0x1d1ea53b9b2b9944}, {0xab912339ad3a32d8, 0x55eb6f725941bb2e},
    {0x017581c8c3d8d209, 0x2bcadafe23132d47}, {0xe54fbc9c824100fe, 0x4200e9a228a539b3},
    {0x327e6b69f0b7a078, 0x3b09fe82aa0b7c7d}, {0xe34df564e5364827, 0x4bcd4190608cc8ce},
    {0x6de66a36782cebc8, 0x7875096c013fb132}, {0x902a2d289bf8f65c, 0x7fe6f831a9f6cf9c},
    {0xe6479f76308878c1, 0x03016bf84755bf2c}, {0x77c2074f4ddde31a, 0x604dd5385eb817b1},
    {0x9edb31394dad8b8e, 0x5ffd79ca9a537c7f}, {0xc882de4a2f07749e, 0x6980c9604234b22f},
    {0x2e5be04d64b4ba20, 0x728ecd0fa1c1bbcb},
};

#endif

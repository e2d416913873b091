/* Playback: what a schedule sounds like follows from what it took, not from how it is rendered. */
#include "tests/unit/cmocka_small.h"

#include "core/playback.h"
#include "tests/unit/counted_memory.h"
#include "tests/unit/score_builder.h"

#include <stdlib.h>

enum { RATE = 48000, FRAMES = 60000, MARK = 12345, BEAT = SL_TICKS_PER_BEAT, STATE_MAX = 4 << 20 };

typedef struct player {
    counted_memory memory;
    sl_schedule *schedule;
    sl_playback *playback;
    uint64_t seq;
    score_builder score;
} player;

static float one[2 * FRAMES], other[2 * FRAMES];
static uint8_t state_bytes[STATE_MAX];
static size_t state_length;

static void take(player *player, sl_event event)
{
    const char *what;
    assert_int_equal(sl_schedule_take(player->schedule, &event, &what), SL_OK);
}

static void apply(player *player, uint64_t frame)
{
    uint8_t bytes[32];
    const sl_applied mark = {.through_seq = player->seq, .frame = frame, .rate = RATE};
    take(player, applied_event(bytes, ++player->seq, mark));
}

static void put_track(player *player, const char *name, const char *instrument, const char *effect, uint8_t pitch)
{
    sl_score_track track = {.name = name, .name_length = strlen(name), .instrument = instrument, .params = ""};
    track.instrument_length = strlen(instrument);
    sl_score_begin_track(&player->score.score, &track);
    if (effect[0] != '\0') sl_score_put_effect(&player->score.score, effect, strlen(effect), "{\"mix\":0.4}", 11);
    sl_score_begin_clip(&player->score.score, "", 0);
    for (uint8_t i = 0; i < 4; i++) score_note(&player->score, (uint8_t)(pitch + 2 * i), BEAT / 4);
    score_end_track(&player->score);
}

static void put_long(player *player, const char *name, uint8_t pitch)
{
    sl_score_track track = {.name = name, .name_length = strlen(name), .instrument = "pad", .params = ""};
    track.instrument_length = strlen(track.instrument);
    sl_score_begin_track(&player->score.score, &track);
    sl_score_begin_clip(&player->score.score, "", 0);
    score_note(&player->score, pitch, 16 * BEAT);
    score_end_track(&player->score);
}

/* A bass and drums from the first frame on; at MARK the bass becomes a lead. */
static void setup(player *player)
{
    memset(player, 0, sizeof *player);
    assert_int_equal(sl_schedule_create(counted_memory_of(&player->memory), &player->schedule), SL_OK);
    assert_int_equal(sl_playback_create(counted_memory_of(&player->memory), RATE, 0, &player->playback), SL_OK);
    score_begin(&player->score, true, SL_QUANTIZE_OFF, 133);
    put_track(player, "a", "bass", "delay", 40);
    put_track(player, "drums", "", "", 24);
    take(player, score_end(&player->score, ++player->seq));
    uint8_t bytes[512];
    const sl_transport play = {.action = SL_TRANSPORT_PLAY, .quantize = SL_QUANTIZE_OFF};
    take(player, transport_event(bytes, ++player->seq, play));
    apply(player, 0);
}

static void change(player *player)
{
    score_begin(&player->score, false, SL_QUANTIZE_OFF, 0);
    put_track(player, "a", "lead", "reverb", 64);
    take(player, score_end(&player->score, ++player->seq));
    apply(player, MARK);
}

static void teardown(player *player)
{
    sl_playback_destroy(player->playback);
    sl_schedule_destroy(player->schedule);
    assert_int_equal(player->memory.size_bytes, 0);
}

static void render(player *player, float *out, size_t frames, size_t block)
{
    while (frames > 0) {
        const size_t some = frames < block ? frames : block;
        sl_playback_render(player->playback, player->schedule, out, some);
        out += 2 * some;
        frames -= some;
    }
}

static void render_all(player *player, float *out, size_t block)
{
    render(player, out, MARK, block);
    change(player);
    render(player, out + (size_t)2 * MARK, FRAMES - MARK, block);
}

static void test_playback_blocks_change_nothing(void **unused)
{
    (void)unused;
    static player player;
    static const size_t blocks[] = {64, 441, 4096};
    setup(&player);
    render_all(&player, one, 512);
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(sl_digest_bytes(one, sizeof one), hex);
    assert_string_equal(hex, "5f6702f66e207e689602b45c4bb42f37"); /* on every CPU */
    teardown(&player);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        setup(&player);
        render_all(&player, other, blocks[i]);
        assert_memory_equal(one, other, sizeof one);
        teardown(&player);
    }
}

static void test_playback_begins_with_the_first_note(void **unused)
{
    (void)unused;
    static player player;
    setup(&player);
    render(&player, one, 100, 100);
    float peak = 0;
    for (size_t i = 0; i < 200; i++) peak = one[i] > peak ? one[i] : peak;
    assert_true(peak > 0);
    assert_int_equal(sl_renderer_voice_count(sl_playback_renderer(player.playback)), 2);
    teardown(&player);
}

static void put(void *ctx, const void *bytes, size_t length)
{
    (void)ctx;
    assert_true(length <= STATE_MAX - state_length);
    memcpy(state_bytes + state_length, bytes, length);
    state_length += length;
}

/* Saved before and after the edit, loaded into another: it goes on the same. */
static void test_playback_goes_on_from_its_bytes(void **unused)
{
    (void)unused;
    static player player;
    for (unsigned is_after = 0; is_after < 2; is_after++) {
        counted_memory memory = {0};
        sl_playback *loaded = NULL;
        setup(&player);
        render(&player, one, MARK, 512);
        if (is_after != 0) {
            change(&player);
            render(&player, one, 5000, 512);
        }
        state_length = 0;
        sl_playback_encode(player.playback, put, NULL);
        sl_reader reader = {.bytes = state_bytes, .length = state_length};
        assert_int_equal(sl_playback_decode(&reader, counted_memory_of(&memory), &loaded), SL_OK);
        assert_true(sl_playback_frame(loaded) == sl_playback_frame(player.playback));
        if (is_after == 0) change(&player);
        render(&player, one, 20000, 512);
        sl_playback_render(loaded, player.schedule, other, 20000);
        assert_memory_equal(one, other, (size_t)20000 * 8);
        sl_playback_destroy(loaded);
        assert_int_equal(memory.size_bytes, 0);
        teardown(&player);
    }
}

static void test_playback_refuses_other_bytes(void **unused)
{
    (void)unused;
    counted_memory memory = {0};
    sl_playback *loaded;
    uint8_t bytes[400] = {0};
    sl_reader reader = {.bytes = bytes, .length = sizeof bytes};
    assert_int_equal(sl_playback_decode(&reader, counted_memory_of(&memory), &loaded), SL_ERR_MALFORMED);
    static player player;
    setup(&player);
    state_length = 0;
    sl_playback_encode(player.playback, put, NULL);
    teardown(&player);
    state_bytes[4]++;
    reader = (sl_reader){.bytes = state_bytes, .length = state_length};
    assert_int_equal(sl_playback_decode(&reader, counted_memory_of(&memory), &loaded), SL_ERR_VERSION);
    state_bytes[4]--;
    reader = (sl_reader){.bytes = state_bytes, .length = state_length - 1};
    assert_int_equal(sl_playback_decode(&reader, counted_memory_of(&memory), &loaded), SL_ERR_MALFORMED);
    assert_int_equal(memory.size_bytes, 0);
}

static void test_playback_obeys_panic_and_mixer(void **unused)
{
    (void)unused;
    static player player;
    uint8_t bytes[512];
    setup(&player);
    render(&player, one, 4800, 480);
    static sl_mixer mute;
    sl_mixer_begin(&mute);
    mute.tracks[mute.count++] =
        (sl_mixer_track){.name = sl_playback_name("a", 1, false), .mix = {.gain = 1, .is_muted = true}};
    mute.tracks[mute.count++] = (sl_mixer_track){.name = sl_playback_name("drums", 5, false), .mix = {.gain = 0}};
    sl_playback_set_mixer(player.playback, &mute);
    render(&player, one, 480, 480);
    render(&player, one, 48, 48);
    for (size_t i = 0; i < 96; i++) assert_true(one[i] <= 0 && one[i] >= 0);
    take(&player, transport_event(bytes, ++player.seq, (sl_transport){.action = SL_TRANSPORT_PANIC}));
    apply(&player, sl_playback_frame(player.playback));
    render(&player, one, 4800, 480);
    assert_int_equal(sl_renderer_voice_count(sl_playback_renderer(player.playback)), 0);
    teardown(&player);
}

/* The greatest step from one sample to the next, in frames from <= f < to. */
static float find_step(const float *samples, size_t from, size_t to)
{
    float most = 0;
    for (size_t i = 2 * (from + 1); i < 2 * to; i++) {
        const float step = samples[i] > samples[i - 2] ? samples[i] - samples[i - 2] : samples[i - 2] - samples[i];
        if (step > most) most = step;
    }
    return most;
}

/* A long chord is cut by a splice, at many places of its waves; the one that takes its place begins softly. */
static void test_playback_splices_without_a_step(void **unused)
{
    (void)unused;
    static player player;
    for (size_t round = 0; round < 20; round++) {
        const size_t cut = 24000 + 37 * round;
        setup(&player);
        score_begin(&player.score, true, SL_QUANTIZE_OFF, 133);
        put_long(&player, "a", 48);
        take(&player, score_end(&player.score, ++player.seq));
        apply(&player, 0);
        render(&player, one, cut, 512);
        score_begin(&player.score, false, SL_QUANTIZE_OFF, 0);
        put_long(&player, "a", 53);
        take(&player, score_end(&player.score, ++player.seq));
        apply(&player, cut);
        render(&player, one + 2 * cut, FRAMES - cut, 512);
        const float before = find_step(one, 4800, cut), there = find_step(one, cut - 1, cut + 4800);
        const float after = find_step(one, cut + 4800, FRAMES);
        assert_true(before > 0 && after > 0);
        assert_true(there <= (before > after ? before : after) * 1.05F);
        teardown(&player);
    }
}

static void test_mixer_gain_of_volume(void **unused)
{
    (void)unused;
    const float unity = sl_mixer_gain_of_volume(0.85), most = sl_mixer_gain_of_volume(1);
    assert_true(unity > 0.9999F && unity < 1.0001F);
    assert_true(most > 1.99F && most < 2.0F);
    assert_true(sl_mixer_gain_of_volume(0) <= 0 && sl_mixer_gain_of_volume(-1) <= 0);
    for (int i = 0; i < 100; i++)
        assert_true(sl_mixer_gain_of_volume(i / 100.0) < sl_mixer_gain_of_volume((i + 1) / 100.0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_playback_blocks_change_nothing),
        cmocka_unit_test(test_playback_begins_with_the_first_note),
        cmocka_unit_test(test_playback_goes_on_from_its_bytes),
        cmocka_unit_test(test_playback_refuses_other_bytes),
        cmocka_unit_test(test_playback_obeys_panic_and_mixer),
        cmocka_unit_test(test_playback_splices_without_a_step),
        cmocka_unit_test(test_mixer_gain_of_volume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

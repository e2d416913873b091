/* What must be true in the end. */
#include "tests/sim/world.h"

#include "core/picture.h"
#include "core/state_codec.h"
#include "ingest/datagram.h"
#include "ingest/gunzip.h"
#include "ingest/snapshot.h"

#include <stdlib.h>
#include <string.h>

enum { SESSIONS_MAX = 256, MARK_LOGGED = 1, MARK_LOST = 2, PROOFS_MAX = 512 };

/* A session of the log, and the run that it is. */
typedef struct session {
    uint32_t source;
    uint64_t session;
    sim_run *run;  /* NULL: nothing came of it */
    bool is_mixed; /* of several runs, in truth: nothing told that a new one began */
} session;

/* What a replay finds out. */
typedef struct replay {
    sim_world *world;
    sl_state *state;
    session sessions[SESSIONS_MAX];
    size_t session_count;
    uint8_t *marks[SIM_RUNS_MAX + 1];      /* for each number of a run: what became of it */
    uint32_t begins[SIM_RUNS_MAX + 1];     /* offset of the number of a run that came first … */
    bool has_begun[SIM_RUNS_MAX + 1];      /* … if any did */
    uint16_t *taken_in[SIM_RUNS_MAX + 1];  /* for each number of a run: 1 + the session in which the log has it … */
    uint32_t known[SIM_RUNS_MAX + 1];      /* … and of how many it tells, up to the present event */
    uint64_t applied[SIM_RUNS_MAX + 1];    /* by source: the number after the last applied … */
    uint64_t applied_by[SIM_RUNS_MAX + 1]; /* … in this session … */
    uint64_t applied_at[SIM_RUNS_MAX + 1]; /* … by this event of the log */
    uint64_t given_up;                     /* numbers in all, after the first picture */
    bool has_gap;                          /* in the present event */
    sl_checkpoint proofs[PROOFS_MAX];
    size_t proof_count;
} replay;

static bool is_stale(const sl_state *state)
{
    return sl_node_value(sl_tree_project(sl_state_tree_view(state)), SL_ATTRIBUTE_IS_STALE).as.integer != 0;
}

sl_digest sim_check_digest(sim_world *world, const sim_milestone *milestone)
{
    char *json, reason[256];
    const char *why;
    uint8_t *picture;
    size_t json_length, picture_length;
    sl_state *state;
    sl_err err =
        sl_gunzip(milestone->packed, milestone->packed_length, SL_SNAPSHOT_JSON_BYTES_MAX, &json, &json_length, &why);
    if (err == SL_OK) err = sl_snapshot_picture(json, json_length, &picture, &picture_length, reason);
    if (err == SL_OK) err = sl_state_create(world->memory, &state);
    if (err != SL_OK) abort();
    sl_event event = {.seq = 1,
                      .kind = SL_KIND_PICTURE,
                      .version = SL_PICTURE_VERSION,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .payload = picture,
                      .length = (uint32_t)picture_length};
    if (sl_reduce(state, &event, NULL) != SL_OK) abort();
    sl_digest digest;
    sl_state_digests(state, &digest, NULL);
    sl_state_destroy(state);
    free(picture);
    free(json);
    return digest;
}

sim_datagram *sim_check_datagram(sim_world *world, const sl_event *event)
{
    if (event->source_seq == SL_SOURCE_SEQ_NONE) return NULL;
    sl_osc_walk walk = sl_osc_walk_begin(event->payload, event->length);
    sl_osc_message message, inner;
    int64_t number;
    double timestamp;
    bool is_bad;
    bool is_wrapped = sl_osc_walk_next(&walk, &message) &&
                      sl_osc_unwrap(&message, &inner, &number, &timestamp, &is_bad) && timestamp >= 1 &&
                      timestamp <= world->run_count;
    const sim_run *run = is_wrapped ? world->runs[(uint32_t)timestamp] : NULL;
    uint32_t offset = run != NULL ? (uint32_t)event->source_seq - run->first_number : 0;
    uint32_t low = 0, high = run != NULL ? run->datagram_count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->datagrams[middle]->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    sim_datagram *found = run != NULL && low < run->datagram_count ? run->datagrams[low] : NULL;
    if (found != NULL && found->offset == offset && found->length == event->length &&
        memcmp(found->bytes, event->payload, found->length) == 0)
        return found;
    sim_fail(world, "event %llu is no datagram that was sent", (unsigned long long)event->seq);
    return NULL;
}

static session *find_session(replay *replay, uint32_t source, uint64_t number)
{
    for (size_t i = 0; i < replay->session_count; i++)
        if (replay->sessions[i].source == source && replay->sessions[i].session == number) return &replay->sessions[i];
    if (replay->session_count == SESSIONS_MAX) {
        sim_fail(replay->world, "more than %d sessions", SESSIONS_MAX);
        return &replay->sessions[0];
    }
    session *made = &replay->sessions[replay->session_count++];
    *made = (session){.source = source, .session = number};
    for (uint32_t r = 1; r <= replay->world->run_count; r++)
        if (replay->world->runs[r]->session == number) made->run = replay->world->runs[r];
    return made;
}

/* First pass: which numbers are in the log, which session is which run, and what the checkpoints prove. */
static void read_log(replay *replay)
{
    sim_world *world = replay->world;
    sl_event event;
    for (size_t at = 0; sim_disk_read(world, &at, &event);) {
        if (event.kind == SL_KIND_CHECKPOINT && replay->proof_count < PROOFS_MAX &&
            sl_checkpoint_decode(&event, &replay->proofs[replay->proof_count]) == SL_OK)
            replay->proof_count++;
        sim_datagram *datagram = event.kind == SL_KIND_OSC ? sim_check_datagram(world, &event) : NULL;
        if (datagram == NULL) continue;
        session *session = find_session(replay, event.source, event.session);
        bool is_other = session->run != NULL && session->run != datagram->run;
        session->is_mixed |= is_other;
        if (is_other && world->plan->is_strict)
            sim_fail(world, "event %llu: session %llu is of two runs", (unsigned long long)event.seq,
                     (unsigned long long)event.session);
        session->run = datagram->run;
        uint32_t run = datagram->run->number;
        if (!replay->has_begun[run]) replay->begins[run] = datagram->offset;
        replay->has_begun[run] = true;
        for (uint32_t i = 0; i < datagram->count; i++) replay->marks[run][datagram->offset + i] |= MARK_LOGGED;
    }
}

static void note_gap(replay *replay, const sl_source *source, sl_hole gap)
{
    const session *session = find_session(replay, source->number, source->session);
    replay->has_gap = true;
    if (sl_state_has_picture(replay->state)) replay->given_up += gap.count;
    const sim_run *run = session->run;
    if (run == NULL) return;
    for (uint64_t i = 0; i < gap.count; i++) {
        uint32_t offset = (uint32_t)(gap.first + i) - run->first_number;
        if (offset < run->count) replay->marks[run->number][offset] |= MARK_LOST;
    }
    if (session->is_mixed) return;
    uint32_t last = (uint32_t)(gap.first + gap.count - 1) - run->first_number;
    if (last < run->count && last >= replay->known[run->number])
        sim_fail(replay->world, "event %llu gives up #%llu, and nothing in the log tells that it was sent",
                 (unsigned long long)sl_state_seq(replay->state), (unsigned long long)(gap.first + gap.count - 1));
    for (uint64_t i = 0; i < gap.count; i++) {
        uint64_t number = gap.first + i;
        uint32_t offset = (uint32_t)number - run->first_number;
        if (offset >= run->count || replay->taken_in[run->number][offset] != session - replay->sessions + 1) continue;
        sim_fail(replay->world, "event %llu gives up #%llu, and the log has it",
                 (unsigned long long)sl_state_seq(replay->state), (unsigned long long)number);
        return;
    }
}

/* What the log tells of a run's numbers: by having them, or a heartbeat that tells the next one. */
static void note_known(replay *replay, const sl_event *event)
{
    if (event->kind != SL_KIND_OSC) return;
    sim_world *world = replay->world;
    const sim_run *run = NULL;
    uint32_t known = 0;
    sl_datagram datagram;
    if (event->source_seq != SL_SOURCE_SEQ_NONE) {
        const sim_datagram *sent = sim_check_datagram(world, event);
        if (sent == NULL) return;
        run = sent->run;
        known = sent->offset + sent->count;
        const session *session = find_session(replay, event->source, event->session);
        for (uint32_t i = sent->offset; i < known; i++)
            replay->taken_in[run->number][i] = (uint16_t)(session - replay->sessions + 1);
    } else if (sl_datagram_read(event->payload, event->length, &datagram) == SL_DATAGRAM_FAULT_NONE &&
               datagram.control == SL_CONTROL_HEARTBEAT) {
        for (uint32_t r = 1; r <= world->run_count; r++)
            if (world->runs[r]->session == datagram.session) run = world->runs[r];
        if (run == NULL) return;
        known = (uint32_t)datagram.next - run->first_number;
    }
    if (run != NULL && known > replay->known[run->number]) replay->known[run->number] = known;
}

/* A picture that was taken stands for all numbers up to its last part's. */
static void note_picture(replay *replay, const sl_event *event)
{
    const sl_source *source = sl_state_source(replay->state, event->source);
    const session *session = find_session(replay, event->source, event->session);
    bool is_numbered = event->source_seq != SL_SOURCE_SEQ_NONE && session->run != NULL && source != NULL;
    if (!is_numbered || source->session != event->session || is_stale(replay->state)) return;
    uint32_t last = (uint32_t)event->source_seq - session->run->first_number;
    for (uint32_t i = 0; i <= last && i < session->run->count; i++) replay->marks[session->run->number][i] |= MARK_LOST;
}

/* Nothing is applied twice, or before what its sender sent earlier. */
static void note(void *ctx, const sl_state *state, const sl_effect *effect)
{
    replay *replay = ctx;
    const bool is_gap = effect->type == SL_EFFECT_GAP;
    const sl_source *source = sl_state_source(state, is_gap ? effect->source : effect->event->source);
    if (is_gap && source != NULL) note_gap(replay, source, effect->gap);
    bool is_told = !is_gap && effect->message != NULL && source != NULL && effect->event->kind == SL_KIND_OSC &&
                   effect->seq_num != SL_SOURCE_SEQ_NONE;
    if (!is_told || source->number > SIM_RUNS_MAX) return;
    uint64_t *applied = &replay->applied[source->number];
    bool is_first = replay->applied_by[source->number] != source->session;
    int32_t ahead = (int32_t)(uint32_t)(effect->seq_num - *applied);
    bool is_same = ahead == -1 && replay->applied_at[source->number] == effect->event->seq; /* told in pieces */
    if (!is_first && ahead < 0 && !is_same)
        sim_fail(replay->world, "event %llu applies #%llu after #%llu", (unsigned long long)effect->event->seq,
                 (unsigned long long)effect->seq_num, (unsigned long long)*applied - 1);
    *applied = effect->seq_num + 1;
    replay->applied_by[source->number] = source->session;
    replay->applied_at[source->number] = effect->event->seq;
}

/* Goes on with a state that was saved and loaded. */
static void save_and_load(replay *replay)
{
    sim_world *world = replay->world;
    sl_text saved;
    sl_text_open(&saved, world->memory);
    sl_state *loaded = NULL;
    sl_err err = sl_state_save(replay->state, &saved);
    if (err == SL_OK) err = sl_state_load((const uint8_t *)saved.bytes, saved.length, world->memory, &loaded);
    sl_text_close(&saved);
    if (err != SL_OK) {
        sim_fail(world, "state after event %llu cannot be saved and loaded: %s",
                 (unsigned long long)sl_state_seq(replay->state), sl_err_text(err));
        return;
    }
    sl_state_destroy(replay->state);
    replay->state = loaded;
}

static void prove(replay *replay)
{
    for (size_t i = 0; i < replay->proof_count; i++) {
        const sl_checkpoint *proof = &replay->proofs[i];
        if (proof->through_seq != sl_state_seq(replay->state)) continue;
        sl_digest digest;
        sl_state_digests(replay->state, NULL, &digest);
        if (!sl_digest_equal(digest, proof->digest))
            sim_fail(replay->world, "replayed up to event %llu, the state is not what the checkpoint says",
                     (unsigned long long)proof->through_seq);
    }
}

/* Second pass: the log alone, with a state that is saved and loaded on the way. */
static void apply_log(replay *replay)
{
    sim_world *world = replay->world;
    sl_output output = {.tell = note, .ctx = replay};
    uint64_t saved_at = sim_between(&world->rng, 1, world->disk.last_seq);
    bool was_stale = true;
    sl_event event;
    for (size_t at = 0; world->failure[0] == '\0' && sim_disk_read(world, &at, &event);) {
        replay->has_gap = false;
        note_known(replay, &event);
        if (sl_reduce(replay->state, &event, &output) != SL_OK) abort();
        if (event.kind == SL_KIND_PAUSED && event.source <= SIM_RUNS_MAX) replay->applied_by[event.source] = 0;
        bool is_picture = event.kind == SL_KIND_PICTURE;
        if (is_picture) note_picture(replay, &event);
        if (replay->has_gap && !is_picture && !is_stale(replay->state))
            sim_fail(world, "event %llu gives numbers up, and the tree is not stale", (unsigned long long)event.seq);
        if (was_stale && !is_picture && !is_stale(replay->state))
            sim_fail(world, "event %llu ends the staleness without a picture", (unsigned long long)event.seq);
        was_stale = is_stale(replay->state);
        prove(replay);
        if (event.seq == saved_at) save_and_load(replay);
    }
}

static bool is_mixed(const replay *replay, const sim_run *run)
{
    for (size_t i = 0; i < replay->session_count; i++)
        if (replay->sessions[i].is_mixed && replay->sessions[i].run->sender == run->sender) return true;
    return false;
}

/* Every number is in the log or in a closed hole. Nobody can know what came before the first number of a run that was
 * joined in the middle, nor what a sender took with it: of that, what the log tells of counts. */
static void check_numbers(replay *replay)
{
    sim_world *world = replay->world;
    bool was_cut[SIM_SENDERS_MAX] = {false};
    for (uint32_t r = 1; r <= world->run_count; r++) {
        const sim_run *run = world->runs[r];
        was_cut[run->sender->index] |= run->is_cut;
        bool is_cut = was_cut[run->sender->index];
        if (is_cut && (!replay->has_begun[r] || is_mixed(replay, run))) continue;
        bool is_first = true;
        for (uint32_t p = 1; p < r; p++) is_first = is_first && world->runs[p]->sender != run->sender;
        uint32_t end = is_cut ? replay->known[r] : run->count;
        for (uint32_t i = is_first || is_cut ? replay->begins[r] : 0; i < end; i++) {
            if (replay->marks[r][i] != 0) continue;
            sim_fail(world, "#%u of sender %u, run %u, is neither in the log nor in a closed hole",
                     (unsigned)(run->first_number + i), (unsigned)run->sender->index, (unsigned)r);
            return;
        }
    }
}

/* Duplicates are counted exactly, unless late numbers that were given up make it a matter of opinion. */
static void check_counts(replay *replay)
{
    sim_world *world = replay->world;
    if (replay->given_up > 0 || world->is_unknowable) return;
    sl_counters counters = {0};
    (void)sl_peers_counters(world->process.peers, &counters);
    for (uint32_t i = 0; i < world->sender_count; i++) {
        const sim_sender *sender = &world->senders[i];
        const sl_source *source = sim_process_source(world, sender);
        for (uint32_t c = 0; source != NULL && c < counters.count; c++) {
            const sl_source_counts *counts = &counters.sources[c];
            if (counts->source != source->number) continue;
            if (counts->received != sender->expected_received)
                sim_fail(world, "sender %u: %llu received, %llu counted", (unsigned)i,
                         (unsigned long long)sender->expected_received, (unsigned long long)counts->received);
            if (counts->duplicates != sender->expected_duplicates && !world->has_pauses)
                sim_fail(world, "sender %u: %llu duplicates, %llu counted", (unsigned)i,
                         (unsigned long long)sender->expected_duplicates, (unsigned long long)counts->duplicates);
        }
    }
}

static void check_digests(replay *replay)
{
    sim_world *world = replay->world;
    const sim_plan *plan = world->plan;
    sl_digest live, live_content, replayed;
    sl_state_digests(world->process.state, &live_content, &live);
    sl_state_digests(replay->state, NULL, &replayed);
    if (!sl_digest_equal(live, replayed)) sim_fail(world, "the replayed state is another");
    sl_digest expected = sim_check_digest(world, &plan->sequence->milestones[plan->milestone]);
    if (!sl_digest_equal(live_content, expected)) sim_fail(world, "the tree is not the model's");
}

void sim_check_all(sim_world *world)
{
    replay *replay = sim_take(world, sizeof *replay);
    memset(replay, 0, sizeof *replay);
    replay->world = world;
    for (uint32_t r = 1; r <= world->run_count; r++) {
        replay->marks[r] = sim_take(world, world->runs[r]->count + 1);
        memset(replay->marks[r], 0, world->runs[r]->count + 1);
        size_t size = (world->runs[r]->count + 1) * sizeof *replay->taken_in[r];
        replay->taken_in[r] = sim_take(world, size);
        memset(replay->taken_in[r], 0, size);
    }
    if (sl_state_create(world->memory, &replay->state) != SL_OK) abort();
    read_log(replay);
    if (world->failure[0] == '\0') apply_log(replay);
    if (world->failure[0] == '\0') {
        if (world->plan->is_strict && replay->given_up > 0)
            sim_fail(world, "%llu numbers given up, though all could be had", (unsigned long long)replay->given_up);
        check_numbers(replay);
        check_counts(replay);
        check_digests(replay);
    }
    world->totals->given_up += replay->given_up;
    world->totals->saying_seeds += replay->given_up > 0;
    world->totals->events += world->disk.last_seq;
    sl_state_destroy(replay->state);
}

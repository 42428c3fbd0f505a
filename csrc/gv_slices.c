#include "gv_slices.h"

#include <stdlib.h>

#include "gv_os.h"

/* Compressed bytes read for a slice at a time: 16 blocks take a third of it as a rule, and one
 * always fits. */
#define INPUT_BYTES ((size_t)512 << 10)

/* How long the reader waits for a slice before it looks at signals. */
#define WAIT_MILLISECONDS 50

enum state { FREE, BUSY, READY, OUT };

/* A place for a slice.  Owns: its buffers, its table, the engine's state.
 * FREE -> BUSY (one thread has it) -> READY -> OUT (the reader has it) -> FREE */
struct place {
    struct gv_slice slice;
    enum state state;
    uint64_t offset;             /* in the source */
    size_t input_size;           /* BGZF: of the whole blocks in the input buffer */
    struct gv_piece input, text; /* buffers */
    void *engine_state;
    struct gv_builder builder;
};

/* Owns: places, threads, lock.
 * Invariants, with the lock held: out <= taken <= out + n_places; the places of slices out..taken
 * are not FREE, all others are; slice i has place i % n_places. */
struct gv_slices {
    const struct gv_inflate_engine *engine;
    struct gv_slices_input input;
    struct gv_pool *buffers; /* where the places' buffers come from; may be NULL */

    struct gv_os_lock lock;
    uint64_t taken, out; /* slices taken by threads, and given back by the reader */
    uint64_t offset;     /* where the next slice begins */
    bool is_over;        /* no more slices are to be taken */
    bool must_stop;
    int64_t process; /* that has the threads */

    size_t n_places;
    struct place *places;
    unsigned n_threads;
    pthread_t *threads;
};

unsigned
gv_crew_take(struct gv_crew *crew, unsigned most)
{
    long long process = (long long)gv_os_process();
    if (atomic_exchange(&crew->process, process) != process) {
        atomic_store(&crew->busy, 0); /* the threads that were counted are another process's */
    }
    unsigned busy = atomic_load(&crew->busy), taken;
    do {
        taken = busy < most ? most - busy : 0;
    } while (!atomic_compare_exchange_weak(&crew->busy, &busy, busy + taken));
    return taken;
}

void
gv_crew_give_back(struct gv_crew *crew, unsigned threads)
{
    unsigned busy = atomic_load(&crew->busy);
    while (!atomic_compare_exchange_weak(&crew->busy, &busy,
                                         busy - (busy < threads ? busy : threads))) {
    }
}

/* ---------------------------------------------------------------------------------------------
 * Input
 * ------------------------------------------------------------------------------------------ */

/* Reads up to `wanted` bytes of the source.  Memory is copied too: it is its owner's, who may write
 * to it meanwhile, and what was checked must not change before it is used.  False where reading
 * fails. */
static bool
read_input(const struct gv_slices *slices, uint64_t offset, size_t wanted, uint8_t *buffer,
           size_t *size)
{
    const struct gv_source *source = slices->input.source;
    if (source->memory != NULL) {
        uint64_t left = offset < source->size ? source->size - offset : 0;
        *size = left < wanted ? (size_t)left : wanted;
        if (*size > 0) {
            memcpy(buffer, source->memory + (source->size - left), *size);
        }
        return true;
    }
    return gv_os_read_at(source->fd, offset, buffer, wanted, size);
}

/* A whole slice in the file's mapping, which is entered then; false where it has to be read. */
static bool
look_at_text(const struct gv_slices *slices, struct place *place)
{
    struct gv_mapping *mapping = slices->input.mapping;
    if (mapping == NULL || place->offset > mapping->size ||
        mapping->size - place->offset < GV_SLICE_TEXT || !gv_mapping_enter(mapping)) {
        return false;
    }
    if (!gv_mapping_fetch(mapping, place->offset, GV_SLICE_TEXT)) {
        gv_mapping_leave(mapping);
        return false;
    }
    place->slice.text = mapping->bytes + (size_t)place->offset;
    place->slice.is_mapped = true;
    place->slice.size = GV_SLICE_TEXT;
    place->slice.input_end = place->offset + GV_SLICE_TEXT;
    return true;
}

static void
read_text(const struct gv_slices *slices, struct place *place)
{
    struct gv_slice *slice = &place->slice;
    slice->text = place->text.base;
    if (!read_input(slices, place->offset, GV_SLICE_TEXT, place->text.base, &slice->size)) {
        slice->size = 0;
        slice->is_odd = true;
    }
    slice->input_end = place->offset + slice->size;
    slice->is_last = !slice->is_odd && slice->size < GV_SLICE_TEXT;
}

/* Finds the blocks of the next slice, with the lock held: where they end is where the next one
 * begins. */
static void
take_blocks(struct gv_slices *slices, struct place *place)
{
    size_t have = 0;
    bool was_read = read_input(slices, place->offset, INPUT_BYTES, place->input.base, &have);
    place->input_size = 0;
    for (size_t n = 0; was_read && n < GV_SLICE_BLOCKS; n++) {
        size_t left = have - place->input_size;
        size_t size = gv_bgzf_block_size(place->input.base + place->input_size, left);
        if (size == 0 || size > left) {
            break;
        }
        place->input_size += size;
    }
    place->slice.is_last = was_read && have == 0;
    place->slice.is_odd = place->input_size == 0 && !place->slice.is_last;
    slices->is_over = place->input_size == 0;
    slices->offset += place->input_size;
}

static void
inflate_blocks(const struct gv_slices *slices, struct place *place)
{
    struct gv_slice *slice = &place->slice;
    slice->text = place->text.base;
    slice->input_end = place->offset;
    enum gv_status status = GV_OK;
    if (place->engine_state == NULL) {
        status = slices->engine->open(slices->engine, &place->engine_state);
    }
    for (size_t at = 0; at < place->input_size;) {
        const uint8_t *block = place->input.base + at;
        size_t block_size = gv_bgzf_block_size(block, place->input_size - at);
        size_t text_size = gv_bgzf_text_size(block, block_size);
        if (status == GV_OK && text_size <= GV_BGZF_MOST) {
            status = gv_bgzf_inflate(slices->engine, place->engine_state, block, block_size,
                                     place->text.base + slice->size);
        }
        if (status != GV_OK || text_size > GV_BGZF_MOST) {
            slice->is_odd = true;
            return;
        }
        at += block_size;
        slice->size += text_size;
        slice->input_end += block_size;
        slice->members++;
        slice->ends_with_block = text_size == 0;
    }
}

/* ---------------------------------------------------------------------------------------------
 * Parsing ahead
 * ------------------------------------------------------------------------------------------ */

/* The line after the one at `at`; `size` where there is none. */
static size_t
next_line(const uint8_t *text, size_t size, size_t at)
{
    const uint8_t *newline = at < size ? memchr(text + at, '\n', size - at) : NULL;
    return newline != NULL ? (size_t)(newline + 1 - text) : size;
}

/* Where the first record seems to begin; `size` where none does. */
static size_t
guess_record(const uint8_t *text, size_t size)
{
    size_t line = next_line(text, size, 0);
    size_t second = next_line(text, size, line);
    while (line < size) {
        size_t third = next_line(text, size, second);
        if (text[line] == '@' && third < size && text[third] == '+') {
            return line;
        }
        line = second;
        second = third;
    }
    return size;
}

static void
parse_ahead(struct place *place)
{
    struct gv_slice *slice = &place->slice;
    struct gv_builder *builder = &place->builder;
    const struct gv_builder_options *options = &builder->options;
    struct gv_fastq parser;
    struct gv_error ignored;
    size_t used;
    gv_fastq_init(&parser, options->ops, options->zero, options->alphabet,
                  options->max_record_bytes);
    parser.only_four_lines = true;
    gv_builder_clear(builder);
    slice->body_begin = guess_record(slice->text, slice->size);
    /* Not written to: wrapped records alone are drawn together. */
    uint8_t *text = (uint8_t *)slice->text + slice->body_begin;
    enum gv_status status = gv_builder_take(builder, &parser, text, slice->size - slice->body_begin,
                                            false, SIZE_MAX, SIZE_MAX, &used, &ignored);
    (void)status; /* whatever ends the body, the reader meets it again */
    gv_builder_flush(builder);
    slice->body_end = slice->body_begin + used;
}

/* ---------------------------------------------------------------------------------------------
 * Sharing out
 * ------------------------------------------------------------------------------------------ */

static struct place *
place_of(const struct gv_slices *slices, uint64_t number)
{
    return &slices->places[number % slices->n_places];
}

static bool
may_take(const struct gv_slices *slices)
{
    return !slices->is_over && !slices->must_stop && slices->taken - slices->out < slices->n_places;
}

/* Takes the next slice and brings it to READY; called and left with the lock held. */
static void
work(struct gv_slices *slices)
{
    struct place *place = place_of(slices, slices->taken++);
    assert(place->state == FREE);
    place->state = BUSY;
    place->slice = (struct gv_slice){.body = &place->builder};
    place->offset = slices->offset;
    if (slices->input.format == GV_INPUT_BGZF) {
        take_blocks(slices, place);
    } else {
        slices->offset += GV_SLICE_TEXT;
    }
    gv_os_unlock(&slices->lock);
    if (slices->input.format == GV_INPUT_BGZF) {
        inflate_blocks(slices, place);
    } else if (!look_at_text(slices, place)) {
        read_text(slices, place);
    }
    parse_ahead(place);
    if (place->slice.is_mapped) {
        gv_mapping_leave(slices->input.mapping);
    }
    gv_os_lock(&slices->lock);
    slices->is_over |= place->slice.is_last || place->slice.is_odd;
    place->state = READY;
    gv_os_wake(&slices->lock);
}

static void *
run(void *context)
{
    struct gv_slices *slices = context;
    gv_os_lock(&slices->lock);
    while (!slices->must_stop) {
        if (may_take(slices)) {
            work(slices);
        } else {
            gv_os_wait(&slices->lock, 0);
        }
    }
    gv_os_unlock(&slices->lock);
    return NULL;
}

/* The reader gets the slice in `place`.  If its text may no longer be looked at, it is one that
 * ends before it began. */
static void
hand_out(const struct gv_slices *slices, struct place *place)
{
    struct gv_slice *slice = &place->slice;
    place->state = OUT;
    if (slice->is_mapped && !gv_mapping_enter(slices->input.mapping)) {
        *slice = (struct gv_slice){
            .text = place->text.base,
            .body = &place->builder,
            .input_end = place->offset,
            .is_odd = true,
        };
    }
}

enum gv_status
gv_slices_next(struct gv_slices *slices, const struct gv_slice **slice)
{
    enum gv_status status = GV_INTERRUPTED;
    bool has_waited = false;
    gv_os_lock(&slices->lock);
    for (;;) {
        struct place *place = place_of(slices, slices->out);
        if (slices->out < slices->taken && place->state == READY) {
            hand_out(slices, place);
            *slice = &place->slice;
            status = GV_OK;
            break;
        }
        if (may_take(slices)) {
            work(slices);
        } else if (has_waited) {
            break;
        } else {
            gv_os_wait(&slices->lock, WAIT_MILLISECONDS);
            has_waited = true;
        }
    }
    gv_os_unlock(&slices->lock);
    return status;
}

void
gv_slices_give_back(struct gv_slices *slices)
{
    gv_os_lock(&slices->lock);
    struct place *place = place_of(slices, slices->out);
    assert(place->state == OUT);
    if (place->slice.is_mapped) {
        gv_mapping_drop(slices->input.mapping, place->slice.input_end);
        gv_mapping_leave(slices->input.mapping);
    }
    place->state = FREE;
    slices->out++;
    gv_os_wake(&slices->lock);
    gv_os_unlock(&slices->lock);
}

/* ---------------------------------------------------------------------------------------------
 * Beginning and end
 * ------------------------------------------------------------------------------------------ */

static bool
place_init(struct place *place, const struct gv_builder_options *options,
           const struct gv_slices_input *input, struct gv_pool *pool)
{
    bool is_bgzf = input->format == GV_INPUT_BGZF;
    gv_builder_init(&place->builder, options);
    place->builder.source = input->number;
    gv_slots_set_scratch(&place->builder.table.slots, pool);
    size_t text_size = is_bgzf ? GV_SLICE_BLOCKS * GV_BGZF_MOST : GV_SLICE_TEXT;
    return gv_pool_get(pool, text_size, &place->text) &&
           (!is_bgzf || gv_pool_get(pool, INPUT_BYTES, &place->input));
}

struct gv_slices *
gv_slices_new(const struct gv_builder_options *options, const struct gv_inflate_engine *engine,
              const struct gv_slices_input *input, unsigned threads)
{
    assert(threads >= 1 && !options->placing.layout->is_by_ordinal);
    struct gv_slices *slices = calloc(1, sizeof *slices);
    if (slices == NULL || !gv_os_lock_init(&slices->lock)) {
        free(slices);
        return NULL;
    }
    slices->engine = engine;
    slices->input = *input;
    slices->offset = input->offset;
    slices->process = gv_os_process();
    struct gv_builder_options scratch = *options;
    /* The limit and the arena are the table's that the slices go into. */
    scratch.memory_limit = GV_NO_LIMIT;
    scratch.arena = NULL;
    slices->buffers = gv_builder_buffers(options);
    /* One slice out, one in work for each thread, and as many ready as there are threads. */
    size_t wanted = 2 * (size_t)threads + 1;
    slices->places = calloc(wanted, sizeof *slices->places);
    slices->threads = calloc(threads, sizeof *slices->threads);
    bool is_made = slices->places != NULL && slices->threads != NULL;
    while (is_made && slices->n_places < wanted) {
        is_made = place_init(&slices->places[slices->n_places++], &scratch, input, slices->buffers);
    }
    while (is_made && slices->n_threads + 1 < threads) {
        is_made = gv_os_thread_start(&slices->threads[slices->n_threads], run, slices);
        slices->n_threads += is_made;
    }
    if (!is_made) {
        gv_slices_free(slices);
        return NULL;
    }
    return slices;
}

void
gv_slices_free(struct gv_slices *slices)
{
    if (slices->process != gv_os_process()) {
        return; /* forked: the threads, and whoever held the lock, are in the other process */
    }
    gv_os_lock(&slices->lock);
    slices->must_stop = true;
    gv_os_wake(&slices->lock);
    gv_os_unlock(&slices->lock);
    for (unsigned i = 0; i < slices->n_threads; i++) {
        gv_os_thread_join(slices->threads[i]);
    }
    for (size_t i = 0; i < slices->n_places; i++) {
        struct place *place = &slices->places[i];
        if (place->state == OUT && place->slice.is_mapped) {
            gv_mapping_leave(slices->input.mapping);
        }
        if (place->engine_state != NULL) {
            slices->engine->close(place->engine_state);
        }
        gv_builder_deinit(&place->builder);
        gv_pool_put(slices->buffers, &place->text, place->text.capacity);
        gv_pool_put(slices->buffers, &place->input, place->input.capacity);
    }
    gv_os_lock_deinit(&slices->lock);
    free(slices->places);
    free(slices->threads);
    free(slices);
}

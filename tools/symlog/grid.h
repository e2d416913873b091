/* A set as a person knows it from Live's session view, drawn as text: tracks across, scenes down. Knows no terminal. */
#ifndef SL_TOOLS_GRID_H
#define SL_TOOLS_GRID_H

#include "core/reduce.h"
#include "core/text.h"

/* What the drawing may take, and what it tells besides the state. */
typedef struct sl_grid {
    unsigned columns; /* of the screen */
    unsigned rows;    /* likewise; scenes that do not fit are left out, with a line that says how many */
    uint64_t rate;    /* events in the last second */
    bool is_colored;  /* with ANSI colours */
} sl_grid;

/* Appends the drawing: lines of at most `columns` characters, at most `rows` of them. */
void sl_grid_draw(sl_text *text, const sl_state *state, const sl_grid *grid);

#endif

/* How much room text takes on a terminal, without asking for its locale. */
#ifndef SL_TOOLS_COLUMNS_H
#define SL_TOOLS_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

/* A character of a text. */
typedef struct sl_glyph {
    size_t size;           /* bytes, at least 1 */
    unsigned columns;      /* 0 (it combines with the one before), 1 or 2 */
    bool is_shown;         /* false: a control, what turns the direction of a line, or no UTF-8 */
    bool is_right_to_left; /* of a script that is: a terminal may move what stands beside it */
} sl_glyph;

/* The character that begins at bytes[0]; length > 0. What is not shown takes one column: that of what stands for it. */
sl_glyph sl_glyph_at(const char *bytes, size_t length);

/* The bytes of the first characters that fit into `columns`, and the columns that they take. */
size_t sl_columns_fit(const char *bytes, size_t length, size_t columns, size_t *used);

#endif

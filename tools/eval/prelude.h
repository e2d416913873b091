/* The builder, in JavaScript: the files of tools/eval/prelude in the order of their names, inside one function of the
 * host object, which gives {begin, finish, scriptOf}. The build makes the text. */
#ifndef SL_TOOLS_EVAL_PRELUDE_H
#define SL_TOOLS_EVAL_PRELUDE_H

extern const char sl_prelude_text[]; /* NUL-terminated */

#endif

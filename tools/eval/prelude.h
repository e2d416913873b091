/* The builder, in JavaScript: the files of tools/eval/prelude in the order of their names, inside one function of the
 * host object, which gives {begin, finish, names}; and what makes scripts of modules, inside a function of those names.
 * The build makes the texts. */
#ifndef SL_TOOLS_EVAL_PRELUDE_H
#define SL_TOOLS_EVAL_PRELUDE_H

/* NUL-terminated, of ASCII alone: the engine reads those quicker. */
extern const char sl_prelude_text[];
extern const char sl_modules_text[];

#endif

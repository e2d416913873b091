/* A tree for people: a line a node, indented, the name first; what is at rest (false, empty, 0) is left out. */
#ifndef SL_TOOLS_OUTLINE_H
#define SL_TOOLS_OUTLINE_H

#include "core/tree.h"
#include "tools/symlog/printer.h"

#include <stdbool.h>

/* Prints the node and what is below it; parameters and empty slots only if `all`. False: nobody reads on. */
bool sl_outline_print(sl_printer *printer, const sl_node *node, bool all);

#endif

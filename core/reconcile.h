/* Which nodes of two trees are the same, where one was told by live events and the other by a save. */
#ifndef SL_CORE_RECONCILE_H
#define SL_CORE_RECONCILE_H

#include "core/err.h"
#include "core/tree.h"

/* Nodes of `picture` that `former` has under ids made by live events take those ids: they are recognised below the same
 * parent by their name, or by their place where one of both has no name. SL_ERR_MEMORY: both can only be destroyed. */
sl_err sl_reconcile_ids(sl_tree *picture, const sl_tree *former);

#endif

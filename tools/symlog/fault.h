/* The last words of a command whose log's file is damaged, or is cut short under it. */
#ifndef SL_TOOLS_FAULT_H
#define SL_TOOLS_FAULT_H

/*
 * From now on a fault (SIGBUS, SIGSEGV) inside a mapped data.mdb, or one that store raised because LMDB gave up, ends
 * the process with status 1 and a line on standard error that names the file and what to do. Any other fault ends it as
 * before. Called once, before there are threads. A child that is to die of a damaged file, and be looked at, is forked
 * by a process that did not call it, or takes it back.
 */
void sl_fault_guard(void);

#endif

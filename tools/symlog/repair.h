/* `symlog verify --repair`: makes a new log of what can be saved of a damaged one. */
#ifndef SL_TOOLS_REPAIR_H
#define SL_TOOLS_REPAIR_H

/* Saves every good event of the log in the folder `db` (as sl_host_db_dir) into a new log in `dir`, at its number and
 * under the log's id, with a tombstone (SL_KIND_LOST) for each that cannot be read. Prints what was saved. Returns the
 * exit status; the caller then verifies the new log. */
int sl_repair_run(const char *db, const char *dir);

#endif

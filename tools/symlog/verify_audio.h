/* `symlog verify --audio`: renders a log's sound again and compares it with what was heard. */
#ifndef SL_TOOLS_VERIFY_AUDIO_H
#define SL_TOOLS_VERIFY_AUDIO_H

#include <stdbool.h>

/* Checks the log in the folder that `db` names and prints the verdict, as JSON if wanted. Returns the exit status: 1
 * where a stretch is wrong, or none is proven. */
int sl_verify_audio_run(const char *db, bool is_json);

#endif

/* base/log.h - one event per line on stderr: a message and key=value pairs.
 *
 * Any thread. Text from outside is cut at 1 KiB and loses its control characters, so that no
 * request can forge a line. After log_start() a thread of its own writes, and a blocked stderr
 * costs lines, never time. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "str.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL };

/** False when name is none of critical, error, warning, info, debug, trace (any case). */
bool log_level_parse(struct str name, enum log_level *out);
void log_set_level(enum log_level level);
/** Lines as {"ts":…,"level":…,"msg":…} instead of text. */
void log_set_json(bool json);
bool log_enabled(enum log_level level);
/** Start the writing thread. */
void log_start(void);
/** Write what is waiting (for at most a second) and end the thread. */
void log_stop(void);
/** One line: a message, then key=value pairs where they help. fmt is never text from outside. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif

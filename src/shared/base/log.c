#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "utf8.h"

#define RING_LINES 512
#define LINE_SIZE 1280
#define TEXT_SIZE 1024

static const char *const level_names[] = {"trace", "debug", "info", "warning", "error", "critical"};

static struct {
    _Atomic int level;
    _Atomic bool json;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    char (*lines)[LINE_SIZE]; /* a ring while the thread runs, else NULL */
    size_t first, count, lost;
    bool stopping;
} logger = {.level = LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

bool log_level_parse(struct str name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++) {
        if (str_ieq(name, str_c(level_names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    atomic_store(&logger.level, (int)level);
}

void log_set_json(bool json)
{
    atomic_store(&logger.json, json);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

/* Copy text as one printable line: controls and invalid UTF-8 become "?". */
static size_t put_clean(char *out, size_t size, struct str text, bool json)
{
    size_t used = 0, len;

    for (size_t i = 0; i < text.len; i += len) {
        int32_t code = utf8_next(str_from(text, i), &len);
        bool bad = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 ||
                   code == 0x2029 || (code >= 0x202A && code <= 0x202E) ||
                   (code >= 0x2066 && code <= 0x2069);

        if (used + len + 2 > size)
            break;
        if (bad) {
            out[used++] = '?';
        } else {
            if (json && (code == '"' || code == '\\'))
                out[used++] = '\\';
            memcpy(out + used, text.ptr + i, len);
            used += len;
        }
    }
    return used;
}

static void format_line(char out[LINE_SIZE], enum log_level level, struct str text)
{
    bool json = atomic_load(&logger.json);
    char stamp[CLOCK_ISO_SIZE];
    size_t used;

    clock_iso(clock_wall_us(), stamp);
    stamp[23] = '\0'; /* milliseconds */
    used = (size_t)snprintf(out, LINE_SIZE,
                            json ? "{\"ts\":\"%sZ\",\"level\":\"%s\",\"msg\":\""
                                 : "%sZ level=%s msg=\"",
                            stamp, level_names[level]);
    used += put_clean(out + used, LINE_SIZE - used - 8, text, true);
    snprintf(out + used, LINE_SIZE - used, json ? "\"}\n" : "\"\n");
}

static void write_out(const char *line)
{
    ssize_t n = write(STDERR_FILENO, line, strlen(line));

    (void)n; /* a closed stderr is not an error */
}

static void *log_main(void *arg)
{
    char line[LINE_SIZE];

    (void)arg;
    pthread_mutex_lock(&logger.lock);
    while (logger.count > 0 || !logger.stopping) {
        if (logger.count == 0) {
            pthread_cond_wait(&logger.wake, &logger.lock);
            continue;
        }
        memcpy(line, logger.lines[logger.first], LINE_SIZE);
        logger.first = (logger.first + 1) % RING_LINES;
        logger.count--;
        pthread_mutex_unlock(&logger.lock);
        write_out(line);
        pthread_mutex_lock(&logger.lock);
    }
    pthread_mutex_unlock(&logger.lock);
    return NULL;
}

void log_start(void)
{
    pthread_mutex_lock(&logger.lock);
    logger.lines = calloc(RING_LINES, LINE_SIZE);
    logger.stopping = false;
    if (logger.lines && pthread_create(&logger.thread, NULL, log_main, NULL) != 0) {
        free(logger.lines);
        logger.lines = NULL;
    }
    pthread_mutex_unlock(&logger.lock);
}

void log_stop(void)
{
    struct timespec until;

    pthread_mutex_lock(&logger.lock);
    if (!logger.lines) {
        pthread_mutex_unlock(&logger.lock);
        return;
    }
    logger.stopping = true;
    pthread_cond_signal(&logger.wake);
    pthread_mutex_unlock(&logger.lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    if (pthread_timedjoin_np(logger.thread, NULL, &until) != 0)
        return; /* stderr is blocked: leave the thread and its ring to the end of the process */
    pthread_mutex_lock(&logger.lock);
    free(logger.lines);
    logger.lines = NULL;
    pthread_mutex_unlock(&logger.lock);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char text[TEXT_SIZE], line[LINE_SIZE];
    va_list args;
    bool queued;

    if (!log_enabled(level))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    format_line(line, level, str_c(text));
    pthread_mutex_lock(&logger.lock);
    queued = logger.lines && !logger.stopping;
    if (queued && logger.count < RING_LINES) {
        memcpy(logger.lines[(logger.first + logger.count++) % RING_LINES], line, LINE_SIZE);
        pthread_cond_signal(&logger.wake);
    } else if (queued) {
        logger.lost++;
    }
    pthread_mutex_unlock(&logger.lock);
    if (!queued)
        write_out(line);
}

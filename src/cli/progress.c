#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "text/format.h"

#define FIRST_US INT64_C(500000)
#define EACH_US INT64_C(100000)
#define BAR 15

char *grouped(int64_t n, char out[GROUPED_SIZE])
{
    char digits[24] = "?";
    size_t len, at = 0;

    if (n >= 0)
        snprintf(digits, sizeof(digits), "%" PRId64, n);
    len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ' ';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

char *counted(int64_t n, const char *one, char out[COUNTED_SIZE])
{
    char digits[GROUPED_SIZE];

    snprintf(out, COUNTED_SIZE, "%s %.36s%s", grouped(n, digits), one, n == 1 ? "" : "s");
    return out;
}

void progress_start(struct progress *p, const struct cli *cli, const char *name)
{
    *p = (struct progress){
        .name = name,
        .wanted = !cli->quiet && isatty(STDERR_FILENO),
        .started_us = clock_now_us(),
    };
}

static void draw(struct progress *p, const char *line)
{
    int width = (int)strlen(line);

    fprintf(stderr, "\r%s%*s", line, p->width > width ? p->width - width : 0, "");
    fflush(stderr);
    p->width = width;
}

/* "trim  [#########......]  61%  12 400 of 20 311  1 850/s  4s left" */
static void put_share(char *line, size_t size, const struct progress *p, int64_t done,
                      int64_t total, int64_t per_second)
{
    char bar[BAR + 1], left[FORMAT_SIZE], a[GROUPED_SIZE], b[GROUPED_SIZE], c[GROUPED_SIZE];
    double share = done < total ? (double)done / (double)total : 1.0;

    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(share * BAR) ? '#' : '.';
    bar[BAR] = '\0';
    format_duration(left, per_second > 0 && done < total ? (total - done) * 1000 / per_second : 0);
    snprintf(line, size, "%s  [%s]  %d%%  %s of %s  %s/s  %s left", p->name, bar,
             (int)(share * 100), grouped(done, a), grouped(total, b), grouped(per_second, c), left);
}

void progress_tell(struct progress *p, int64_t done, int64_t total)
{
    char line[200], a[GROUPED_SIZE], b[GROUPED_SIZE];
    int64_t now, per_second;

    if (!p->wanted)
        return;
    now = clock_now_us();
    if (now - p->started_us < FIRST_US || now - p->drawn_us < EACH_US)
        return;
    p->drawn_us = now;
    per_second = (int64_t)((double)done * 1e6 / (double)(now - p->started_us));
    if (total > 0)
        put_share(line, sizeof(line), p, done, total, per_second);
    else
        snprintf(line, sizeof(line), "%s  %s  %s/s", p->name, grouped(done, a),
                 grouped(per_second, b));
    draw(p, line);
}

void progress_end(struct progress *p)
{
    if (p->width == 0)
        return;
    draw(p, "");
    fprintf(stderr, "\r");
    p->width = 0;
}

#include "graph.h"

#include <math.h>

#include "text/format.h"

#define SPARK_ASCII " .:-=+*#"

double graph_scale(double max)
{
    static const double steps[] = {1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10};
    double unit;

    if (!(max > 0) || !isfinite(max))
        return 0;
    unit = pow(10, floor(log10(max)));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (max <= steps[i] * unit * (1 + 1e-9))
            return steps[i] * unit;
    return 10 * unit;
}

double graph_max(const double *values, size_t count)
{
    double max = 0;

    for (size_t i = 0; i < count; i++)
        if (values[i] > max)
            max = values[i];
    return max;
}

/* How many of levels a value reaches; what is more than nothing reaches one. */
static int level_of(double value, double scale, int levels)
{
    int level;

    if (!(value > 0) || scale <= 0)
        return 0;
    level = (int)(value / scale * levels + 1e-9);
    return level < 1 ? 1 : level > levels ? levels : level;
}

/* The last n of count values. */
static const double *last(const double *values, size_t *count, size_t n)
{
    if (*count <= n)
        return values;
    values += *count - n;
    *count = n;
    return values;
}

/* U+2800 and the dots of two columns, filled from below. */
static void braille(char out[4], int left, int right)
{
    static const unsigned lefts[] = {0, 0x40, 0x44, 0x46, 0x47};
    static const unsigned rights[] = {0, 0x80, 0xA0, 0xB0, 0xB8};
    unsigned dots = lefts[left] | rights[right];

    out[0] = (char)0xE2;
    out[1] = (char)(0xA0 | (dots >> 6));
    out[2] = (char)(0x80 | (dots & 0x3F));
    out[3] = '\0';
}

static void block(char out[4], int eighths)
{
    out[0] = (char)0xE2;
    out[1] = (char)0x96;
    out[2] = (char)(0x80 + eighths);
    out[3] = '\0';
}

static struct look look_of(double value, double peak)
{
    return (struct look){ROLE_STREAM, value > 0 && value >= peak ? CELL_BOLD : 0};
}

static void spark_braille(struct grid *g, int y, int x, int width, const double *values,
                          size_t count)
{
    double peak, scale;
    char text[4];

    values = last(values, &count, (size_t)width * 2);
    peak = graph_max(values, count);
    scale = graph_scale(peak);
    for (int i = 0; i < width; i++) {
        ptrdiff_t at = (ptrdiff_t)count - 2 * (width - i);
        double a = at >= 0 ? values[at] : 0, b = at + 1 >= 0 ? values[at + 1] : 0;

        braille(text, level_of(a, scale, 4), level_of(b, scale, 4));
        if (a > 0 || b > 0)
            grid_put(g, y, x + i, 1, str_c(text), look_of(a > b ? a : b, peak));
    }
}

void graph_spark(struct grid *g, int y, int x, int width, const double *values, size_t count,
                 enum graph_alphabet alphabet)
{
    double peak, scale;
    char text[4];

    if (width <= 0)
        return;
    if (alphabet == GRAPH_BRAILLE) {
        spark_braille(g, y, x, width, values, count);
        return;
    }
    values = last(values, &count, (size_t)width);
    peak = graph_max(values, count);
    scale = graph_scale(peak);
    for (size_t i = 0; i < count; i++) {
        int level = level_of(values[i], scale, alphabet == GRAPH_BLOCK ? 8 : 7);

        if (level == 0)
            continue;
        if (alphabet == GRAPH_BLOCK)
            block(text, level);
        else
            text[0] = SPARK_ASCII[level], text[1] = '\0';
        grid_put(g, y, x + width - (int)count + (int)i, 1, str_c(text), look_of(values[i], peak));
    }
}

/* A line of the graph shows how far a value is beyond the number that stands before the line, up
 * to the number of the line above. */
static void draw_line(struct grid *g, int y, int x, double from, double step, const double *values,
                      size_t count, double peak, enum graph_alphabet alphabet)
{
    for (size_t i = 0; i < count; i++) {
        double beyond = (values[i] - from) / step + 1e-9;
        char text[4];

        if (beyond < 0 || !(values[i] > 0))
            continue;
        if (alphabet == GRAPH_ASCII)
            text[0] = beyond < 0.5 ? '.' : ':', text[1] = '\0';
        else if (alphabet == GRAPH_BLOCK)
            block(text, beyond >= 1 ? 8 : (int)(beyond * 8) + 1 > 8 ? 8 : (int)(beyond * 8) + 1);
        else
            braille(text, beyond >= 1 ? 4 : (int)(beyond * 4) + 1,
                    beyond >= 1 ? 4 : (int)(beyond * 4) + 1);
        grid_put(g, y, x + (int)i, 1, str_c(text), look_of(values[i], peak));
    }
}

void graph_draw(struct grid *g, int y, int x, int width, int height, const double *values,
                size_t count, enum graph_alphabet alphabet)
{
    double peak, scale;
    char label[FORMAT_SIZE];

    values = last(values, &count, (size_t)(width > 0 ? width : 0));
    peak = graph_max(values, count);
    scale = graph_scale(peak);
    for (int i = 0; i < height; i++) {
        double from = scale * (height - i) / height;

        if (scale > 0) {
            grid_fit(g, y + i, x - 5, 4, true, str_c(format_count(label, llround(from))), PLAIN);
            draw_line(g, y + i, x + width - (int)count, from, scale / height, values, count, peak,
                      alphabet);
        }
    }
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "text/term.h"
#include "tui/screen.h"

/* ---- files of tests/screens ---- */

static struct buf read_file(const char *name)
{
    char path[1024], part[4096];
    struct buf out = {0};
    size_t got;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", SCREENS, name);
    file = fopen(path, "rb");
    while (file && (got = fread(part, 1, sizeof(part), file)) > 0)
        buf_put(&out, (struct str){part, got});
    if (file)
        fclose(file);
    buf_put(&out, STR(""));
    return out;
}

static void write_file(const char *name, struct str text)
{
    char path[1024];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", SCREENS, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
}

/* Compare with the file of that name; UPDATE=1 writes it. */
static void assert_golden(const char *name, struct str got)
{
    struct buf expected;

    if (getenv("UPDATE")) {
        write_file(name, got);
        return;
    }
    expected = read_file(name);
    if (!str_eq(buf_str(&expected), got))
        fail_msg("%s differs (UPDATE=1 rewrites it); drawn is\n%.*s", name, STR_ARG(got));
    buf_clear(&expected);
}

/* ---- drawing ---- */

struct scene {
    struct model model;
    struct screen screen;
    struct ui ui;
};

static void scene_start(struct scene *s, const char *play)
{
    struct buf line = read_file(play);
    struct err err;

    *s = (struct scene){0};
    assert_int_equal(model_take(&s->model, buf_str(&line), 0, &err), 0);
    buf_clear(&line);
    s->ui.source = SOURCE_LIVE;
    s->ui.interval_ms = 1000;
    s->ui.ascii = true;
    for (int i = 0; i < VIEWS; i++)
        s->ui.tables[i].selected = UNKNOWN;
    s->ui.tables[VIEW_REQUESTS].sort = column_find(request_columns, STR("age"));
}

static void scene_end(struct scene *s)
{
    screen_clear(&s->screen);
    model_clear(&s->model);
    buf_clear(&s->ui.filter);
    buf_clear(&s->ui.search);
}

static void draw(struct scene *s, int width, int height)
{
    screen_refresh(&s->screen, &s->model, &s->ui, NULL);
    screen_draw(&s->screen, &s->model, &s->ui, width, height);
}

static void assert_screen(struct scene *s, int width, int height, const char *name)
{
    struct buf text = {0};
    char file[128];

    draw(s, width, height);
    grid_text(&s->screen.grid, &text);
    snprintf(file, sizeof(file), "%s.txt", name);
    assert_golden(file, buf_str(&text));
    text.len = 0;
    grid_looks(&s->screen.grid, &text);
    snprintf(file, sizeof(file), "%s.looks", name);
    assert_golden(file, buf_str(&text));
    buf_clear(&text);
}

/* ---- tests ---- */

static void the_requests_look_as_designed_at_four_sizes(void **state)
{
    struct scene s;
    struct buf other;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    s.ui.tables[VIEW_REQUESTS].selected = 4125;
    assert_screen(&s, 60, 15, "60x15");
    assert_screen(&s, 80, 24, "80x24");
    assert_screen(&s, 120, 36, "120x36");
    other = read_file("text.json");
    model_take_text(&s.model, buf_str(&other));
    buf_clear(&other);
    assert_screen(&s, 160, 48, "160x48");
    scene_end(&s);
}

static int start(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    term_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_requests_look_as_designed_at_four_sizes),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}

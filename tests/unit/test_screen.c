#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "filter/filter.h"
#include "text/term.h"
#include "tui/keys.h"
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
    struct filter *filter;
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
    filter_free(s->filter);
    prompt_clear(&s->ui.prompt);
    detail_clear(&s->ui.detail);
    screen_clear(&s->screen);
    model_clear(&s->model);
    buf_clear(&s->ui.filter);
    buf_clear(&s->ui.search);
}

static void draw(struct scene *s, int width, int height)
{
    screen_refresh(&s->screen, &s->model, &s->ui, s->filter);
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

static void set_filter(struct scene *s, const char *text)
{
    struct filter_error error;

    s->filter = filter_parse(str_c(text), FILTER_LIVE, s->model.now_us, &error);
    assert_non_null(s->filter);
    buf_put(&s->ui.filter, str_c(text));
}

/* ---- screens ---- */

static void the_requests_look_as_designed_at_four_sizes(void **state)
{
    struct scene s;
    struct buf other;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    s.ui.tables[VIEW_REQUESTS].selected = 4125;
    assert_screen(&s, 60, 15, "60x15");
    assert_screen(&s, 80, 24, "80x24");
    set_filter(&s, "since:15m");
    assert_screen(&s, 120, 36, "120x36");
    other = read_file("text.json");
    model_take_text(&s.model, buf_str(&other));
    buf_clear(&other);
    assert_screen(&s, 160, 48, "160x48");
    scene_end(&s);
}

static void in_utf8_lines_and_graphs_are_drawn_with_blocks(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    s.ui.ascii = false;
    s.ui.alphabet = GRAPH_BLOCK;
    s.ui.tables[VIEW_REQUESTS].selected = 4115;
    assert_screen(&s, 160, 48, "160x48-utf8");
    s.ui.alphabet = GRAPH_BRAILLE;
    assert_screen(&s, 120, 36, "120x36-braille");
    scene_end(&s);
}

static void the_other_views_have_their_own_columns(void **state)
{
    struct scene s;
    struct buf runs = read_file("runs.json");
    struct err err;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    assert_int_equal(model_take_runs(&s.model, buf_str(&runs), &err), 0);
    buf_clear(&runs);
    s.ui.view = VIEW_RUNS;
    assert_screen(&s, 80, 24, "runs-80x24");
    s.ui.view = VIEW_MODELS;
    s.ui.tables[VIEW_MODELS].sort = column_find(view_columns[VIEW_MODELS], STR("out"));
    assert_screen(&s, 120, 36, "models-120x36");
    s.ui.view = VIEW_UPSTREAMS;
    assert_screen(&s, 80, 24, "upstreams-80x24");
    scene_end(&s);
}

static void what_lies_over_the_rest_is_drawn_last(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    s.ui.overlay = OVERLAY_HELP;
    assert_screen(&s, 80, 24, "help-80x24");
    s.ui.overlay = OVERLAY_MENU;
    s.ui.menu = (struct menu){.kind = MENU_RUNS,
                              .title = "runs",
                              .items = {{'s', "start a run", 0}, {'e', "end a\x1b[31m run", 0}},
                              .count = 2,
                              .at = 1};
    assert_screen(&s, 60, 15, "menu-60x15");
    s.ui.overlay = OVERLAY_CONFIRM;
    s.ui.confirm = (struct confirm){
        .question = "Cancel 4125 gpt-5.4-mini on openai (6.7s, ~402 tokens)? The client gets an "
                    "error."};
    assert_screen(&s, 80, 24, "confirm-80x24");
    s.ui.overlay = OVERLAY_NONE;
    prompt_open(&s.ui.prompt, PROMPT_FILTER, STR("model:gpt* stauts>=400"), "");
    snprintf(s.ui.prompt.error, sizeof(s.ui.prompt.error), "unknown field \"stauts\"");
    s.ui.prompt.error_at = 11;
    s.ui.prompt.error_len = 6;
    assert_screen(&s, 80, 24, "prompt-80x24");
    scene_end(&s);
}

static void states_of_the_source_are_told(void **state)
{
    struct scene s;
    struct scene empty = {.ui = {.source = SOURCE_CONNECTING, .ascii = true, .interval_ms = 1000}};

    (void)state;
    empty.ui.url = "http://localhost:8080";
    assert_screen(&empty, 80, 24, "connecting-80x24");
    scene_end(&empty);
    scene_start(&s, "traffic.jsonl");
    s.ui.source = SOURCE_RETRY;
    s.ui.retry_s = 4;
    s.ui.message_error = true;
    snprintf(s.ui.message, sizeof(s.ui.message), "no server answers at http://localhost:8080");
    s.ui.pane = PANE_ON;
    assert_screen(&s, 60, 15, "retry-60x15");
    s.ui.paused = true;
    s.ui.pane = PANE_OFF;
    set_filter(&s, "model:nothing");
    assert_screen(&s, 80, 24, "nothing-80x24");
    assert_screen(&s, 39, 8, "small-39x8");
    scene_end(&s);
}

static void a_detail_has_a_head_tabs_and_text(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    s.ui.detail = (struct detail){.id = 4125, .running = true};
    assert_screen(&s, 80, 24, "detail-running-80x24");
    s.ui.detail.running = false;
    s.ui.detail.tab = TAB_TIMING;
    s.ui.detail.folded_width = 0;
    buf_put(&s.ui.detail.head, STR("request 4120  POST /v1/messages  200 ok  12.1s\n"
                                   "  when    2026-11-23 14:01:45 local, 21s ago\n"
                                   "  model   claude-sonnet-4-6 on anthropic\n  more\n"));
    buf_put(&s.ui.detail.record,
            STR("{\"record\":{\"upstream_connect_ms\":20,\"upstream_headers_ms\":1020,"
                "\"first_byte_ms\":1021,\"ttft_ms\":1100,\"duration_ms\":12100,"
                "\"event_count\":640}}"));
    assert_screen(&s, 80, 24, "detail-timing-80x24");
    s.ui.detail.tab = TAB_RAW;
    s.ui.detail.folded_width = 0;
    buf_put(&s.ui.detail.text, STR("{\n  \"evil\": \"\x1b]0;title\x07 \xE2\x80\xAEtxt\"\n}\n"));
    assert_screen(&s, 80, 24, "detail-raw-80x24");
    scene_end(&s);
}

/* ---- parts ---- */

static void assert_columns(const struct table *t, const char *expected)
{
    struct buf got = {0};

    for (size_t i = 0; i < t->count; i++)
        buf_printf(&got, "%s%s", i > 0 ? "," : "", t->columns[i].id);
    assert_string_equal(got.ptr, expected);
    buf_clear(&got);
}

static void columns_are_chosen_by_width_or_by_name(void **state)
{
    struct ui ui = {0};
    struct table t;

    (void)state;
    table_lay_out(&t, &ui, 60, 4127);
    assert_columns(&t, "id,age,st,model,out,tps,cost");
    ui.columns = "id,model,gap,error";
    table_lay_out(&t, &ui, 80, 4127);
    assert_columns(&t, ui.columns);
    table_lay_out(&t, &ui, 40, 4127); /* too narrow: from the right */
    assert_columns(&t, "id,model,gap");
    ui.columns = "+gap,-age,-out";
    table_lay_out(&t, &ui, 60, 4127);
    assert_columns(&t, "id,st,model,tps,cost,gap");
    for (int width = 1; width < 40; width++) {
        table_lay_out(&t, &ui, width, INT64_MAX);
        assert_true(t.count >= 1);
    }
}

static void every_line_is_as_wide_as_the_screen_whatever_a_model_is_called(void **state)
{
    static const char *const names[] = {
        "\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5"
        "\xAD\x97\xE6\xBC\xA2",
        "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81",
        "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 family",
        "\\u001b[2Jgone\\u0000",
        "\xE2\x80\xAE"
        "evil",
    };
    struct scene s = {.ui = {.source = SOURCE_LIVE, .interval_ms = 1000}};
    struct buf json = {0}, text = {0};
    struct err err;

    (void)state;
    buf_put(&json, STR("{\"rev\":1,\"now\":\"2026-11-23T14:02:07.104Z\",\"finished\":["));
    for (size_t i = 0; i < 5; i++)
        buf_printf(&json, "%s{\"id\":%zu,\"model\":\"%s\",\"status\":200,\"outcome\":\"ok\"}",
                   i > 0 ? "," : "", i + 1, names[i]);
    buf_put(&json, STR("]}"));
    assert_int_equal(model_take(&s.model, buf_str(&json), 0, &err), 0);
    for (int width = 40; width < 170; width += 7) {
        draw(&s, width, 30);
        for (int y = 0; y < 30; y++) {
            int cells = 0;

            for (int x = 0; x < width; x++)
                cells += grid_cell(&s.screen.grid, y, x)->width;
            assert_int_equal(cells, width);
        }
        text.len = 0;
        grid_text(&s.screen.grid, &text);
        for (size_t i = 0; i < text.len; i++)
            assert_true((unsigned char)text.ptr[i] >= 0x20 || text.ptr[i] == '\n');
        assert_true(str_find(buf_str(&text), STR("\xE2\x80\xAE")) < 0);
    }
    buf_clear(&json);
    buf_clear(&text);
    scene_end(&s);
}

static void any_size_can_be_drawn(void **state)
{
    struct scene s;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    for (int view = 0; view < VIEWS; view++)
        for (int width = 1; width < 220; width += 13)
            for (int height = 1; height < 70; height += 5) {
                s.ui.view = (enum view)view;
                s.ui.overlay = (enum overlay)((width + height) % 4);
                s.ui.pane = (enum pane_wish)(width % 3);
                draw(&s, width, height);
            }
    scene_end(&s);
}

static void a_redraw_takes_less_than_ten_milliseconds(void **state)
{
    struct scene s;
    int64_t begin;

    (void)state;
    scene_start(&s, "traffic.jsonl");
    begin = clock_now_us();
    for (int i = 0; i < 50; i++)
        draw(&s, 160, 48);
    print_message("a redraw at 160x48: %.2f ms\n", (double)(clock_now_us() - begin) / 50000);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true((clock_now_us() - begin) / 50 < 10000);
#endif
    scene_end(&s);
}

static void rows_are_kept_over_answers_and_forgotten_with_the_instance(void **state)
{
    struct model m = {0};
    struct err err;

    (void)state;
    assert_int_equal(model_take(&m,
                                STR("{\"rev\":5,\"instance\":\"a\",\"finished\":["
                                    "{\"id\":2,\"rev\":5},{\"id\":1,\"rev\":4}]}"),
                                0, &err),
                     0);
    assert_int_equal(model_take(&m,
                                STR("{\"rev\":7,\"instance\":\"a\",\"finished\":["
                                    "{\"id\":3,\"rev\":6},{\"id\":1,\"rev\":7,\"x\":1}]}"),
                                0, &err),
                     0);
    assert_int_equal(m.finished.count, 3);
    assert_int_equal(m.finished.rows[0].id, 3);
    assert_int_equal(row_int(&model_finished(&m, 1)->row, "x"), 1);
    assert_int_equal(model_take(&m, STR("not json"), 0, &err), -1);
    assert_int_equal(m.finished.count, 3);
    assert_int_equal(model_take(&m, STR("{\"rev\":1,\"instance\":\"b\",\"finished\":[]}"), 0, &err),
                     0);
    assert_int_equal(m.finished.count, 0);
    model_clear(&m);
}

static void rows_without_an_id_are_told_apart_by_name_and_provider(void **state)
{
    struct model m = {0};
    struct err err;

    (void)state;
    assert_int_equal(model_take(&m,
                                STR("{\"models\":[{\"model\":\"a\",\"provider_slug\":\"x\"},"
                                    "{\"model\":\"a\",\"provider_slug\":\"y\"},"
                                    "{\"model\":null,\"provider_slug\":null}],\"upstreams\":["
                                    "{\"base_url\":\"http://h/v1\",\"provider_slug\":\"x\"},"
                                    "{\"base_url\":\"http://h/v1\",\"provider_slug\":null},"
                                    "{\"base_url\":null,\"provider_slug\":null}]}"),
                                0, &err),
                     0);
    for (size_t i = 0; i < 3; i++) {
        const struct item *models = m.models.rows, *upstreams = m.upstreams.rows;

        assert_true(models[i].id != UNKNOWN && upstreams[i].id != UNKNOWN);
        assert_true(models[i].id != models[(i + 1) % 3].id);
        assert_true(upstreams[i].id != upstreams[(i + 1) % 3].id);
    }
    model_clear(&m);
}

static void a_line_is_typed_edited_and_remembered(void **state)
{
    struct prompt p = {0};
    const char *text = "ab \xC3\xA9";

    (void)state;
    prompt_open(&p, PROMPT_SEARCH, STR(""), "");
    for (const char *c = "ab x"; *c; c++)
        assert_int_equal(prompt_key(&p, *c), PROMPT_EDITED);
    prompt_key(&p, K_BACKSPACE);
    prompt_key(&p, 0xE9);
    assert_string_equal(p.text.ptr, text);
    assert_int_equal(prompt_key(&p, 0x1B + 0x80), PROMPT_IGNORED); /* a C1 control */
    prompt_key(&p, K_LEFT);
    prompt_key(&p, K_DELETE);
    assert_string_equal(p.text.ptr, "ab ");
    prompt_key(&p, K_HOME);
    prompt_key(&p, 'z');
    assert_string_equal(p.text.ptr, "zab ");
    prompt_key(&p, K_END);
    prompt_key(&p, K_CTRL_W);
    assert_string_equal(p.text.ptr, "");
    prompt_key(&p, 'q');
    assert_int_equal(prompt_key(&p, K_ENTER), PROMPT_ACCEPTED);
    prompt_close(&p, true);
    prompt_open(&p, PROMPT_SEARCH, STR(""), "");
    assert_int_equal(prompt_key(&p, K_UP), PROMPT_EDITED);
    assert_string_equal(p.text.ptr, "q");
    assert_int_equal(prompt_key(&p, K_DOWN), PROMPT_EDITED);
    assert_int_equal(p.text.len, 0);
    assert_int_equal(prompt_key(&p, K_BACKSPACE), PROMPT_CLOSED);
    prompt_clear(&p);
}

static void each_key_does_one_thing_and_the_help_has_room(void **state)
{
    static const int keys[] = {K_UP, 'k', 'q', 'Q', '1', '?', '\\', K_F9, K_F10, '+', K_CTRL_C};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_not_equal(key_action(keys[i]), ACT_NONE);
    assert_int_equal(key_action('x'), ACT_NONE);
    for (const struct key_help *k = top_keys; k->keys; k++) {
        assert_true(strlen(k->keys) <= 26);
        assert_true(strlen(k->help) <= 50);
    }
}

static void text_is_folded_at_blanks(void **state)
{
    struct wrapped w = {0};

    (void)state;
    wrap_add(&w, "l", STR("one two  three\n\nabcdefghij"), 7, 0, 0);
    assert_int_equal(w.count, 5);
    assert_true(str_eq(wrap_line(&w, 0), STR("one two")));
    assert_string_equal(w.lines[0].label, "l");
    assert_null(w.lines[1].label);
    assert_true(str_eq(wrap_line(&w, 1), STR(" three")));
    assert_int_equal(wrap_line(&w, 2).len, 0);
    assert_true(str_eq(wrap_line(&w, 3), STR("abcdefg")));
    assert_true(str_eq(wrap_line(&w, 4), STR("hij")));
    wrap_reset(&w);
    wrap_add(&w, NULL, STR("\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2"), 3, 0, 0);
    assert_int_equal(w.count, 3);
    wrap_clear(&w);
}

static void scales_are_round_numbers(void **state)
{
    static const struct {
        double max, scale;
    } cases[] = {{0, 0}, {1, 1}, {1.1, 1.2}, {7, 8}, {9, 10}, {561, 600}, {10001, 12000}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(graph_scale(cases[i].max) > cases[i].scale * 0.999 - 1e-9 &&
                    graph_scale(cases[i].max) < cases[i].scale * 1.001 + 1e-9);
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
        cmocka_unit_test(in_utf8_lines_and_graphs_are_drawn_with_blocks),
        cmocka_unit_test(the_other_views_have_their_own_columns),
        cmocka_unit_test(what_lies_over_the_rest_is_drawn_last),
        cmocka_unit_test(states_of_the_source_are_told),
        cmocka_unit_test(a_detail_has_a_head_tabs_and_text),
        cmocka_unit_test(columns_are_chosen_by_width_or_by_name),
        cmocka_unit_test(every_line_is_as_wide_as_the_screen_whatever_a_model_is_called),
        cmocka_unit_test(any_size_can_be_drawn),
        cmocka_unit_test(a_redraw_takes_less_than_ten_milliseconds),
        cmocka_unit_test(rows_are_kept_over_answers_and_forgotten_with_the_instance),
        cmocka_unit_test(rows_without_an_id_are_told_apart_by_name_and_provider),
        cmocka_unit_test(a_line_is_typed_edited_and_remembered),
        cmocka_unit_test(each_key_does_one_thing_and_the_help_has_room),
        cmocka_unit_test(text_is_folded_at_blanks),
        cmocka_unit_test(scales_are_round_numbers),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}

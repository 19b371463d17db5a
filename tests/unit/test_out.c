#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/out.h"
#include "json/json_scan.h"
#include "text/term.h"

#define NOW INT64_C(1795442527104000) /* 2026-11-23T14:02:07.104Z */

static const struct out_spec spec = {
    .columns = request_columns,
    .columns_for = request_columns_for,
    .machine = request_columns_machine,
    .fields = request_fields,
};

static const char *const rows[] = {
    "{\"id\":4122,\"created_at\":\"2026-11-23T14:01:50.604000Z\",\"completed_at\":"
    "\"2026-11-23T14:01:52.644000Z\",\"endpoint\":\"/v1/responses\",\"model\":\"gpt-5.4-mini\","
    "\"status\":200,\"outcome\":\"ok\",\"duration_ms\":2040,\"tokens\":{\"input\":30600,"
    "\"cached_input\":27540,\"output\":118,\"input_estimated\":false},\"provider_slug\":\"openai\","
    "\"ttft_ms\":390,\"generation_tps\":\"71.50\",\"cost_usd\":0.0048735,"
    "\"task_run\":{\"id\":12,\"name\":\"bench-42\"},\"error\":null}",
    "{\"id\":4121,\"created_at\":\"2026-11-23T14:01:49.104000Z\",\"completed_at\":"
    "\"2026-11-23T14:01:49.316000Z\",\"endpoint\":\"/v1/messages\",\"model\":"
    "\"claude-sonnet-4-6-with-a-long-name\",\"status\":429,\"outcome\":\"http_error\","
    "\"duration_ms\":212,\"tokens\":{\"input\":null,\"cached_input\":null,\"output\":null},"
    "\"provider_slug\":\"anthropic\",\"ttft_ms\":null,\"generation_tps\":null,\"cost_usd\":null,"
    "\"task_run\":null,\"error\":\"tab\\there \\\"quoted\\\", \\\\ and\\u001b[31m\\nred\"}",
    "{\"id\":4120,\"created_at\":\"2026-11-19T13:10:00.000000Z\",\"completed_at\":null,"
    "\"endpoint\":\"/v1/chat/completions\",\"model\":\"\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2"
    "\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\",\"status\":null,"
    "\"outcome\":null,\"duration_ms\":null,\"tokens\":{\"input\":48100,\"input_estimated\":true,"
    "\"cached_input\":null,\"output\":null},\"provider_slug\":null,\"cost_usd\":"
    "9007199254740993.123456789012,\"task_run\":{\"id\":9,\"name\":\"\xE2\x80\xAE" "evil\"}}",
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* A verb that can do everything. */
static const struct verb any = {.name = "test", .forms = ~0u};

/* Run a command line's output over the rows, with stdout going to a file in memory. */
static char *run(int argc, char **argv, const char *const *list, size_t count, int expected)
{
    static char text[65536];
    struct cli cli;
    struct out out;
    struct err err;
    int fd = memfd_create("stdout", 0), saved;
    ssize_t n;
    int rc;

    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    rc = cli_parse(&cli, "test", &any, argc, argv, &err);
    cli.quiet = true;
    out = (struct out){0};
    if (rc == 0)
        rc = out_open(&out, &cli, &spec, &err);
    out.ctx.now_us = NOW;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = out_row(&out, str_c(list[i]), &err);
    if (rc == 0)
        rc = out_end(&out, &err);
    out_close(&out);
    cli_clear(&cli);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    n = pread(fd, text, sizeof(text) - 1, 0);
    close(fd);
    assert_int_equal(rc, expected);
    text[n > 0 ? n : 0] = '\0';
    if (rc < 0)
        snprintf(text, sizeof(text), "%s", err.msg);
    return text;
}
#define RUN(...)                                                                                   \
    run((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__}, rows,    \
        ROWS, 0)

static void width(const char *cells)
{
    if (cells)
        setenv("LLM_OBSERVE_FORCE_TTY", cells, 1);
    else
        unsetenv("LLM_OBSERVE_FORCE_TTY");
}

static void a_table_of_60_cells(void **state)
{
    (void)state;
    width("60");
    assert_string_equal(RUN("--columns=id,age,st,model,out,tps,cost"),
        "    ID   AGE ST  MODEL                  OUT  TOK/S      COST\n"
        "  4122 16.5s ok  gpt-5.4-mini           118   71.5   $0.0049\n"
        "  4121 18.0s 429 claude-sonnet-4-6-…      -      -         -\n"
        "  4120    4d pen 漢字漢字漢字漢字漢       -      - $9007199B\n");
}

static void a_table_of_80_cells(void **state)
{
    (void)state;
    width("80");
    assert_string_equal(RUN("-q"),
        "    ID TIME             ST  MODEL                     IN    OUT  TOK/S      COST\n"
        "  4122 16s              ok  gpt-5.4-mini           30.6k    118   71.5   $0.0049\n"
        "  4121 18s              429 claude-sonnet-4-6-wi…      -      -      -         -\n"
        "  4120 2026-11-19 13:10 pen 漢字漢字漢字漢字漢    ~48.1k      -      - $9007199B\n");
    assert_string_equal(run(1, (char *[]){"-q"}, rows, 2, 0),
        "    ID TIME  ST  MODEL                 IN    OUT   TTFT  TOK/S     COST RUN     \n"
        "  4122 16s   ok  gpt-5.4-mini       30.6k    118  390ms   71.5  $0.0049 bench-42\n"
        "  4121 18s   429 claude-sonnet-4-…      -      -      -      -        - -       \n");
}

static void a_table_of_120_cells(void **state)
{
    (void)state;
    width("120");
    assert_string_equal(run(1, (char *[]){"-q"}, rows, 2, 0),
        "    ID TIME  ST  ENDPOINT   MODEL              PROVIDER         IN CACHE    OUT   TTFT"
        "  TOK/S    DUR     COST RUN       \n"
        "  4122 16s   ok  responses  gpt-5.4-mini       openai        30.6k   90%    118  390ms"
        "   71.5  2.04s  $0.0049 bench-42  \n"
        "  4121 18s   429 messages   claude-sonnet-4-6… anthropic         -     -      -      -"
        "      -  212ms        - -         \n");
}

static void all_lines_of_a_table_are_equally_wide_and_fit(void **state)
{
    char cells[8];
    struct str rest, line;

    (void)state;
    for (unsigned w = 1; w <= 200; w++) {
        size_t first = 0, lines = 0;

        snprintf(cells, sizeof(cells), "%u", w);
        width(cells);
        for (rest = str_c(RUN("--columns=+summary,+error,+host")); str_split(&rest, '\n', &line);) {
            if (line.len == 0)
                break;
            if (lines++ == 0)
                first = term_cells(line);
            assert_int_equal(term_cells(line), first);
            assert_true(first <= w);
            assert_true(term_is_plain(line));
        }
        assert_int_equal(lines, 1 + ROWS);
    }
}

static void columns_that_were_chosen_go_from_the_right(void **state)
{
    (void)state;
    width("20");
    assert_string_equal(run(1, (char *[]){"--columns=st,id,cost,model"}, rows, 1, 0),
                        "ST      ID     COST\n"
                        "ok    4122  $0.0049\n");
    width("200");
    assert_string_equal(run(1, (char *[]){"--columns=id,task_run.name,tokens.input"}, rows, 1, 0),
                        "    ID task_run.name tokens.input\n"
                        "  4122 bench-42             30600\n");
    width("60");
    assert_string_equal(run(2, (char *[]){"--columns=-id,+status", "--no-header"}, rows + 1, 1, 0),
                        "18s   429 claude-sonnet-4-6-wit…      -      -        -  429\n");
}

static void a_pipe_gets_raw_values_with_tabs(void **state)
{
    (void)state;
    width(NULL);
    assert_string_equal(RUN("-q"),
        "4122\t2026-11-23T14:01:50.604000Z\t200\tok\t/v1/responses\tgpt-5.4-mini\topenai\t30600\t"
        "27540\t118\t390\t2040\t71.50\t0.0048735\tbench-42\t\n"
        "4121\t2026-11-23T14:01:49.104000Z\t429\thttp_error\t/v1/messages\t"
        "claude-sonnet-4-6-with-a-long-name\tanthropic\t\t\t\t\t212\t\t\t\t"
        "tab\\there \"quoted\", \\\\ and\\e[31m\\nred\n"
        "4120\t2026-11-19T13:10:00.000000Z\t\t\t/v1/chat/completions\t漢字漢字漢字漢字漢\t\t48100\t"
        "\t\t\t\t\t9007199254740993.123456789012\t\\u{202E}evil\t\n");
    assert_string_equal(RUN("--header", "--columns=id,st,cached"),
                        "id\tst\tcached\n4122\tok\t0.9000\n4121\t429\t\n4120\tpen\t\n");
}

static void csv_is_quoted_and_has_a_header(void **state)
{
    (void)state;
    width(NULL);
    assert_string_equal(RUN("--csv=id,error,cost_usd"),
                        "id,error,cost_usd\n4122,,0.0048735\n"
                        "4121,\"tab\\there \"\"quoted\"\", \\ and\\e[31m\\nred\",\n"
                        "4120,,9007199254740993.123456789012\n");
    assert_string_equal(run(1, (char *[]){"--csv=id"}, NULL, 0, 0), "id\n");
}

static void json_keeps_every_digit_and_hides_nothing(void **state)
{
    (void)state;
    width(NULL);
    assert_string_equal(RUN("--json=id,cost_usd,task_run.name,tokens.output,state"),
        "[{\"id\":4122,\"cost_usd\":0.0048735,\"task_run.name\":\"bench-42\",\"tokens.output\":118,"
        "\"state\":null},"
        "{\"id\":4121,\"cost_usd\":null,\"task_run.name\":null,\"tokens.output\":null,"
        "\"state\":null},"
        "{\"id\":4120,\"cost_usd\":9007199254740993.123456789012,\"task_run.name\":\"\\u202eevil\","
        "\"tokens.output\":null,\"state\":null}]\n");
    assert_string_equal(run(1, (char *[]){"--jsonl"}, (const char *[]){
                            "{ \"a\" : [ 1.0e2 , -0 ],\n \"b\":\"\xC2\x85\x7F"
                            "\xEF\xBB\xBF\" }"}, 1, 0),
                        "{\"a\":[1.0e2,-0],\"b\":\"\\u0085\\u007f\\ufeff\"}\n");
}

static void json_is_indented_on_a_terminal(void **state)
{
    (void)state;
    width("80");
    assert_string_equal(run(1, (char *[]){"--json=id,tokens"},
                            (const char *[]){"{\"id\":1,\"tokens\":{\"a\":[],\"b\":{},\"c\":[1,{"
                                             "\"d\""
                                             ":\"{,}\"}]}}", "{\"id\":2}"}, 2, 0),
                        "[\n"
                        "  {\n"
                        "    \"id\": 1,\n"
                        "    \"tokens\": {\n"
                        "      \"a\": [],\n"
                        "      \"b\": {},\n"
                        "      \"c\": [\n"
                        "        1,\n"
                        "        {\n"
                        "          \"d\": \"{,}\"\n"
                        "        }\n"
                        "      ]\n"
                        "    }\n"
                        "  },\n"
                        "  {\n"
                        "    \"id\": 2,\n"
                        "    \"tokens\": null\n"
                        "  }\n"
                        "]\n");
    assert_string_equal(run(1, (char *[]){"--json"}, NULL, 0, 0), "[]\n");
    assert_string_equal(RUN("--jsonl=id"), "{\"id\":4122}\n{\"id\":4121}\n{\"id\":4120}\n");
}

static void colour_surrounds_cells_and_changes_no_width(void **state)
{
    (void)state;
    width("80");
    assert_string_equal(run(2, (char *[]){"--color=always", "--columns=id,st,out"}, rows + 1, 1, 0),
                        "\x1b[1m    ID\x1b[0m \x1b[1mST \x1b[0m \x1b[1m   OUT\x1b[0m\n"
                        "  4121 \x1b[33m429\x1b[0m \x1b[2m     -\x1b[0m\n");
}

static void wide_cuts_and_drops_nothing(void **state)
{
    (void)state;
    width("10");
    assert_string_equal(run(2, (char *[]){"--wide", "--columns=id,model,run"}, rows + 1, 1, 0),
                        "    ID MODEL                              RUN     \n"
                        "  4121 claude-sonnet-4-6-with-a-long-name -       \n");
}

static void other_terminals_get_ascii(void **state)
{
    (void)state;
    width("38");
    setenv("LC_ALL", "C", 1);
    assert_string_equal(run(1, (char *[]){"--columns=id,model,run"}, rows + 1, 2, 0),
                        "    ID MODEL               RUN        \n"
                        "  4121 claude-sonnet-4-6-+ -          \n"
                        "  4120 ?????????           \\u{202E}ev+\n");
    setenv("LC_ALL", "C.UTF-8", 1);
}

static void unknown_names_are_refused_with_a_hint(void **state)
{
    (void)state;
    width(NULL);
    assert_string_equal(run(1, (char *[]){"--json=id,statsu"}, rows, 1, -1),
                        "unknown field \"statsu\", did you mean \"status\", \"state\" or "
                        "\"status_label\"?");
    assert_string_equal(run(1, (char *[]){"--columns=id,modle"}, rows, 1, -1),
                        "unknown column \"modle\", did you mean \"model\" or \"model_route\"?");
    assert_string_equal(run(2, (char *[]){"--json", "--csv"}, rows, 1, -1),
                        "--json and --csv exclude each other");
    assert_string_equal(run(1, (char *[]){"--time=soon"}, rows, 1, -1),
                        "--time: \"soon\" is none of auto, relative, local, utc, iso");
    assert_string_equal(run(1, (char *[]){"--color=red"}, rows, 1, -1),
                        "--color: \"red\" is none of auto, always, never");
}

static void state_is(const char *json, const char *expected)
{
    struct row row = {0};
    enum role role;
    char out[8];

    assert_true(row_read(&row, str_c(json)));
    assert_string_equal(request_state(&row, out, &role), expected);
    row_clear(&row);
}

static void states_and_outcomes_have_three_letters(void **state)
{
    (void)state;
    state_is("{\"state\":\"stalled\",\"outcome\":null}", "STL");
    state_is("{\"outcome\":null,\"status\":null}", "pen");
    state_is("{\"outcome\":\"cancelled\",\"status\":499}", "kil");
    state_is("{\"outcome\":\"client_gone\",\"status\":200}", "cxl");
    state_is("{\"outcome\":\"timeout\",\"status\":504}", "tmo");
    state_is("{\"outcome\":\"cut\",\"status\":200}", "cut");
    state_is("{\"outcome\":\"failed\",\"status\":502}", "502");
    state_is("{\"outcome\":\"failed\",\"status\":null}", "err");
    state_is("{\"outcome\":\"http_error\",\"status\":429}", "429");
    state_is("{\"outcome\":\"upstream_error\",\"status\":200}", "err");
    state_is("{\"outcome\":\"rewritten\",\"status\":200}", "fix");
    state_is("{\"outcome\":\"ok\",\"status\":200}", "ok");
    state_is("{\"completed_at\":\"2026-11-23T14:01:50.604000Z\",\"status\":201}", "201");
}

static void rows_sort_by_value_with_unknown_last(void **state)
{
    static const char *const unsorted[] = {
        "{\"id\":1,\"cost_usd\":0.5,\"model\":\"b\"}", "{\"id\":2,\"cost_usd\":null}",
        "{\"id\":3,\"cost_usd\":2,\"model\":\"a\"}", "{\"id\":4,\"cost_usd\":0.5,\"model\":\"b\"}",
    };
    struct sort_key keys[4];
    struct row row = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        row_read(&row, str_c(unsorted[i]));
        sort_key_read(&keys[i], column_find(request_columns, STR("cost")), &row);
    }
    assert_true(sort_key_compare(&keys[2], &keys[0], false) < 0);
    assert_true(sort_key_compare(&keys[2], &keys[0], true) > 0);
    assert_true(sort_key_compare(&keys[1], &keys[0], false) > 0);
    assert_true(sort_key_compare(&keys[1], &keys[0], true) > 0);
    assert_true(sort_key_compare(&keys[3], &keys[0], true) < 0);
    for (size_t i = 0; i < 4; i++) {
        row_read(&row, str_c(unsorted[i]));
        sort_key_read(&keys[i], column_find(request_columns, STR("model")), &row);
    }
    assert_true(sort_key_compare(&keys[2], &keys[0], false) < 0);
    assert_true(sort_key_compare(&keys[1], &keys[2], true) > 0);
    row_clear(&row);
}

static void a_full_disk_is_an_error(void **state)
{
    struct cli cli;
    struct out out;
    struct err err = {0};
    int saved = dup(STDOUT_FILENO), rc;

    (void)state;
    width(NULL);
    fflush(stdout);
    assert_non_null(freopen("/dev/full", "w", stdout));
    assert_int_equal(cli_parse(&cli, "test", &any, 0, NULL, &err), 0);
    assert_int_equal(out_open(&out, &cli, &spec, &err), 0);
    out_row(&out, str_c(rows[0]), &err);
    rc = out_end(&out, &err);
    out_close(&out);
    cli_clear(&cli);
    clearerr(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, ERR_FAILED);
    assert_string_equal(err.msg, "cannot write to standard output: No space left on device");
}

/* Captured text that wants to be more than text, in every member that is text. */
static void hostile_text_reaches_no_form_unescaped(void **state)
{
    static const char evil[] = "\\u001b]0;x\\u0007\\u009b2J\\u202e\\ufeff\\u0000\\r\\n\\t\xC2\x9B"
                               "\xE2\x80\xAE\x7F";
    static char *const forms[] = {"-q", "--json", "--jsonl", "--csv", "--wide"};
    static const char *const widths[] = {NULL, "80", "200"};
    char json[2048];
    const char *list[] = {json};

    (void)state;
    snprintf(json, sizeof(json),
             "{\"id\":1,\"created_at\":\"%s\",\"completed_at\":\"%s\",\"method\":\"%s\","
             "\"endpoint\":\"%s\",\"model\":\"%s\",\"outcome\":\"%s\",\"status\":200,"
             "\"provider_slug\":\"%s\",\"generation_tps\":\"%s\",\"cost_usd\":\"%s\","
             "\"task_run\":{\"name\":\"%s\"},\"finish_reason\":\"%s\",\"semantic_summary\":\"%s\","
             "\"error\":\"%s\",\"tokens\":{\"input\":\"%s\"},\"%s\":1}",
             evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil,
             evil);
    for (size_t w = 0; w < 3; w++)
        for (size_t f = 0; f < 5; f++) {
            struct str text;

            width(widths[w]);
            text = str_c(run(1, (char *[]){forms[f]}, list, 1, 0));
            assert_true(text.len > 10);
            assert_true(term_is_plain(text));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_60_cells),
        cmocka_unit_test(a_table_of_80_cells),
        cmocka_unit_test(a_table_of_120_cells),
        cmocka_unit_test(all_lines_of_a_table_are_equally_wide_and_fit),
        cmocka_unit_test(columns_that_were_chosen_go_from_the_right),
        cmocka_unit_test(a_pipe_gets_raw_values_with_tabs),
        cmocka_unit_test(csv_is_quoted_and_has_a_header),
        cmocka_unit_test(json_keeps_every_digit_and_hides_nothing),
        cmocka_unit_test(json_is_indented_on_a_terminal),
        cmocka_unit_test(colour_surrounds_cells_and_changes_no_width),
        cmocka_unit_test(wide_cuts_and_drops_nothing),
        cmocka_unit_test(other_terminals_get_ascii),
        cmocka_unit_test(unknown_names_are_refused_with_a_hint),
        cmocka_unit_test(states_and_outcomes_have_three_letters),
        cmocka_unit_test(rows_sort_by_value_with_unknown_last),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(hostile_text_reaches_no_form_unescaped),
    };

    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TZ", "UTC", 1);
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
    term_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

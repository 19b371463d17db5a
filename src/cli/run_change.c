/* How runs start, pause, go on and end. */
#include <inttypes.h>
#include <stdio.h>

#include "runs_priv.h"

const struct opt runs_start_options[] = {
    {"notes", 0, OPT_TEXT, "TEXT", "what the run is about"},
    {"no-replace", 0, OPT_FLAG, NULL, "not when another run is active (exit 7)"},
    LIST_END,
};

const struct out_spec one_run = {.fields = run_answer_fields};

/* The active run; id 0 when there is none. */
static int find_active(struct source *source, struct run_name *run, struct err *err)
{
    if (run_name_find(source, "active", run, err) == 0)
        return 0;
    run->id = 0;
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

static bool is_dry(const struct cli *cli)
{
    return opts_flag(&cli->opts, "dry-run");
}

/* What became of the run that was active before: "ended", with its figures, or "paused". */
static void put_other(struct source *source, struct buf *out, const struct run_name *other,
                      const char *what, bool sums)
{
    struct run_answer stats = {0};
    struct row answer = {0};
    struct err ignored;

    buf_put(out, STR(", "));
    run_put_name(out, other->id, buf_str(&other->name));
    buf_printf(out, " %s", what);
    if (sums && run_stats(source, other->id, 0, &stats, &ignored) == 0 &&
        row_read(&answer, stats.value)) {
        buf_put(out, STR(" ("));
        run_put_sums(out, &answer);
        buf_put(out, STR(")"));
    }
    row_clear(&answer);
    run_answer_clear(&stats);
}

/* The answer in the JSON forms. */
static int print_answer(struct job *job, const struct run_answer *a)
{
    return job->out.form == OUT_JSON ? out_object(&job->out, a->value, &job->err) : 0;
}

static int print_id(struct job *job, const struct run_answer *a)
{
    char id[32];

    if (job->out.form == OUT_JSON)
        return print_answer(job, a);
    snprintf(id, sizeof(id), "%" PRId64 "\n", row_int(&a->run, "id"));
    return out_text(&job->out, str_c(id), &job->err);
}

/* A sentence about a change that is not made. */
static void say_dry(const struct cli *cli, const char *verb, const struct run_name *run)
{
    struct buf out = {0};

    run_put_name(&out, run->id, buf_str(&run->name));
    cli_note(cli, "would %s %s", verb, out.ptr);
    buf_clear(&out);
}

static int refuse_replacing(const struct run_name *active, struct err *err)
{
    struct buf name = {0};

    run_put_name(&name, active->id, buf_str(&active->name));
    err_set(err, ERR_CONFLICT, "%s is active", name.ptr);
    buf_clear(&name);
    return -1;
}

int run_begin(struct cli *cli, struct source *source, const char *name, struct run_answer *a,
              struct err *err)
{
    const struct opts *o = &cli->opts;
    struct run_name active = {0};
    struct buf said = {0};
    int rc = find_active(source, &active, err);

    if (rc == 0 && active.id && opts_flag(o, "no-replace"))
        rc = refuse_replacing(&active, err);
    if (rc == 0 && is_dry(cli)) {
        cli_note(cli, "would start a run \"%s\"", name);
        if (active.id)
            say_dry(cli, "end", &active);
        goto out;
    }
    if (rc == 0)
        rc = run_start(source, name, opts_text(o, "notes"), a, err);
    if (rc == 0) {
        run_put_row(&said, &a->run);
        buf_put(&said, STR(" started"));
        if (active.id)
            put_other(source, &said, &active, "ended", true);
        cli_note(cli, "%s", said.ptr);
    }
out:
    buf_clear(&said);
    run_name_clear(&active);
    return rc;
}

int runs_start(struct cli *cli)
{
    struct run_answer a = {0};
    struct job job;
    int rc = -1;

    if (job_start(&job, cli, &one_run)) {
        rc = run_begin(cli, &job.source, cli->opts.args[0], &a, &job.err);
        if (rc == 0 && !is_dry(cli))
            rc = print_id(&job, &a);
    }
    run_answer_clear(&a);
    return job_end(&job, rc);
}

static int pause_active(struct job *job)
{
    struct run_name active;
    struct run_answer a = {0};
    struct buf said = {0};
    int rc = run_name_find(&job->source, "active", &active, &job->err);

    if (rc == 0 && is_dry(job->cli)) {
        say_dry(job->cli, "pause", &active);
    } else if (rc == 0) {
        rc = run_pause(&job->source, &a, &job->err);
        if (rc == 0) {
            run_put_row(&said, &a.run);
            cli_note(job->cli, "%s paused", said.ptr);
            rc = print_answer(job, &a);
        }
    }
    buf_clear(&said);
    run_answer_clear(&a);
    run_name_clear(&active);
    return rc;
}

int runs_pause(struct cli *cli)
{
    struct job job;
    int rc = -1;

    if (job_start(&job, cli, &one_run))
        rc = pause_active(&job);
    return job_end(&job, rc);
}

static int resume(struct job *job, const char *word)
{
    struct run_name run, active = {0};
    struct run_answer a = {0};
    struct buf said = {0};
    int rc = run_name_find(&job->source, word, &run, &job->err);

    if (rc == 0)
        rc = find_active(&job->source, &active, &job->err);
    if (rc == 0 && is_dry(job->cli)) {
        say_dry(job->cli, "resume", &run);
        goto out;
    }
    if (rc == 0)
        rc = run_change(&job->source, run.id, "resume", &a, &job->err);
    if (rc == 0) {
        run_put_row(&said, &a.run);
        buf_put(&said, active.id == run.id ? STR(" was active already") : STR(" resumed"));
        if (active.id && active.id != run.id)
            put_other(&job->source, &said, &active, "paused", false);
        cli_note(job->cli, "%s", said.ptr);
        rc = print_answer(job, &a);
    }
out:
    buf_clear(&said);
    run_answer_clear(&a);
    run_name_clear(&run);
    run_name_clear(&active);
    return rc;
}

static int end(struct job *job, const char *word)
{
    struct run_name run;
    struct run_answer a = {0}, stats = {0};
    struct err ignored;
    int rc = run_name_find(&job->source, word, &run, &job->err);

    if (rc == 0 && is_dry(job->cli)) {
        say_dry(job->cli, "end", &run);
        goto out;
    }
    if (rc == 0)
        rc = run_change(&job->source, run.id, "end", &a, &job->err);
    if (rc == 0 && run_stats(&job->source, run.id, 0, &stats, &ignored) == 0)
        run_bill(job->cli, &stats, "ended", "");
    if (rc == 0)
        rc = print_answer(job, &a);
out:
    run_answer_clear(&stats);
    run_answer_clear(&a);
    run_name_clear(&run);
    return rc;
}

static int change_one(struct cli *cli, const char *standard,
                      int (*change)(struct job *job, const char *word))
{
    struct job job;
    int rc = -1;

    if (job_start(&job, cli, &one_run))
        rc = change(&job, cli->opts.arg_count > 0 ? cli->opts.args[0] : standard);
    return job_end(&job, rc);
}

int runs_resume(struct cli *cli)
{
    return change_one(cli, "paused", resume);
}

int runs_end(struct cli *cli)
{
    return change_one(cli, "active", end);
}

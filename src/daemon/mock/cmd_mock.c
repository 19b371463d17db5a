#include "daemon/mock/cmd_mock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/mock/mock.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)

static struct mock *running; /* for the signal handler */

static int report(const struct err *err)
{
    fprintf(stderr, "llm-observe-proxy: %s\n", err->msg);
    if (err->code == ERR_INVALID)
        fputs("Try \"llm-observe-proxy mock --help\".\n", stderr);
    return err_exit_status(err->code);
}

static int print_help(void)
{
    struct buf help = {0};

    buf_put(&help, STR("usage: llm-observe-proxy mock [options]\n\n"
                       "Run an upstream to try things on: OpenAI's and Anthropic's APIs.\n\n"));
    opts_help(&help, mock_options);
    buf_put(&help,
            STR("\nA model name may carry options behind its first comma, for one request:\n"
                "  mock,tokens=20,ttft=2s,tps=5   mock,status=429   mock,tool=bash   mock,cut\n"
                "Names there: tokens ttft tps cached reasoning tool status retry-after cut stall\n"
                "nousage qwen seed.\n"));
    fputs(help.ptr, stdout);
    buf_clear(&help);
    return fflush(stdout) == 0 ? 0 : err_exit_status(ERR_FAILED);
}

static void raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void on_signal(int number)
{
    (void)number;
    mock_stop(running);
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction old;

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

static int file_error(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "--text %s: %s", path, why);
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    int rc = 0;

    if (fd < 0)
        return file_error(path, strerror(errno), err);
    out->limit = TEXT_MAX;
    do {
        char part[16384];

        n = read(fd, part, sizeof(part));
        if (n < 0)
            rc = file_error(path, strerror(errno), err);
        else if (buf_add(out, (struct str){part, (size_t)n}, err) < 0)
            rc = -1;
    } while (n > 0 && rc == 0);
    close(fd);
    if (rc == 0 && out->len == 0)
        rc = file_error(path, "the file is empty", err);
    return rc;
}

static int read_config(struct mock_config *c, const struct opts *opts, struct buf *text,
                       struct err *err)
{
    static const char *const default_models[] = {"mock"};
    const struct opt_given *models = opts_find(opts, "model");
    const char *host = opts_text(opts, "host"), *port = opts_text(opts, "port");
    const char *file = opts_text(opts, "text");
    int64_t number = 0;

    if (opts->arg_count > 0)
        return err_set(err, ERR_INVALID, "mock takes no arguments: %s", opts->args[0]);
    *c = (struct mock_config){
        .host = host ? host : "localhost",
        .models = models->count ? models->list : default_models,
        .model_count = models->count ? models->count : 1,
        .options = mock_options_default(),
        .text = STR_NONE,
    };
    if (port && (!str_int64(str_c(port), &number) || number < 0 || number > 65535))
        return err_set(err, ERR_INVALID, "--port must be a number from 0 to 65535");
    c->port = (int)number;
    if (mock_options_from_flags(&c->options, opts, err) < 0)
        return -1;
    if (!file)
        return 0;
    if (read_file(file, text, err) < 0)
        return -1;
    c->text = buf_str(text);
    return 0;
}

static int serve(const struct mock_config *config)
{
    struct err err;

    running = mock_open(config, &err);
    if (!running)
        return report(&err);
    handle_signals();
    printf(strchr(config->host, ':') ? "mock listening on http://[%s]:%d/v1\n"
                                     : "mock listening on http://%s:%d/v1\n",
           config->host, mock_port(running));
    fflush(stdout);
    mock_run(running);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    mock_close(running);
    return 0;
}

int cmd_mock(int argc, char **argv)
{
    struct mock_config config;
    struct opts opts = {0};
    struct buf text = {0};
    struct err err;
    int status;

    if (opts_parse(&opts, mock_options, argc - 1, argv + 1, &err) < 0) {
        status = report(&err);
    } else if (opts_flag(&opts, "help")) {
        status = print_help();
    } else if (read_config(&config, &opts, &text, &err) < 0) {
        status = report(&err);
    } else {
        raise_fd_limit();
        status = serve(&config);
    }
    opts_clear(&opts);
    buf_clear(&text);
    return status;
}

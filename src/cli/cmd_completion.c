/* "completion": scripts that shells source; and "__complete", which they ask for every word. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "commands.h"
#include "complete.h"
#include "quote.h"

#define ANSWER_MS 190
#define EXIT_FILES 1 /* no values: file names are wanted */

/* ---- the scripts ---- */

static const char bash_script[] =
    "# bash completion for llm-observe-proxy\n"
    "_llm_observe_proxy()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} before word value out i\n"
    "    local -a words=()\n"
    "    # Bash takes words apart at = and : too.\n"
    "    for ((i = 0; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        before=${line%%\"$word\"*}\n"
    "        line=${line#*\"$word\"}\n"
    "        if [[ -z $before && ${#words[@]} -gt 0 ]]; then\n"
    "            words[${#words[@]}-1]+=$word\n"
    "        else\n"
    "            words+=(\"$word\")\n"
    "        fi\n"
    "    done\n"
    "    word=${line#\"${line%%[! $'\\t']*}\"}\n"
    "    if [[ $word == \"$line\" ]]; then\n"
    "        words[${#words[@]}-1]+=$word\n"
    "    else\n"
    "        words+=(\"$word\")\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    out=$(\"$1\" __complete --shell bash $((${#words[@]} - 1)) \"${words[@]}\" 2>/dev/null)\n"
    "    if [[ $? == 1 ]]; then\n"
    "        compopt -o default 2>/dev/null\n"
    "        return\n"
    "    fi\n"
    "    while IFS= read -r value; do\n"
    "        [[ -z $value ]] || COMPREPLY+=(\"${value%%$'\\t'*}\")\n"
    "    done <<<\"$out\"\n"
    "    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[,:] ]]; then\n"
    "        compopt -o nospace 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F _llm_observe_proxy llm-observe-proxy\n";

static const char zsh_script[] =
    "#compdef llm-observe-proxy\n"
    "_llm-observe-proxy() {\n"
    "    local line out\n"
    "    local -i code\n"
    "    local -a values texts given\n"
    "    given=(\"${(@)words[1,CURRENT-1]}\" \"$PREFIX\")\n"
    "    out=\"$(\"${(Q)words[1]}\" __complete --shell zsh $((CURRENT - 1)) \"${(@)given}\" "
    "2>/dev/null)\"\n"
    "    code=$?\n"
    "    if ((code == 1)); then\n"
    "        compset -P '-*='\n"
    "        _files\n"
    "        return\n"
    "    fi\n"
    "    for line in \"${(@f)out}\"; do\n"
    "        [[ -n $line ]] || continue\n"
    "        values+=(\"${line%%$'\\t'*}\")\n"
    "        texts+=(\"${line/$'\\t'/  }\")\n"
    "    done\n"
    "    ((${#values})) || return\n"
    "    if [[ -z ${values:#*:} ]]; then\n"
    "        compadd -S '' -l -d texts -a -- values\n"
    "    else\n"
    "        compadd -l -d texts -a -- values\n"
    "    fi\n"
    "}\n"
    "if [[ ${funcstack[1]-} == _llm-observe-proxy ]]; then\n"
    "    _llm-observe-proxy \"$@\"\n"
    "elif (($+functions[compdef])); then\n"
    "    compdef _llm-observe-proxy llm-observe-proxy\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for llm-observe-proxy\n"
    "function __llm_observe_proxy_complete\n"
    "    set -l before (commandline -opc)\n"
    "    set -l word (commandline -ct)\n"
    "    set -l out ($before[1] __complete --shell fish (count $before) $before \"$word\" "
    "2>/dev/null)\n"
    "    if test $status -eq 1\n"
    "        __fish_complete_path (string replace -r -- '^-.*?=' '' \"$word\")\n"
    "    else\n"
    "        printf '%s\\n' $out\n"
    "    end\n"
    "end\n"
    "complete -c llm-observe-proxy -f -a '(__llm_observe_proxy_complete)'\n";

static int completion(struct cli *cli)
{
    static const struct {
        const char *shell, *text;
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    size_t i = 0;

    while (strcmp(cli->opts.args[0], scripts[i].shell) != 0)
        i++;
    return cli_print(str_c(scripts[i].text));
}

static const char completion_more[] =
    "To try it in bash or zsh, or in fish:\n"
    "  source <(llm-observe-proxy completion bash)\n"
    "  llm-observe-proxy completion fish | source\n"
    "\n"
    "To keep it, write it to\n"
    "  ~/.local/share/bash-completion/completions/llm-observe-proxy\n"
    "  a folder of zsh's fpath, as _llm-observe-proxy\n"
    "  ~/.config/fish/completions/llm-observe-proxy.fish\n";

const struct verb completion_verbs[] = {
    {"", "bash|zsh|fish", "print a script that completes words in a shell", NULL, 0,
     completion_more, completion},
    {0},
};

/* ---- __complete ---- */

static void on_late(int number)
{
    (void)number;
    _exit(0);
}

/* Nothing is said, and late is empty. */
static void keep_still(void)
{
    struct itimerval late = {.it_value = {.tv_usec = ANSWER_MS * 1000}};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    signal(SIGALRM, on_late);
    setitimer(ITIMER_REAL, &late, NULL);
}

/* bash replaces the word under the cursor from a certain byte on, and takes values as typed. */
static void print_as_typed(struct buf *out, const struct buf *values, const struct typed *typed)
{
    struct str rest = buf_str(values), line;

    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t tab = str_chr(line, '\t');

        if (tab < 0)
            continue;
        quote_add(out, str_from(str_cut(line, (size_t)tab), typed->kept), typed->quote);
        buf_put(out, STR("\n"));
    }
}

/* The words without quotes, owned (the list; the texts are in store). fish has removed those of all
 * words but the last. */
static const char **remove_quotes(const struct opts *o, size_t index, struct buf *store,
                                  struct typed *typed)
{
    const char *shell = opts_text(o, "shell");
    const char **list = xcalloc(o->arg_count, sizeof(*list)), *at;
    size_t n = o->arg_count - 1;

    for (size_t i = 0; i < n; i++) {
        struct str word = str_c(o->args[i + 1]);
        struct typed end;

        if (!shell || (i != index && strcmp(shell, "fish") == 0))
            buf_put(store, word);
        else
            quote_remove(store, word, i == index ? typed : &end);
        buf_put(store, STR("\0"));
    }
    at = store->ptr;
    for (size_t i = 0; i < n; i++) {
        list[i] = at;
        at += strlen(at) + 1;
    }
    return list;
}

static int complete(struct cli *cli)
{
    const struct opts *o = &cli->opts;
    const char *shell = opts_text(o, "shell");
    struct completion c = {.commands = cli->commands};
    struct buf words = {0}, out = {0};
    struct typed typed = {0};
    const char **list;
    int64_t index;

    keep_still();
    if (!str_int64(str_c(o->args[0]), &index) || index < 0 || (size_t)index + 1 > o->arg_count)
        return 0;
    list = remove_quotes(o, (size_t)index, &words, &typed);
    complete_word(&c, (size_t)index, list, o->arg_count - 1);
    if (shell && strcmp(shell, "bash") == 0)
        print_as_typed(&out, &c.out, &typed);
    else
        buf_put(&out, buf_str(&c.out));
    cli_print(buf_str(&out));
    free(list);
    buf_clear(&words);
    buf_clear(&out);
    buf_clear(&c.out);
    return c.files ? EXIT_FILES : 0;
}

static const struct opt complete_options[] = {
    {"shell", 0, OPT_TEXT, "bash|zsh|fish", "words are as they were typed there"},
    LIST_END,
};

const struct verb complete_verbs[] = {
    {"", "[options] INDEX [WORD]...", "print what may stand for a word", complete_options, 0, NULL,
     complete, .command_follows = true},
    {0},
};

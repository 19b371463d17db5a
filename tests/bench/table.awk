# table.awk - the figures of script/bench (name, key, value) as one table of medians.
BEGIN { FS = "\t" }
{ values[$1, $2, ++count[$1, $2]] = $3 }

function median(name, key,    n, i, j, t, a) {
    n = count[name, key]
    if (!n)
        return ""
    for (i = 1; i <= n; i++) {
        a[i] = values[name, key, i] + 0
        for (j = i; j > 1 && a[j - 1] > a[j]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
    }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function maximum(name, key,    i, most) {
    for (i = 1; i <= count[name, key]; i++)
        if (values[name, key, i] + 0 > most)
            most = values[name, key, i] + 0
    return most + 0
}
function sum(name, key,    i, all) {
    for (i = 1; i <= count[name, key]; i++)
        all += values[name, key, i]
    return all + 0
}
function show(x) {
    if (x == "")
        return "-"
    return x >= 1000 || x == int(x) ? sprintf("%.0f", x) : sprintf("%.1f", x)
}
function each(name, cell, key, per,    n) { # key of a cell divided by another of its figures
    n = median(name, cell "." per)
    return n && median(name, cell "." key) != "" ? median(name, cell "." key) / n : ""
}
function added(name, cell, key) {
    return median(name, cell "." key) - median("direct", cell "." key)
}
# A row whose goal is a ratio to nginx: at most goal, or at least when least is set.
function row(what, direct, nginx, own, goal, least,    ratio) {
    ratio = nginx + 0 > 0 ? own / nginx : 0
    line(what, direct, nginx, own, sprintf("%.2fx", ratio), (least ? ">= " : "<= ") goal "x",
        least ? ratio >= goal : ratio <= goal)
}
# A row whose goal is a figure of its own.
function absolute(what, nginx, own, goal, unit) {
    line(what, "", nginx, own, "", "<= " goal " " unit, own <= goal)
}
function line(what, direct, nginx, own, ratio, goal, met) {
    printf "%-46s %9s %9s %9s %8s  %-10s %s\n", what, show(direct), show(nginx), show(own), ratio, goal,
        goal == "" ? "" : met ? "met" : "MISSED"
}
function counted(what, got, of, good) {
    printf "%-46s %s of %s  %s\n", what, got, of, good ? "ok" : "MISSING"
}
END {
    printf "%-46s %9s %9s %9s %8s  %s\n", "", "direct", "nginx", "this", "to nginx", "goal"
    row("CPU us/request, 1 KB, 64 connections", "", each("nginx", "small", "cpu_us", "ok"),
        each("own", "small", "cpu_us", "ok"), 3.5)
    row("requests/s, 1 KB, 64 connections", median("direct", "small.rps"),
        median("nginx", "small.rps"), median("own", "small.rps"), 0.28, 1)
    row("CPU us/request, 32 KB, 64 connections", "", each("nginx", "large", "cpu_us", "ok"),
        each("own", "large", "cpu_us", "ok"), 8)
    line("requests/s, 32 KB, 64 connections", median("direct", "large.rps"),
        median("nginx", "large.rps"), median("own", "large.rps"),
        sprintf("%.2fx", median("own", "large.rps") / median("nginx", "large.rps")), "")
    line("latency us, p50, 1 connection", median("direct", "single.lat_p50"),
        median("nginx", "single.lat_p50"), median("own", "single.lat_p50"),
        sprintf("%.2fx", median("own", "single.lat_p50") / median("nginx", "single.lat_p50")), "")
    row("  of it added to direct", "", added("nginx", "single", "lat_p50"),
        added("own", "single", "lat_p50"), 1.25)
    row("CPU us/event, 1000 streams x 50 at 20 ms", "", each("nginx", "sse", "cpu_us", "chunks"),
        each("own", "sse", "cpu_us", "chunks"), 1.4)
    line("  delay us of an event, p50", median("direct", "sse.chunk_p50"),
        median("nginx", "sse.chunk_p50"), median("own", "sse.chunk_p50"), "", "")
    line("  delay us of an event, p99", median("direct", "sse.chunk_p99"),
        median("nginx", "sse.chunk_p99"), median("own", "sse.chunk_p99"), "", "")
    line("  streams failed or not intact",
        sum("direct", "sse.failed") + sum("direct", "sse.ok") - sum("direct", "sse.intact"),
        sum("nginx", "sse.failed") + sum("nginx", "sse.ok") - sum("nginx", "sse.intact"),
        sum("own", "sse.failed") + sum("own", "sse.ok") - sum("own", "sse.intact"), "", "<= 0",
        sum("own", "sse.failed") + sum("own", "sse.ok") == sum("own", "sse.intact"))
    absolute("peak RSS, MiB", maximum("nginx", "peak_kb") / 1024, maximum("own", "peak_kb") / 1024,
        100, "MiB")
    absolute("idle RSS, MiB", median("nginx", "idle_kb") / 1024, median("own", "idle_kb") / 1024, 12,
        "MiB")
    absolute("start to first answer, ms", median("nginx", "start_ms"), median("own", "start_ms"), 30,
        "ms")
    failed = sum("own", "small.failed") + sum("own", "large.failed") + sum("own", "single.failed")
    answered = sum("own", "small.ok") + sum("own", "large.ok") + sum("own", "single.ok")
    counted("requests that failed (without streams)", failed, failed + answered, failed == 0)
    counted("captured complete, of all answered", sum("own", "capture.rows"),
        sum("own", "capture.answered"), sum("own", "capture.rows") == sum("own", "capture.answered"))
    counted("kill -9: complete, of answered 1 s before", sum("own", "kill.old_rows"),
        sum("own", "kill.old"), sum("own", "kill.old_rows") == sum("own", "kill.old"))
    counted("  complete, of answered in the last second", sum("own", "kill.new_rows"),
        sum("own", "kill.new"), 1)
    counted("  rows of streams open at the kill", sum("own", "kill.open_rows"), 100,
        sum("own", "kill.open_rows") == 100)
    printf "%-46s %s\n", "  integrity_check afterwards", values["own", "kill.integrity", 1]
    busy = maximum("own", "foreign")
    if (maximum("nginx", "foreign") > busy)
        busy = maximum("nginx", "foreign")
    if (busy > 10)
        printf "note: other processes took up to %d %% of the proxy's CPU: repeat on a quiet machine\n", busy
}

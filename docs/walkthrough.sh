#!/bin/bash
# docs/walkthrough.sh [FOLDER] - what a benchmark costs, step by step, with curl.
#
# Starts three mock upstreams and a proxy on free ports, with a database in FOLDER (a temporary one
# by default), and leaves there what it exports. Needs curl and jq. LOP names the program. With a
# server and upstreams of your own, set $proxy and start at "Where models go".
set -euo pipefail

lop=${LOP:-llm-observe-proxy}
folder=${1:-$(mktemp -d)}
pids=()
trap '((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true; wait' EXIT

say() { printf '\n== %s\n' "$*"; }

# start NAME WORD... - run in the background; $url is where it says that it listens
start() {
    local name=$1
    shift
    "$@" >"$folder/$name.log" 2>&1 &
    pids+=($!)
    for _ in {1..100}; do
        url=$(grep -om1 'http://[^ ]*' "$folder/$name.log") && return
        sleep 0.1
    done
    echo "$name did not start: $(cat "$folder/$name.log")" >&2
    exit 1
}

# api METHOD PATH [JSON] - call the proxy; what is no success ends the script
api() {
    curl -sS --fail-with-body -X "$1" "$proxy$2" \
        ${3:+-H 'Content-Type: application/json' --data "$3"}
}

# chat MODEL TEXT - one request, as any client would send it
chat() {
    api POST /v1/chat/completions \
        "{\"model\":\"$1\",\"messages\":[{\"role\":\"user\",\"content\":\"$2\"}]}" >/dev/null
}

# settled RUN N - wait until N requests of a run are stored, which takes a moment after the answer
settled() {
    for _ in {1..100}; do
        api GET "/api/runs/$1/requests?per_page=200" | jq -e --argjson n "$2" \
            '[.items[] | select(.completed_at != null)] | length == $n' >/dev/null && return
        sleep 0.1
    done
    echo "run $1 has not $2 requests" >&2
    exit 1
}

say "Three upstreams (the third is down) and the proxy"
start one "$lop" mock --port 0 --tokens 100 --ttft 0ms --tps 100000
one=$url
start two "$lop" mock --port 0 --tokens 200 --ttft 0ms --tps 100000
two=$url
start three "$lop" mock --port 0 --status 503
three=$url
start proxy "$lop" serve --port 0 --database-url "$folder/walkthrough.sqlite3" --upstream-url "$one"
proxy=$url
echo "the proxy listens on $proxy"

say "Where models go: small to one, medium to two, large to three, and to two when that fails"
api POST /admin/api/providers "{\"slug\":\"lab\",\"name\":\"Lab\",\"upstream_url\":\"$one\"}" | jq -r .name
api POST /admin/api/providers "{\"slug\":\"shop\",\"name\":\"Shop\",\"upstream_url\":\"$two\"}" | jq -r .name
api POST /admin/api/routes "{\"model\":\"small\",\"upstream_url\":\"$one\",\"provider_slug\":\"lab\"}" |
    jq -c '{incoming_model, upstream_url}'
api POST /admin/api/routes \
    "{\"model\":\"medium\",\"upstream_url\":\"$two\",\"provider_slug\":\"shop\"}" |
    jq -c '{incoming_model, upstream_url}'
api POST /admin/api/routes "{\"model\":\"large\",\"strategy\":\"failover\",\"upstreams\":[
    {\"upstream_url\":\"$three\"},
    {\"upstream_url\":\"$two\",\"provider_slug\":\"shop\"}]}" |
    jq -c '{incoming_model, strategy, upstreams: [.upstreams[].upstream_url]}'

say "What they cost, in dollars per million tokens"
price() { # PROVIDER MODEL INPUT OUTPUT
    api POST /admin/api/pricing/prices "{\"provider_slug\":\"$1\",\"model\":\"$2\",
        \"input_usd_per_million\":\"$3\",\"output_usd_per_million\":\"$4\"}"
}
price lab small 0.10 0.40 | jq -r .key
price shop large 5 25 | jq -r .key
medium=$(price shop medium 1 4 | jq .id)
echo "shop:medium, number $medium"

say "A run begins; what arrives from now on belongs to it"
run=$(api POST /api/runs/start '{"name":"walkthrough","notes":"three models"}' | jq .run.id)
echo "run $run"

say "Traffic for three models"
for i in 1 2 3; do
    chat small "question $i"
    chat medium "question $i"
done
chat large "a hard question"
settled "$run" 7
api GET "/api/runs/$run/requests" | jq -r '.items[] | "\(.id) \(.model) \(.cost_usd)"'

say "The price of medium goes up: it counts from the next request on"
api PUT "/admin/api/pricing/prices/$medium" '{"provider_slug":"shop","model":"medium",
    "input_usd_per_million":"2","output_usd_per_million":"8"}' |
    jq -c '{key, input_usd_per_million, output_usd_per_million}'
chat medium "question 1"
settled "$run" 8
api GET "/api/requests?model=medium&per_page=10" | jq -r '.items[] | "\(.id) \(.model) \(.cost_usd)"'

say "What the run cost"
api GET "/api/runs/$run/stats" | tee "$folder/stats.json" |
    jq -c '.stats | {request_count, cost_usd, input: .tokens.input.value, output: .tokens.output.value}'

say "What it would have cost with small, with medium and with large for everything"
api GET "/api/runs/$run/what-if?key=lab:small&key=shop:medium&key=shop:large" |
    tee "$folder/what-if.json" |
    jq -r '(.baseline | "\(.label): $\(.total_cost_usd)"), (.scenarios[] | "\(.key): $\(.total_cost_usd)")'

say "The run ends"
api POST "/api/runs/$run/end" | jq -c '.run | {id, name, status, request_count}'

say "Its requests, as a page of the API and as a file with a line for each"
api GET "/api/runs/$run/requests?per_page=200" >"$folder/requests.json"
"$lop" requests list --url "$proxy" --run "$run" --limit 0 --jsonl >"$folder/requests.jsonl"
wc -l <"$folder/requests.jsonl"
echo "in $folder: requests.json requests.jsonl stats.json what-if.json walkthrough.sqlite3"

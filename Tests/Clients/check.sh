#!/usr/bin/env bash
# Apps that know OpenAI's API, in versions that people use, against the real program: chat, streams, files, a fine-tuning from the file to
# an answer of the tuned model. Then requests that nobody would write, made from the OpenAPI document: none may be a fault of ours.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:?names a Python with the tools of Tests/python-tools.txt}
examples=${OPENLEDGER_TEST_EXAMPLES:-3}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-clients-XXXXXX")
pid=
llama=
cleanup() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  [[ -z $llama ]] || { kill "$llama" 2>/dev/null && wait "$llama" 2>/dev/null; } || true
  rm -rf "$folder"
}
trap cleanup EXIT
die() { echo "Clients: $*" >&2; [[ ! -s $folder/up.log ]] || tail -n 20 "$folder/up.log" >&2; exit 1; }

"$python" "$root/Tests/Clients/tiny_base.py" "$root/models/base" "$folder/tiny"
# llama.cpp's server with the model that ships with the product, which our own runner has as well.
# One artefact is one base model: the other gets a name of its own by a blank.
cp -r "$root/models/base" "$folder/there"
echo >>"$folder/there/recipe.json"
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$python" "$root/Tests/Clients/llama_server.py" "$root/models/base" "$folder" "$port" >"$folder/llama.out" 2>"$folder/llama.log" &
llama=$!
cat >"$folder/backends.json" <<EOT
{"backends": [
  {"name": "here", "kind": "runner", "url": "http://embedded/runner", "bases": {"tiny": "tiny", "us": "us"}},
  {"name": "llama", "kind": "llama", "url": "http://127.0.0.1:$port", "bases": {"us-there": "us-there"}, "concurrency": 4}
]}
EOT
OPENLEDGER_BACKENDS=$folder/backends.json OPENLEDGER_MODEL_ALIASES=harbour=house/base \
  OPENLEDGER_RUNNER_MODELS=tiny=$folder/tiny,us=$root/models/base,us-there=$folder/there "$program" up --data "$folder/home" --port 0 >"$folder/up.out" 2>"$folder/up.log" &
pid=$!
for _ in $(seq 600); do
  grep -q '^OpenLedger is up' "$folder/up.out" && break
  kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
  sleep 0.1
done
url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
administrator=$(sed -n "s/^The administrator's API key, shown this once: //p" "$folder/up.out")
[[ -n $url && -n $administrator ]] || die "the program was not up within a minute"

"$python" "$root/Tests/Clients/prepare.py" "$url" "$administrator" "$folder" || die "a caller could not be made"
key=$(cat "$folder/key")
"$python" "$root/Tests/Clients/use_openai.py" "$url" "$key" "$folder" || die "openai does not work here"
for _ in $(seq 300); do grep -q '^ready' "$folder/llama.out" && break; sleep 0.1; done
grep -q '^ready' "$folder/llama.out" || { tail -n 20 "$folder/llama.log" >&2; die "llama.cpp's server does not start"; }
"$python" "$root/Tests/Clients/use_llama.py" "$url" "$key" || die "llama.cpp's server does not work here"
LITELLM_LOCAL_MODEL_COST_MAP=True "$python" "$root/Tests/Clients/use_others.py" "$url" "$key" || die "langchain-openai or litellm does not work here"

"$python" -c 'from schemathesis.cli import schemathesis; schemathesis()' run "$url/openapi.json" --url "$url" --header "Authorization: Bearer $key" \
  --include-path-regex '^/v1/(models|chat|completions|embeddings|files|fine_tuning|inferences|keys|principals)' --exclude-checks all \
  --checks not_a_server_error --mode all --phases examples,fuzzing --max-examples "$examples" --request-timeout 20 --seed 1 \
  --generation-database none --no-color >"$folder/schemathesis" 2>&1 ||
  { tail -n 60 "$folder/schemathesis" >&2; die "schemathesis found a fault"; }
echo "Clients: openai, langchain-openai and litellm run chat, streams, files and a fine-tuning; llama.cpp's server says what our runner says; schemathesis finds no 5xx"

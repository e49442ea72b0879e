# A profile: the page that evidence of one or many machines makes of one image.
bats_require_minimum_version 1.5.0

load lib.bash

setup_file() {
  load lib.bash
  boot >"$BATS_FILE_TMPDIR/boot.jsonl"
}

setup() {
  DIR=$BATS_TEST_TMPDIR
  cp "$BATS_FILE_TMPDIR/boot.jsonl" "$DIR"
}

page() {
  "$AUDIT" profile "$@"
}

@test "a clean boot makes a page: path, account, parents, children, nothing found" {
  run -0 page smss.exe "$DIR/boot.jsonl"
  [[ $output == *$'\n  Image paths              100%  C:\\Windows\\System32\\smss.exe\n'* ]]
  [[ $output == *$'\n  Accounts                 100%  NT AUTHORITY\\SYSTEM (S-1-5-18)\n'* ]]
  [[ $output == *$'\n  Parents                 66.7%  smss.exe\n'* ]]
  [[ $output == *' 33.3%  System'* ]]
  [[ $output == *'autochk.exe'* && $output == *'winlogon.exe'* ]]
  [[ $output == *$'\n  None                   nothing found by those that could be looked at\n'* ]]
  [[ $output == *$'\n  First seen             2026-03-01T08:00:00.000Z\n'* ]]
  [[ $output == *$'\n  Machines               1\n'* ]]
}

@test "what no source can tell is not observed, and its indicators were not looked at" {
  run -0 page smss.exe "$DIR/boot.jsonl"
  [[ $output == *$'\n  Signature rate         Not observed.\n'* ]]
  [[ $output == *$'\n  Privileges             Not observed.\n'* ]]
  [[ $output == *$'\n  unsigned-image              high    not looked at\n'* ]]
  [[ $output == *$'\n  boot-execute                medium  not looked at\n'* ]]
}

@test "an impostor is a value of its own, and is found" {
  event 300 7001 560 'C:\Windows\Temp\smss.exe' "$S32\\winlogon.exe" >>"$DIR/boot.jsonl"
  run -0 page smss.exe "$DIR/boot.jsonl"
  [[ $output == *' 25.0%  C:\Windows\Temp\smss.exe'* ]]
  [[ $output == *$'\n  wrong-path '*'found (high)'* ]]
  # of another image the page says nothing of it
  run -0 page csrss.exe "$DIR/boot.jsonl"
  [[ $output != *Temp* && $output != *'found (high)'* ]]
  [[ $output == *$'\n  Parents                  100%  smss.exe\n'* ]]
}

@test "findings of many machines make a page, and the same ones twice make no other" {
  local host
  for host in W1 W2 W3; do
    { boot && event 300 7001 560 'C:\Windows\Temp\smss.exe' "$S32\\winlogon.exe"; } |
      sed "s/\"W1\"/\"$host\"/" >"$DIR/$host.jsonl"
    "$AUDIT" processes "$DIR/$host.jsonl" --format ndjson >>"$DIR/fleet.ndjson" || [ $? -eq 1 ]
  done
  run -0 page smss.exe "$DIR/fleet.ndjson"
  local once=$output
  [[ $output == *$'\n  wrong-path             3 found (high)\n'* ]]
  [[ $output == *$'\n  Image paths              100%  C:\\Windows\\Temp\\smss.exe\n'* ]]
  [[ $output == *$'\n  Machines               3\n'* ]]
  run -0 page smss.exe "$DIR/fleet.ndjson" "$DIR/fleet.ndjson"
  [ "$output" = "$once" ]
}

@test "findings with rules that were not looked at are read; a name that stands twice is said" {
  event 300 7001 560 'C:\Windows\Temp\smss.exe' "$S32\\winlogon.exe" >>"$DIR/boot.jsonl"
  "$AUDIT" processes "$DIR/boot.jsonl" --all --format ndjson >"$DIR/all.ndjson" || [ $? -eq 1 ]
  grep -q '"verdict":"not-looked-at"' "$DIR/all.ndjson"
  run -0 --separate-stderr page smss.exe "$DIR/all.ndjson"
  [ -z "$stderr" ]
  sed -i '1s/"rule":/"rule":"late-start",&/' "$DIR/all.ndjson"
  run --separate-stderr page smss.exe "$DIR/all.ndjson"
  [[ $stderr == *"all.ndjson:1: read in part: the name rule stands twice"* ]]
}

@test "privileges of Volatility's list have their shares" {
  cat >"$DIR/privileges.csv" <<'CSV'
TreeDepth,PID,Process,Value,Privilege,Attributes,Description
0,304,smss.exe,2,SeCreateTokenPrivilege,Present,Create a token object
0,304,smss.exe,20,SeDebugPrivilege,"Present,Enabled,Default",Debug programs
0,400,smss.exe,20,SeDebugPrivilege,"Present,Enabled,Default",Debug programs
0,400,smss.exe,21,SeAuditPrivilege,"Present,Enabled,Default",Generate audits
0,412,csrss.exe,8,SeSecurityPrivilege,"Present,Enabled",Manage logs
CSV
  run -0 page smss.exe "$DIR/privileges.csv"
  [[ $output == *$'\n  Privileges               100%  SeDebugPrivilege\n'* ]]
  [[ $output == *' 50.0%  SeAuditPrivilege'* ]]
  [[ $output != *SeCreateTokenPrivilege* && $output != *SeSecurityPrivilege* ]]
}

@test "the JSON is one object, with a null for what was not observed" {
  page smss.exe "$DIR/boot.jsonl" --format json >"$DIR/page.json"
  python3 - "$DIR/page.json" <<'PYTHON'
import json, sys
text = open(sys.argv[1]).read()
assert text.count("\n") == 1
page = json.loads(text)
assert page["profile"] == "smss.exe"
paths = page["execution_context"]["image_paths"]
assert paths["records"] == 3 and paths["others"] == 0, paths
assert paths["values"] == [{"value": "C:\\Windows\\System32\\smss.exe", "count": 3, "permille": 1000}]
assert page["execution_context"]["privileges"] is None
rules = {i["rule"]: i for i in page["indicators"]}
assert len(rules) == 15
assert rules["wrong-path"]["looked"] and not rules["unsigned-image"]["looked"]
assert len(page["analysis"]) >= 3
PYTHON
}

@test "the HTML is one well-formed file that fetches nothing, and evidence in it is text" {
  event 300 7001 560 'C:\<script>alert(1)</script>\smss.exe' '"><img src=x onerror=y>' \
    'CommandLine=&lt;b&gt;' >>"$DIR/boot.jsonl"
  page smss.exe "$DIR/boot.jsonl" --format html >"$DIR/page.html"
  python3 - "$DIR/page.html" <<'PYTHON'
import html.parser, sys

class Page(html.parser.HTMLParser):
    void = {"meta"}
    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""
    def handle_starttag(self, tag, attributes):
        assert tag in {"html", "head", "meta", "title", "style", "body", "p", "h1", "h2", "dl",
                       "dt", "dd", "ul", "li", "span"}, tag
        assert not {n for n, _ in attributes if n in {"src", "href"} or n.startswith("on")}, attributes
        if tag not in self.void:
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
    def handle_data(self, data):
        self.text += data

page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
assert not page.open, page.open
assert "C:\\<script>alert(1)</script>\\smss.exe" in page.text
assert "&lt;b&gt;" in page.text
assert "viewport" in open(sys.argv[1]).read() and "prefers-color-scheme:dark" in page.text
PYTHON
}

@test "every collected source together makes one page, and the rate of a hive is its own" {
  run page smss.exe "$(shared json/otrf-w5-boot.sysmon-1-5.jsonl)" \
    "$(shared derived/w5-boot.osquery-processes.json)" "$(shared hives/win7-x86.SYSTEM)" \
    "$(shared evtx/sysmon_1_smss_child_proc_bootexecute_setupexecute.evtx)"
  [ "$status" -eq 0 ]
  [[ $output == *$'\n  Registry                 100%  BootExecute = autocheck autochk *\n'* ]]
  [[ $output == *cmd.exe* ]]
  [[ $output == *$'\n  unexpected-child       1 found (high)\n'* ]]
  [[ $output == *$'\n  Versions                 100%  10.0.18362.752 (WinBuild.160101.0800)\n'* ]]
}

@test "a name that nothing tells of says so, and a bad line of findings is named" {
  run -3 --separate-stderr page smss "$DIR/boot.jsonl"
  [[ $stderr == "smaudit: smss: not observed in these inputs; they tell of smss.exe, "*"autochk.exe"* ]]
  [[ $output == *'Nothing that was read tells of it. Names are matched whole'* ]]
  printf '%s\n' '{"rule":"late-start","verdict":"nothing","what":"nothing found"}' '{"verdict":' \
    >"$DIR/bad.ndjson"
  run -2 --separate-stderr page smss.exe "$DIR/bad.ndjson"
  [[ $output == *'late-start                  medium  nothing found'* ]]
}

package api_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

var rewrite = flag.Bool("update", false, "write what the API answers into testdata")

// TestExchanges plays the exchanges of testdata, the native ones directly in it
// and each other dialect's in a directory of its name: "> METHOD path" with
// headers and a body, then what is answered, from "< status" to the next
// request. Ids are written id-1, id-2 … in the order in which they appear, times
// <time> or <epoch>, secrets <secret>, and the server's own URL <url>; requests
// use the same names for ids, <key> for a live key and <test key> for one of test mode. The key is sent as
// Authorization unless a request says "Authorization: none"; "Host: name" asks
// under another host name.
func TestExchanges(t *testing.T) {
	checks := allContracts(t)
	for _, file := range exchangeFiles(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txt")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(start(t, domain.Professional), checks, string(raw))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, have := strings.Split(string(raw), "\n"), strings.Split(got, "\n")
			for i := range max(len(want), len(have)) {
				if i >= len(want) || i >= len(have) || want[i] != have[i] {
					t.Fatalf("line %d is\n%s\nwant\n%s", i+1, at(have, i), at(want, i))
				}
			}
		})
	}
}

// exchangeFiles finds the exchanges of every dialect.
func exchangeFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges in testdata", err)
	}
	below, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	return append(files, below...)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// play sends the requests of script and returns it with the real answers, which
// must be as the contracts say.
func play(a *app, checks contracts, script string) string {
	names := &naming{a: a, checks: checks}
	var out strings.Builder
	blocks := strings.Split("\n"+script, "\n> ")
	out.WriteString(strings.TrimPrefix(blocks[0], "\n"))
	for i, block := range blocks[1:] {
		if i > 0 || blocks[0] != "" {
			out.WriteString("\n")
		}
		request, _, _ := strings.Cut(block, "\n< ")
		request = strings.TrimRight(request, "\n")
		out.WriteString("> " + request + "\n" + names.answer(request))
	}
	return out.String()
}

// naming gives ids names and finds them again.
type naming struct {
	a      *app
	checks contracts
	ids    []string

	testKey string // made when it is first asked for
}

var (
	anID     = regexp.MustCompile(`\b[0-9a-f]{24}\b`)
	aName    = regexp.MustCompile(`\bid-\d+\b`)
	aTime    = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	anEpoch  = regexp.MustCompile(`\b1[7-9]\d{8}(\d{3}|\.\d+)?\b`) // Unix seconds or milliseconds of our days
	aSigned  = regexp.MustCompile(`\bsignature=[0-9a-f]+`)
	aSecret  = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+|cw_(live|test)_[0-9A-Za-z]{8,}`)
	shownToo = []string{"Allow", "Idempotent-Replayed", "Link", "Retry-After", "X-Total-Count"}
)

// answer sends one request and prints what comes back.
func (n *naming) answer(request string) string {
	request = aName.ReplaceAllStringFunc(request, func(name string) string {
		var i int
		if _, err := fmt.Sscanf(name, "id-%d", &i); err != nil || i < 1 || i > len(n.ids) {
			return name
		}
		return n.ids[i-1]
	})
	request = strings.ReplaceAll(request, "<key>", n.a.key)
	if strings.Contains(request, "<test key>") {
		if n.testKey == "" {
			n.testKey = n.a.newKey(access.NewKey{Name: "test", Mode: domain.Test})
		}
		request = strings.ReplaceAll(request, "<test key>", n.testKey)
	}
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	key := n.a.key
	headers := lines[1:]
	if i := slices.Index(headers, "Authorization: none"); i >= 0 {
		key, headers = "", slices.Delete(headers, i, i+1)
	}
	r := n.a.send(method, path, key, body, headers...)
	host := ""
	if i := slices.IndexFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Host: ") }); i >= 0 {
		host = strings.TrimPrefix(headers[i], "Host: ")
	}
	n.checks.check(n.a, method, path, host, r)
	var out strings.Builder
	fmt.Fprintf(&out, "< %d %s\n", r.status, http.StatusText(r.status))
	for _, name := range shownToo {
		if v := r.header.Get(name); v != "" {
			fmt.Fprintf(&out, "%s: %s\n", name, v)
		}
	}
	return n.named(out.String()+r.body) + "\n"
}

// named replaces what differs from run to run.
func (n *naming) named(s string) string {
	s = anID.ReplaceAllStringFunc(s, func(id string) string {
		i := slices.Index(n.ids, id)
		if i < 0 {
			n.ids = append(n.ids, id)
			i = len(n.ids) - 1
		}
		return fmt.Sprintf("id-%d", i+1)
	})
	s = strings.ReplaceAll(s, n.a.url, "<url>")
	s = aTime.ReplaceAllString(s, "<time>")
	s = anEpoch.ReplaceAllString(s, "<epoch>")
	s = aSigned.ReplaceAllString(s, "signature=<secret>")
	return aSecret.ReplaceAllString(s, "<secret>")
}

package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func TestCheckJSON(t *testing.T) {
	for body, wrong := range map[string]string{
		`{}`: "", `[]`: "", `null`: "", ` {"a":[1,{"b":"c"}]} `: "", `{"a":{"x":1},"b":{"x":1}}`: "", `"\u00e9"`: "",
		``: "not valid JSON", `{`: "not valid JSON", `{"a":}`: "not valid JSON", `{"a" 1}`: "not valid JSON", `[1,]`: "not valid JSON",
		`{"a":1,}`: "not valid JSON", `{1:2}`: "not valid JSON", `01`: "more than one", `nul`: "not valid JSON", `{} {}`: "more than one",
		`{} x`: "more than one", `{"a":1,"a":2}`: "a is there twice", `{"o":{"p":[{"q":1,"q":1}]}}`: "o.p.q is there twice",
		`1e400`: "out of range", `{"a":[-1e309]}`: "a is a number that is out of range", `{"a":1e-400}`: "",
		"\"\xc3\"": "UTF-8", `{"o":{"p":"\u0000"}}`: "o.p contains a NUL", `"\u0000"`: "a NUL", `{"\u0000":1}`: "a NUL",
		strings.Repeat("[", 64) + strings.Repeat("]", 64): "", strings.Repeat("[", 65) + strings.Repeat("]", 65): "deeper than 64",
		strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65): "deeper than 64",
	} {
		err := CheckJSON([]byte(body))
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%.60q: %v", body, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("%.60q: %v, want %q", body, err, wrong)
		case err != nil && domain.CodeOf(err) != domain.CodeInvalid:
			t.Errorf("%.60q has the code %s", body, domain.CodeOf(err))
		}
	}
}

func TestOpt(t *testing.T) {
	var b struct {
		A, B, C Opt[string]
		D       Opt[map[string]any]
	}
	if err := json.Unmarshal([]byte(`{"A":"x","B":null,"D":{"k":1}}`), &b); err != nil {
		t.Fatal(err)
	}
	if b.A.Change() == nil || *b.A.Change() != "x" || b.B.Change() == nil || *b.B.Change() != "" || b.C.Change() != nil {
		t.Errorf("%+v", b)
	}
	if b.A.Given() == nil || b.B.Given() != nil || b.C.Given() != nil || b.D.Value["k"] != 1.0 {
		t.Errorf("%+v", b)
	}
}

func TestParseInstant(t *testing.T) {
	day := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	for s, want := range map[string][2]time.Time{
		"2025-02-01":                {day, day.AddDate(0, 0, 1)},
		"20250201":                  {day, day.AddDate(0, 0, 1)},
		"2025-02-01T09:00":          {day.Add(9 * time.Hour), day.Add(9*time.Hour + time.Minute)},
		"2025-02-01T09:00:00":       {day.Add(9 * time.Hour), day.Add(9*time.Hour + time.Second)},
		"2025-02-01T09:00:00Z":      {day.Add(9 * time.Hour), day.Add(9*time.Hour + time.Second)},
		"2025-02-01T10:00:00+01:00": {day.Add(9 * time.Hour), day.Add(9*time.Hour + time.Second)},
		"2025-02-01T10:00:00 01:00": {day.Add(9 * time.Hour), day.Add(9*time.Hour + time.Second)},
		"2025-02-01T10:00:00+0100":  {day.Add(9 * time.Hour), day.Add(9*time.Hour + time.Second)},
		"2025-02-01T09:00:00.5Z":    {day.Add(9*time.Hour + 500*time.Millisecond), day.Add(9*time.Hour + 500*time.Millisecond + time.Microsecond)},
	} {
		start, end, err := ParseInstant("from", s)
		if err != nil || !start.Equal(want[0]) || !end.Equal(want[1]) {
			t.Errorf("%s: %s to %s, %v", s, start, end, err)
		}
	}
	for _, s := range []string{"", "now", "2025", "2025-02", "2025-02-30", "1738368000", "2025-02-01T25:00:00Z", "01/02/2025", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"} {
		if _, _, err := ParseInstant("from", s); err == nil {
			t.Errorf("%q passed", s)
		}
	}
}

func TestInstant(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	for want, at := range map[string]time.Time{
		"null": {}, `"2025-01-15T14:23:00Z"`: time.Date(2025, 1, 15, 15, 23, 0, 999_000_000, berlin),
	} {
		if raw, err := json.Marshal(Instant(at)); err != nil || string(raw) != want {
			t.Errorf("%s, %v; want %s", raw, err, want)
		}
	}
}

func TestPaging(t *testing.T) {
	for in, want := range map[Paging]domain.Page{
		{}: {Limit: 50}, {Limit: 200}: {Limit: 200}, {Limit: 201}: {Limit: 200}, {Limit: 1, Offset: 7}: {Limit: 1, Offset: 7},
		{Offset: 1 << 60}: {Limit: 50, Offset: maxOffset},
	} {
		if got := in.Page(); got != want {
			t.Errorf("%+v: %+v", in, got)
		}
	}
	ctx := WithRequest(context.Background(), &Request{Target: &url.URL{Path: "/sandbox/x", RawQuery: "a=b&offset=20&limit=10"}})
	head := HeadOf(ctx, domain.Page{Limit: 10, Offset: 20}, 45)
	want := `</sandbox/x?a=b&limit=10&offset=0>; rel="first", </sandbox/x?a=b&limit=10&offset=10>; rel="prev", ` +
		`</sandbox/x?a=b&limit=10&offset=30>; rel="next", </sandbox/x?a=b&limit=10&offset=40>; rel="last"`
	if head.Total != 45 || head.Link != want {
		t.Errorf("%+v", head)
	}
}

func TestIfMatch(t *testing.T) {
	for header, want := range map[string]int64{"": 0, "*": 0, `"7"`: 7, `W/"7"`: 7, ` "12" `: 12} {
		if v, err := (IfMatch{IfMatch: header}).Version(); err != nil || v != want {
			t.Errorf("%s: %d, %v", header, v, err)
		}
	}
	for _, header := range []string{"7", `"x"`, `"+7"`, `""7""`, `"-1"`, `"0"`, `"1", "2"`, `"`, `""`} {
		if v, err := (IfMatch{IfMatch: header}).Version(); domain.CodeOf(err) != domain.CodePrecondition {
			t.Errorf("%s: %d, %v", header, v, err)
		}
	}
}

func TestPublicHidesCauses(t *testing.T) {
	for _, err := range []error{
		errors.New("JSON: the password is hunter2"),
		domain.Errorf(domain.CodeInternal, "the password is hunter2"),
	} {
		if shown := Public(err); shown.Code != domain.CodeInternal || strings.Contains(shown.Error(), "hunter2") || strings.Contains(shown.Error(), "JSON") {
			t.Errorf("%v is shown as %v", err, shown)
		}
	}
	if Public(context.Canceled).Code != domain.CodeUnavailable {
		t.Error("a request that was given up is not unavailable")
	}
}

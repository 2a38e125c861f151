package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// bodies are seeds of fuzz targets that read JSON.
var bodies = []string{
	`{"a":1,"a":2}`, `[[[]]]`, `"\ud800"`, `{"a":{"b":[1e9,null]}}`, "\xff", `1 2`, `{"\u0000":"\u0000"}`, `-0.1e+5`, `{"name":"x","n":1,"Name":2,"other":{"k":[]}}`,
	`{"\ud800":1,"\ud801":2}`, `{"2":1,"1":2,"__proto__":3}`, `1e400`, `{"n":9007199254740993}`, `{"o":null,"list":["a"]}`, ` {} `, `{"name":null}`, `"\u2028/<>&"`,
}

// FuzzCheckJSON: what passes is one value for every decoder, and stays it in the
// canonical form.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range bodies {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := CheckJSON(raw); err != nil {
			if domain.CodeOf(err) != domain.CodeInvalid {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		var v, again any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%q passed: %v", raw, err)
		}
		canonical, err := CanonicalJSON(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if err := json.Unmarshal(canonical, &again); err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("%q became %q: %v", raw, canonical, err)
		}
		if err := CheckJSON(canonical); err != nil {
			t.Errorf("%q passed, but not its canonical form %q: %v", raw, canonical, err)
		}
	})
}

// looseBody is what FuzzLoose decodes into.
type looseBody struct {
	Name Opt[string]         `json:"name,omitzero"`
	N    Opt[int64]          `json:"n,omitzero"`
	List []string            `json:"list,omitempty"`
	O    *struct{ K string } `json:"o,omitempty"`
}

// FuzzLoose: each member of an object ends up in exactly one place, and no
// member takes another's by its letter case.
func FuzzLoose(f *testing.F) {
	for _, seed := range bodies {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var all map[string]any
		if CheckJSON(raw) != nil || json.Unmarshal(raw, &all) != nil || all == nil {
			return
		}
		var got Loose[looseBody]
		if json.Unmarshal(raw, &got) != nil {
			return // a known member of the wrong type
		}
		for name, value := range all {
			extra, there := got.Extra[name]
			known := name == "name" || name == "n" || name == "list" || name == "o"
			if there == known || there && !reflect.DeepEqual(extra, value) {
				t.Errorf("%q: %s is %v beside %+v", raw, name, extra, got.Value)
			}
		}
		if len(got.Extra) > len(all) || got.Value.Name.Sent != has(all, "name") || got.Value.N.Sent != has(all, "n") {
			t.Errorf("%q became %+v", raw, got)
		}
	})
}

func has(m map[string]any, name string) bool {
	_, there := m[name]
	return there
}

// FuzzOpt: a field is what encoding/json makes of it, or null, or an error.
func FuzzOpt(f *testing.F) {
	for _, seed := range append(bodies, "null", " null", "nul", "true") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var o Opt[any]
		err := json.Unmarshal(raw, &o)
		var v any
		wantErr := json.Unmarshal(raw, &v)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, want %v", raw, err, wantErr)
		}
		if err == nil && (!o.Sent || o.Null != (v == nil) || !reflect.DeepEqual(o.Value, v)) {
			t.Errorf("%q became %+v, want %v", raw, o, v)
		}
	})
}

// FuzzParseInstant: what passes is a span of time of this era that can be
// written and read again.
func FuzzParseInstant(f *testing.F) {
	for _, seed := range []string{
		"2025-02-01", "20250201", "2025-02-01T09:00", "2025-02-01T09:00:00Z", "2025-02-01T10:00:00+01:00", "2025-02-01T10:00:00 01:00",
		"2025-02-01T09:00:00.123456789Z", "0000-01-01", "9999-12-31T23:59:59-23:59", "2025-02-29", "24:00", "2025-02-01T09:00:60Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, end, err := ParseInstant("from", s)
		if err != nil {
			if domain.CodeOf(err) != domain.CodeInvalid || s != "" && len(s) > 3 && strings.Contains(err.Error(), s) && !strings.Contains("from must be a date or time in ISO 8601, such as 2025-02-01 or 2025-02-01T09:00:00Z", s) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if !end.After(start) || end.Sub(start) > 24*time.Hour || start.Location() != time.UTC {
			t.Errorf("%q is %s to %s", s, start, end)
		}
		again, _, err := ParseInstant("from", start.Format(time.RFC3339Nano))
		if err != nil || !again.Equal(start) {
			t.Errorf("%q is %s, which is read as %s, %v", s, start, again, err)
		}
	})
}

// FuzzIfMatch: a tag is a version from 1 on, any version, or refused.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{"", "*", `"7"`, `W/"7"`, "7", `"-1"`, `"9223372036854775808"`, `"`, `W/`, `"+1"`, `""1""`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		v, err := IfMatch{IfMatch: header}.Version()
		if err != nil {
			if v != 0 || domain.CodeOf(err) != domain.CodePrecondition {
				t.Errorf("%q: %d, %v", header, v, err)
			}
			return
		}
		tag := strings.TrimSpace(header)
		if v == 0 && tag != "" && tag != "*" || v != 0 && strings.TrimPrefix(tag, "W/") != ETagOf(v).ETag {
			t.Errorf("%q is version %d", header, v)
		}
	})
}

// FuzzPaging: whatever is asked for, the rows are bounded and the links lead to
// this list.
func FuzzPaging(f *testing.F) {
	f.Add(50, 0, 7, "/api/v1/calls?limit=5&a=b")
	f.Add(1<<62, 1<<62, 0, "/x?offset=%zz&offset=2;c=d")
	f.Add(0, 3, 1<<40, "/x y?\"><script>&=&&")
	f.Fuzz(func(t *testing.T, limit, offset, total int, target string) {
		u, err := url.Parse(target)
		if err != nil || limit < 0 || offset < 0 || total < 0 || total > maxOffset { // refused before, or impossible
			return
		}
		p := Paging{Limit: limit, Offset: offset}.Page()
		if p.Limit < 1 || p.Limit > MaxLimit || p.Offset < 0 || p.Offset > maxOffset {
			t.Fatalf("limit %d, offset %d became %+v", limit, offset, p)
		}
		head := HeadOf(WithRequest(context.Background(), &Request{Target: u}), p, total)
		for _, link := range strings.Split(head.Link, ", <") {
			ref, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">; rel=")
			to, err := url.Parse(ref)
			if err != nil || to.Path != u.Path || to.Host != "" || strings.ContainsAny(ref, "<>\" \r\n") {
				t.Errorf("%q has the link %q: %v", target, link, err)
			}
		}
	})
}

// FuzzReadJSON: no body inflates beyond the bound, and no error tells what was
// in it.
func FuzzReadJSON(f *testing.F) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"a":1}`))
	_ = z.Close()
	f.Add(zipped.Bytes(), "application/json", "gzip")
	f.Add([]byte(`{"a":1}`), "application/json; charset=utf-8", "")
	f.Add([]byte(`{"a":1}`), ";;;", "br")
	f.Fuzz(func(t *testing.T, body []byte, media, encoding string) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", media)
		r.Header.Set("Content-Encoding", encoding)
		raw, err := readJSON(r)
		switch {
		case err != nil && domain.CodeOf(err) == domain.CodeInternal:
			t.Errorf("%q: %v", body, err)
		case err == nil && len(raw) > MaxBody:
			t.Errorf("%d bytes", len(raw))
		case err == nil && raw != nil && !json.Valid(raw):
			t.Errorf("%q passed", raw)
		}
	})
}

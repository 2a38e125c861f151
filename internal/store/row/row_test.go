package row_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

func TestMicros(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for _, c := range []struct{ have, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Date(2026, 2, 28, 23, 59, 59, 123456789, berlin), time.Date(2026, 2, 28, 22, 59, 59, 123456000, time.UTC)},
		{time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
	} {
		if got := row.At(c.have).Time(); !got.Equal(c.want) || got.Location() != time.UTC {
			t.Errorf("%v came back as %v, want %v", c.have, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	type values = map[string]any
	for name, c := range map[string]struct {
		have values
		text string
		want values
	}{
		"none":  {nil, "null", nil},
		"empty": {values{}, "{}", values{}},
		"odd": {
			values{"inf": math.Inf(-1), "deep": []any{math.NaN()}, "n": 1.0}, `{"deep":"[NaN]","inf":"-Inf","n":1}`,
			values{"inf": "-Inf", "deep": "[NaN]", "n": 1.0},
		},
		"text": {values{"é<": "\u2028"}, "{\"é\\u003c\":\"\\u2028\"}", values{"é<": "\u2028"}},
	} {
		text, err := row.JSON[values]{V: c.have}.Value()
		if err != nil || text != c.text {
			t.Errorf("%s: stored as %v (%v), want %s", name, text, err, c.text)
		}
		back := row.JSON[values]{V: values{"old": true}}
		if err := back.Scan(text); err != nil || !reflect.DeepEqual(back.V, c.want) {
			t.Errorf("%s: came back as %v (%v), want %v", name, back.V, err, c.want)
		}
	}
	var list row.JSON[[]string]
	for _, src := range []any{nil, "", []byte("null")} {
		if err := list.Scan(src); err != nil || list.V != nil {
			t.Errorf("%v came back as %v (%v), want nothing", src, list.V, err)
		}
	}
	for _, src := range []any{"{", `{"a":1}`, 7} {
		if err := list.Scan(src); err == nil {
			t.Errorf("%v was taken as a list", src)
		}
	}
	if _, err := (row.JSON[[]any]{V: []any{math.NaN()}}).Value(); err == nil {
		t.Error("a list with NaN was stored")
	}
}

// coded is an error as SQLite's driver returns it.
type coded int

func (c coded) Error() string { return fmt.Sprint("sqlite ", int(c)) }
func (c coded) Code() int     { return int(c) }

func TestErrors(t *testing.T) {
	own := domain.NotFound("Agent", "x")
	for _, c := range []struct {
		err  error
		code domain.Code
	}{
		{nil, ""},
		{own, domain.CodeNotFound},
		{coded(5), domain.CodeUnavailable},         // busy
		{coded(10 | 3<<8), domain.CodeUnavailable}, // a short read
		{coded(13), domain.CodeUnavailable},        // the disk is full
		{sql.ErrConnDone, domain.CodeUnavailable},
		{coded(1), domain.CodeInternal}, // wrong SQL
		{coded(2067), domain.CodeInternal},
	} {
		if got := domain.CodeOf(row.Error(c.err, "test")); got != c.code {
			t.Errorf("%v has the code %q, want %q", c.err, got, c.code)
		}
	}
	for _, err := range []error{context.Canceled, fmt.Errorf("query: %w", context.Canceled), coded(9)} {
		if got := row.Error(err, "test"); !errors.Is(got, context.Canceled) {
			t.Errorf("%v became %v, want the context's error", err, got)
		}
	}
	if got := domain.CodeOf(row.Created(coded(1555), "taken")); got != domain.CodeConflict {
		t.Errorf("a taken key has the code %q", got)
	}
	if got := row.Found(sql.ErrNoRows, own); !errors.Is(got, own) {
		t.Errorf("a missing row became %v", got)
	}
}

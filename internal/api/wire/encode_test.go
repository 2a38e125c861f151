package wire_test

import (
	"bytes"
	"encoding/json"
	"math"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/api/wire"
)

// slowly is what Canonical is defined as: encoding/json, rewritten.
func slowly(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return wire.CanonicalJSON(buf.Bytes())
}

type (
	word  string
	shout string
	inner struct {
		Depth int64  `json:"depth"`
		Note  string `json:"note,omitempty"`
	}
	twin  struct{ Depth int64 }
	plain struct {
		inner
		ID      word            `json:"id"`
		On      bool            `json:"on"`
		Small   int8            `json:"small"`
		Big     int64           `json:"big"`
		Count   uint            `json:"count"`
		Ratio   float64         `json:"ratio"`
		Half    float32         `json:"half"`
		Text    string          `json:"text"`
		Maybe   *string         `json:"maybe"`
		At      wire.Instant    `json:"at"`
		Later   *wire.Instant   `json:"later,omitempty"`
		When    time.Time       `json:"when,omitzero"`
		Loud    shout           `json:"loud"`
		Any     any             `json:"any"`
		List    []inner         `json:"list"`
		Words   []word          `json:"words,omitempty"`
		Pair    [2]int          `json:"pair"`
		Map     map[string]any  `json:"map"`
		Typed   map[word]int    `json:"typed,omitzero"`
		Numbers map[int]string  `json:"numbers"`
		Raw     json.RawMessage `json:"raw,omitempty"`
		Bytes   []byte          `json:"bytes"`
		Number  json.Number     `json:"number,omitempty"`
		Self    *plain          `json:"self,omitempty"`
		hidden  int
		Skipped int `json:"-"`
		Untold  int
	}
	// What only encoding/json knows.
	quoted struct {
		N int64 `json:"n,string"`
	}
	clashes struct {
		inner
		twin
		Depth string `json:"depth"`
	}
	pointed struct{ *inner }
	oddly   struct {
		N int `json:"10"`
	}
)

func (s shout) MarshalJSON() ([]byte, error) { return json.Marshal(string(s) + "! <&>\u2028") }

func anyText(t *rapid.T) string {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "0", "17", "4294967294", "4294967295", "01", "a\"b\\c", "\x00\x1f\b\f\n\r\t\x7f", "<>&\u2028\u2029", "\xff\xfeé", "😀\xed\xa0\x80", "__proto__",
	})).Draw(t, "text")
}

func anyFloat(t *rapid.T) float64 {
	return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1e21, 1e20, 1e-7, 1e-6, 123456789012345680, 5e-324})).Draw(t, "float")
}

func anyValue(t *rapid.T, depth int) any {
	kinds := 8
	if depth > 3 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return anyFloat(t)
	case 3:
		return rapid.Int64().Draw(t, "int")
	case 4:
		return anyText(t)
	case 5:
		return json.Number(rapid.SampledFrom([]string{"1.50", "-0", "1e400", "12345678901234567890"}).Draw(t, "number"))
	case 6:
		return rapid.SampledFrom([]any{
			quoted{7}, clashes{Depth: "x"}, pointed{}, pointed{&inner{Depth: 1}}, oddly{1}, shout("a"), []byte("x"), wire.Instant{}, word("w"), map[int]bool{3: true, -1: false},
			&inner{Depth: 1 << 60}, [0]int{}, struct{}{}, []shout{"b"}, map[string]shout{"c": "d"}, (*inner)(nil), (*wire.Instant)(nil), float32(0.1), uint64(1 << 63),
		}).Draw(t, "odd")
	case 7:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = anyValue(t, depth+1)
		}
		return list
	default:
		m := make(map[string]any)
		for range rapid.IntRange(0, 20).Draw(t, "members") {
			m[anyText(t)] = anyValue(t, depth+1)
		}
		return m
	}
}

func anyPlain(t *rapid.T) plain {
	text := anyText(t)
	p := plain{
		inner: inner{Depth: rapid.Int64().Draw(t, "depth"), Note: anyText(t)}, ID: word(anyText(t)), On: true, Small: -3,
		Big: rapid.Int64().Draw(t, "big"), Count: 3, Ratio: anyFloat(t), Half: 0.1, Text: text, Loud: "hey", Any: anyValue(t, 0),
		At: wire.Instant(time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "at"), 5)), Pair: [2]int{1, 2}, hidden: 1, Skipped: 1, Untold: 2,
	}
	if rapid.Bool().Draw(t, "full") {
		at := wire.Instant(time.Unix(1, 0))
		p.Maybe, p.Later, p.When, p.List, p.Words = &text, &at, time.Unix(9, 9).UTC(), []inner{{}, {Note: "n"}}, []word{"a"}
		p.Typed, p.Numbers, p.Bytes, p.Number, p.Raw = map[word]int{"b": 1, "2": 2, "10": 3}, map[int]string{10: "x", 9: "y"}, []byte{1}, "1.0", json.RawMessage(` {"b" : 1.0, "a":"\u003c"} `)
		p.Map, _ = anyValue(t, 0).(map[string]any)
		p.Self = &plain{Text: "within"}
	}
	return p
}

func TestEncodersAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var v any = anyPlain(t)
		switch rapid.IntRange(0, 2).Draw(t, "as") {
		case 1:
			p := anyPlain(t)
			v = &p
		case 2:
			v = anyValue(t, 0)
		}
		want, slow := slowly(v)
		got, fast := wire.Canonical(v)
		if (slow == nil) != (fast == nil) {
			t.Fatalf("%#v has the error %v, want %v", v, fast, slow)
		}
		if slow == nil && !bytes.Equal(got, want) {
			t.Fatalf("\ngot  %s\nwant %s", got, want)
		}
	})
}

func TestEncodersRefuseAlike(t *testing.T) {
	deep := any("end")
	for range wire.MaxCanonicalDepth + 1 {
		deep = []any{deep}
	}
	round := map[string]any{}
	round["again"] = round
	for name, v := range map[string]any{
		"a function": func() {}, "a channel within": map[string]any{"c": make(chan int)}, "an infinity": math.Inf(1), "no number": []float64{math.NaN()},
		"too deep": []any{deep}, "a circle": round,
	} {
		if got, err := wire.Canonical(v); err == nil {
			t.Errorf("%s is %s", name, got)
		}
	}
	if _, err := wire.Canonical(deep); err != nil {
		t.Errorf("what is just not too deep: %v", err)
	}
}

// TestEncodersAreMadeAtOnce has many ask at once for one encoder: a type that holds itself, seen
// for the first time.
func TestEncodersAreMadeAtOnce(t *testing.T) {
	type tree struct {
		Name     string          `json:"name"`
		Children []*tree         `json:"children"`
		ByName   map[string]tree `json:"byName"`
	}
	value := tree{Name: "root", Children: []*tree{{Name: "leaf"}}, ByName: map[string]tree{"x": {}}}
	want, err := slowly(value)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if got, err := wire.Canonical(value); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
			}
		})
	}
	group.Wait()
}

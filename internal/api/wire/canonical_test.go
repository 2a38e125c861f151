package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/api/wire"
)

var canonicalCases = []struct{ name, raw, want string }{
	{"space", " { \"a\" :\t[ 1 , true ,\r\nnull ] } ", `{"a":[1,true,null]}`},
	{"empty", ` [ { } , [ ] , "" ] `, `[{},[],""]`},
	{"insertion order", `{"b":1,"a":2}`, `{"b":1,"a":2}`},
	{"array indices first", `{"b":1,"10":2,"9":3,"a":4}`, `{"9":3,"10":2,"b":1,"a":4}`},
	{"not array indices", `{"b":0,"01":1,"-1":2,"1.5":3,"4294967295":4,"99999999999":5,"":6}`,
		`{"b":0,"01":1,"-1":2,"1.5":3,"4294967295":4,"99999999999":5,"":6}`},
	{"largest array index", `{"b":1,"4294967294":2,"0":3}`, `{"0":3,"4294967294":2,"b":1}`},
	{"escaped array index", `{"b":1,"\u0031":2}`, `{"1":2,"b":1}`},
	{"duplicate: first place, last value", `{"a":1,"b":2,"a":{"c":3}}`, `{"a":{"c":3},"b":2}`},
	{"duplicate by escape", `{"a":1,"\u0061":2}`, `{"a":2}`},
	{"duplicate after repair", "{\"\\ud800\":1,\"\xff\":2}", `{"` + "\ufffd" + `":2}`},
	{"duplicate index", `{"2":1,"x":0,"1":1,"2":3}`, `{"1":1,"2":3,"x":0}`},
	{"nested", `{"z":{"1":{"b":1,"0":2},"0":[{"y":1,"3":1}]}}`, `{"z":{"0":[{"3":1,"y":1}],"1":{"0":2,"b":1}}}`},
	{"prototype names", `{"__proto__":{"a":1},"constructor":2,"toString":3}`, `{"__proto__":{"a":1},"constructor":2,"toString":3}`},
	{"integers", `[0,-0,7,-7,123456789012345,9007199254740993,12345678901234567890]`,
		`[0,0,7,-7,123456789012345,9007199254740992,12345678901234567000]`},
	{"decimals", `[1.0,1.50,0.1e1,-0.0,3.14159,1e2]`, `[1,1.5,1,0,3.14159,100]`},
	{"exponents", `[1e20,1e21,1E+22,1e-6,1e-7,12e-8,5e-324,1.7976931348623157e308]`,
		`[100000000000000000000,1e+21,1e+22,0.000001,1e-7,1.2e-7,5e-324,1.7976931348623157e+308]`},
	{"out of range", `[1e400,-1e400,1e-400]`, `[null,null,0]`},
	{"raw characters", "\"<>&/\u2028\u2029\u007fé世😀\"", "\"<>&/\u2028\u2029\u007fé世😀\""},
	{"needless escapes", `"\/\u003c\u00e9\u2028\ud83d\ude00"`, "\"/<é\u2028😀\""},
	{"needed escapes", `"\"\\\b\f\n\r\t\u0000\u001F\u0008\u0022\u005c"`, `"\"\\\b\f\n\r\t\u0000\u001f\b\"\\"`},
	{"lone surrogates", `"\ud800 \udc00 \ud800\ud800\udc00 \ud800\n \ud800x"`, "\"\ufffd \ufffd \ufffd\U00010000 \ufffd\\n \ufffdx\""},
	{"not UTF-8", "\"a\xffb\xc3\"", "\"a\ufffdb\ufffd\""},
}

func TestCanonicalJSON(t *testing.T) {
	for _, c := range canonicalCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := wire.CanonicalJSON([]byte(c.raw))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("CanonicalJSON(%s)\n got %s\nwant %s", c.raw, got, c.want)
			}
		})
	}
}

func TestCanonicalJSONRefuses(t *testing.T) {
	deep := strings.Repeat("[", wire.MaxCanonicalDepth+2) + strings.Repeat("]", wire.MaxCanonicalDepth+2)
	for _, raw := range []string{"", " ", "{", `{"a"}`, "1 2", "nul", `"` + "\n" + `"`, `"\x"`, `"\u12"`, "01", "[1,]", deep} {
		if got, err := wire.CanonicalJSON([]byte(raw)); err == nil {
			t.Errorf("CanonicalJSON(%.40q) = %.40q, want an error", raw, got)
		}
	}
	if _, err := wire.CanonicalJSON([]byte(deep[1 : len(deep)-1])); err != nil {
		t.Errorf("the deepest allowed input is refused: %v", err)
	}
}

func TestCanonicalValues(t *testing.T) {
	type row struct {
		Z    string         `json:"z"`
		A    *int           `json:"a"`
		Map  map[string]any `json:"map"`
		Raw  json.RawMessage
		Rate float64
	}
	got, err := wire.Canonical(row{
		Z: "<a & b>\u2028", Map: map[string]any{"y": int64(1) << 53, "10": 1, "9": 1}, Raw: []byte(`{ "k" : 1.0 }`), Rate: 1e21,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "{\"z\":\"<a & b>\u2028\",\"a\":null,\"map\":{\"9\":1,\"10\":1,\"y\":9007199254740992},\"Raw\":{\"k\":1},\"Rate\":1e+21}"
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got, err := wire.Canonical(math.NaN()); err == nil {
		t.Errorf("Canonical(NaN) = %s, want an error", got)
	}
}

// TestJavaScriptAgrees has the node on PATH parse and stringify what was made
// canonical, and make its own of the same input.
func TestJavaScriptAgrees(t *testing.T) {
	var lines bytes.Buffer
	pairs := 0
	put := func(raw []byte) {
		got, err := wire.CanonicalJSON(raw)
		if err != nil {
			t.Fatalf("CanonicalJSON(%q): %v", raw, err)
		}
		fmt.Fprintln(&lines, base64.StdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(got))
		pairs++
	}
	for _, c := range canonicalCases {
		put([]byte(c.raw))
	}
	g := adversary{rng: rand.New(rand.NewPCG(1, 2))}
	for range 8_000 {
		g.raw = g.raw[:0]
		g.value(0)
		put(g.raw)
	}
	node := exec.Command("node", "testdata/stringify.js")
	node.Stdin = &lines
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("node (it is needed on PATH): %v\n%s", err, out)
	}
	if want := fmt.Sprintf("pairs %d\n", pairs); string(out) != want {
		t.Errorf("node does not agree:\n%.4000s", out)
	}
}

// adversary writes valid JSON that is as far from canonical as it can be.
type adversary struct {
	rng *rand.Rand
	raw []byte
}

func (g *adversary) space() {
	if g.rng.IntN(6) == 0 {
		g.raw = append(g.raw, " \t\r\n"[g.rng.IntN(4)])
	}
}

func (g *adversary) value(depth int) {
	g.space()
	kind := g.rng.IntN(8)
	if depth > 5 {
		kind = g.rng.IntN(4)
	}
	switch kind {
	case 0:
		g.raw = append(g.raw, []string{"true", "false", "null"}[g.rng.IntN(3)]...)
	case 1, 2:
		g.number()
	case 3:
		g.text()
	case 4:
		g.list('[', ']', func() { g.value(depth + 1) })
	default:
		g.list('{', '}', func() {
			g.name()
			g.space()
			g.raw = append(g.raw, ':')
			g.value(depth + 1)
		})
	}
	g.space()
}

func (g *adversary) list(open, end byte, item func()) {
	g.raw = append(g.raw, open)
	n := g.rng.IntN(6)
	if g.rng.IntN(50) == 0 {
		n = 40
	}
	g.space()
	for i := range n {
		if i > 0 {
			g.raw = append(g.raw, ',')
		}
		g.space()
		item()
		g.space()
	}
	g.raw = append(g.raw, end)
}

func (g *adversary) name() {
	switch g.rng.IntN(4) {
	case 0:
		g.text()
	case 1:
		g.raw = fmt.Appendf(g.raw, `"%d"`, g.rng.IntN(12))
	case 2:
		names := []string{"__proto__", "constructor", "length", "01", "-1", "1e3", "4294967294", "4294967295", "4294967296", "", `\u0031`, "toJSON"}
		g.raw = fmt.Appendf(g.raw, `"%s"`, names[g.rng.IntN(len(names))])
	default:
		g.raw = fmt.Appendf(g.raw, `"%c"`, 'a'+g.rng.IntN(5))
	}
}

func (g *adversary) number() {
	switch g.rng.IntN(5) {
	case 0:
		g.raw = fmt.Appendf(g.raw, "%d", int64(g.rng.Uint64())>>g.rng.IntN(64))
	case 1:
		f := math.Float64frombits(g.rng.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = 0
		}
		g.raw = fmt.Appendf(g.raw, "%.*e", g.rng.IntN(25), f)
	case 2:
		g.raw = fmt.Appendf(g.raw, "%.*f", g.rng.IntN(30), (g.rng.Float64()-0.5)*math.Pow(10, float64(g.rng.IntN(40)-15)))
	case 3:
		g.raw = fmt.Appendf(g.raw, "%dE%+d", g.rng.IntN(100), g.rng.IntN(700)-350)
	default:
		odd := []string{"-0", "-0.0e5", "0e0", "1e21", "1e-7", "9007199254740993", "999999999999999", "1000000000000000", "0.1000000000000000055511151231257827"}
		g.raw = append(g.raw, odd[g.rng.IntN(len(odd))]...)
	}
}

func (g *adversary) text() {
	g.raw = append(g.raw, '"')
	for range g.rng.IntN(8) {
		switch g.rng.IntN(9) {
		case 0:
			g.raw = append(g.raw, []string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`}[g.rng.IntN(8)]...)
		case 1:
			g.raw = fmt.Appendf(g.raw, `\u%04X`, g.rng.IntN(0x80))
		case 2:
			g.raw = fmt.Appendf(g.raw, `\u%04x`, g.rng.IntN(0x10000))
		case 3:
			g.raw = fmt.Appendf(g.raw, `\u%04x\u%04X`, 0xD800+g.rng.IntN(0x400), 0xDC00+g.rng.IntN(0x400))
		case 4:
			g.raw = append(g.raw, "<>&/'\u2028\u2029\u007f\u0080\ufeff"...)
		case 5:
			g.raw = append(g.raw, string(rune(0x80+g.rng.IntN(0x110000-0x80)))...)
		case 6:
			if g.rng.IntN(10) == 0 {
				g.raw = append(g.raw, byte(0x80+g.rng.IntN(0x80)))
			}
		default:
			g.raw = append(g.raw, byte('a'+g.rng.IntN(26)))
		}
	}
	g.raw = append(g.raw, '"')
}

func FuzzCanonicalJSON(f *testing.F) {
	for _, c := range canonicalCases {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := wire.CanonicalJSON(raw)
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Fatalf("%q became %q, which is not JSON", raw, once)
		}
		twice, err := wire.CanonicalJSON(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q, then %q (%v)", raw, once, twice, err)
		}
	})
}

func BenchmarkCanonicalJSON(b *testing.B) {
	body := []byte(`{"calls":[` + strings.Repeat(`{"id":"019a3c55d2a4aa01f2c3d4e5","status":"completed","direction":"outbound","to":"+15551234567","duration":183,"summary":"Prospect interested in a demo next week.","sentiment":"positive","recordingUrl":"https://voice.example/r/1","createdAt":"2025-01-15T14:23:00Z"},`, 49) + `{}],"total":1523}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := wire.CanonicalJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}

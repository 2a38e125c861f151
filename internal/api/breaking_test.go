package api_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var release = flag.Bool("release", false, "take the present contracts as those that later ones must not break")

// TestContractIsKept compares each contract with the one of the last release,
// in docs/openapi/baseline. A change that can break a client fails unless the
// changelog owns up to it: a line under "Unreleased" with the word "Breaking"
// and the operation, as in "Breaking: `DELETE /api/v1/agents/{id}` (klen) …".
func TestContractIsKept(t *testing.T) {
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range faces(t) {
		file := "../../docs/openapi/baseline/" + d.Name + ".json"
		now := contractOf(t, d)
		if *release {
			if err := os.WriteFile(file, now, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range breaks(t, before, now) {
			if !owned(string(changelog), d.Name, b.operation) {
				t.Errorf("%s: %s: %s. Old clients may fail; keep what was there, or write into CHANGELOG.md under Unreleased: Breaking: `%s` (%s) …",
					d.Name, b.operation, b.what, b.operation, d.Name)
			}
		}
	}
}

// owned reports whether the unreleased part of the changelog tells of a break.
func owned(changelog, dialect, operation string) bool {
	_, unreleased, _ := strings.Cut(changelog, "## [Unreleased]")
	unreleased, _, _ = strings.Cut(unreleased, "\n## [")
	for _, entry := range strings.Split(unreleased, "\n- ") {
		if strings.Contains(entry, "Breaking") && strings.Contains(entry, "`"+operation+"`") && strings.Contains(entry, "("+dialect+")") {
			return true
		}
	}
	return false
}

// broken is one change that a client of the old contract may fail on.
type broken struct{ operation, what string }

// breaks lists what a client of the contract before may fail on now.
func breaks(t testing.TB, before, now []byte) []broken {
	t.Helper()
	var c comparison
	if err := errors.Join(json.Unmarshal(before, &c.before), json.Unmarshal(now, &c.now)); err != nil {
		t.Fatal(err)
	}
	for path, item := range object(c.before["paths"]) {
		for method, op := range object(item) {
			c.operation = strings.ToUpper(method) + " " + path
			kept, there := object(object(c.now["paths"])[path])[method]
			if !there {
				c.found("the operation is gone")
				continue
			}
			c.compare(object(op), object(kept))
		}
	}
	slices.SortFunc(c.all, func(a, b broken) int { return strings.Compare(a.operation+a.what, b.operation+b.what) })
	return slices.Compact(c.all)
}

// node is an object of a contract.
type node = map[string]any

func object(v any) node {
	n, _ := v.(node)
	return n
}

// comparison holds two contracts side by side.
type comparison struct {
	before, now node
	operation   string
	seen        map[string]bool // pairs of schemas that were compared
	all         []broken
}

func (c *comparison) found(format string, args ...any) {
	c.all = append(c.all, broken{c.operation, fmt.Sprintf(format, args...)})
}

// compare looks at one operation.
func (c *comparison) compare(before, now node) {
	c.seen = make(map[string]bool)
	old := parameters(before)
	for name, p := range parameters(now) {
		was, there := old[name]
		if p["required"] == true && was["required"] != true {
			c.found("the parameter %s is required now", name)
		}
		if there {
			c.request("the parameter "+name, object(was["schema"]), object(p["schema"]))
		}
		delete(old, name)
	}
	for name := range old {
		c.found("the parameter %s is gone", name)
	}
	was, is := object(before["requestBody"]), object(now["requestBody"])
	if is["required"] == true && was["required"] != true {
		c.found("a body is required now")
	}
	for media, content := range object(was["content"]) {
		kept, there := object(is["content"])[media]
		if !there {
			c.found("the body may not be %s any more", media)
			continue
		}
		c.request("the body", object(object(content)["schema"]), object(object(kept)["schema"]))
	}
	for status, r := range object(before["responses"]) {
		for media, content := range object(object(r)["content"]) {
			kept, there := object(object(object(now["responses"])[status])["content"])[media]
			if !there {
				c.found("the answer %s (%s) is gone", status, media)
				continue
			}
			c.answer("the answer "+status, object(object(content)["schema"]), object(object(kept)["schema"]))
		}
	}
}

func parameters(op node) map[string]node {
	all := make(map[string]node)
	list, _ := op["parameters"].([]any)
	for _, p := range list {
		p := object(p)
		all[fmt.Sprint(p["in"], " ", p["name"])] = p
	}
	return all
}

// again reports whether this pair was compared before; schemas may be recursive.
func (c *comparison) again(side string, before, now node) bool {
	if before["$ref"] == nil {
		return false
	}
	pair := fmt.Sprint(side, before["$ref"], now["$ref"])
	twice := c.seen[pair]
	c.seen[pair] = true
	return twice
}

// request: what was taken must be taken still.
func (c *comparison) request(where string, before, now node) {
	if c.again("request", before, now) {
		return
	}
	before, now = resolved(c.before, before), resolved(c.now, now)
	for _, word := range types(before) {
		if !allows(types(now), word) {
			c.found("%s may not be of type %s any more", where, word)
		}
	}
	if fewer(before["enum"], now["enum"]) {
		c.found("%s takes fewer values", where)
	}
	for name, tighter := range map[string]func(was, is float64) bool{
		"minimum": above, "minLength": above, "minItems": above, "maximum": below, "maxLength": below, "maxItems": below,
	} {
		is, bounded := now[name].(float64)
		was, wasBounded := before[name].(float64)
		if bounded && (!wasBounded || tighter(is, was)) {
			c.found("%s has a tighter %s", where, name)
		}
	}
	if now["pattern"] != nil && now["pattern"] != before["pattern"] {
		c.found("%s has another pattern", where)
	}
	required, _ := now["required"].([]any)
	for _, name := range required {
		if lacks(before["required"], name) {
			c.found("%s.%s is required now", where, name)
		}
	}
	fields := object(now["properties"])
	for name, field := range object(before["properties"]) {
		if fields[name] == nil && now["additionalProperties"] == false {
			c.found("%s.%s is not taken any more", where, name)
		} else if fields[name] != nil {
			c.request(where+"."+name, object(field), object(fields[name]))
		}
	}
	if items := object(before["items"]); items != nil && now["items"] != nil {
		c.request(where+"[]", items, object(now["items"]))
	}
}

// answer: what was promised must be kept still.
func (c *comparison) answer(where string, before, now node) {
	if c.again("answer", before, now) {
		return
	}
	before, now = resolved(c.before, before), resolved(c.now, now)
	for _, word := range types(now) {
		if !allows(types(before), word) {
			c.found("%s may be of type %s now", where, word)
		}
	}
	required, _ := before["required"].([]any)
	for _, name := range required {
		if object(now["properties"])[fmt.Sprint(name)] != nil && lacks(now["required"], name) {
			c.found("%s.%s may be absent now", where, name)
		}
	}
	for name, field := range object(before["properties"]) {
		kept := object(object(now["properties"])[name])
		if kept == nil {
			c.found("%s.%s is gone", where, name)
			continue
		}
		c.answer(where+"."+name, object(field), kept)
	}
	if items := object(before["items"]); items != nil && now["items"] != nil {
		c.answer(where+"[]", items, object(now["items"]))
	}
}

func above(is, was float64) bool { return is > was }
func below(is, was float64) bool { return is < was }

// lacks reports whether v is not in list; an absent list is empty.
func lacks(list, v any) bool {
	all, _ := list.([]any)
	return !slices.Contains(all, v)
}

// fewer reports whether the values that a field may have were cut down.
func fewer(was, is any) bool {
	before, listed := was.([]any)
	return is != nil && (!listed || slices.ContainsFunc(before, func(v any) bool { return lacks(is, v) }))
}

// resolved follows a reference, and takes "this or null" for this.
func resolved(doc, schema node) node {
	if choices, ok := schema["anyOf"].([]any); ok && len(choices) == 2 && object(choices[1])["type"] == "null" {
		of := maps.Clone(resolved(doc, object(choices[0])))
		of["type"] = append(anys(types(of)), "null")
		return of
	}
	if ref, ok := schema["$ref"].(string); ok {
		return object(object(object(doc["components"])["schemas"])[strings.TrimPrefix(ref, "#/components/schemas/")])
	}
	return schema
}

// types lists the types that a schema allows; none means all.
func types(schema node) []string {
	switch t := schema["type"].(type) {
	case string:
		return []string{t}
	case []any:
		words := make([]string, len(t))
		for i := range t {
			words[i] = fmt.Sprint(t[i])
		}
		return words
	}
	return nil
}

// allows reports whether a list of types has word; an empty one has all.
func allows(list []string, word string) bool {
	return len(list) == 0 || slices.Contains(list, word) || word == "integer" && slices.Contains(list, "number")
}

func anys(words []string) []any {
	all := make([]any, len(words))
	for i := range words {
		all[i] = words[i]
	}
	return all
}

// TestBreaksAreFound changes a contract in each way that can break a client, and
// in some that cannot.
func TestBreaksAreFound(t *testing.T) {
	const contract = `{"paths":{"/a/{id}":{
		"get":{"parameters":[{"in":"query","name":"q","schema":{"type":"string","maxLength":9}}],
			"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}},
		"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/B"}}}},"responses":{}}}},
		"components":{"schemas":{
			"A":{"type":"object","required":["id","list"],"properties":{"id":{"type":"string"},"list":{"type":"array","items":{"$ref":"#/components/schemas/A"}},
				"other":{"anyOf":[{"$ref":"#/components/schemas/B"},{"type":"null"}]}}},
			"B":{"type":"object","additionalProperties":false,"properties":{"n":{"type":["integer","null"],"minimum":1},"word":{"type":"string","enum":["x","y"]}}}}}}`
	for _, c := range []struct{ from, to, want string }{
		{`"/a/{id}"`, `"/b/{id}"`, "the operation is gone"},
		{`"get"`, `"put"`, "the operation is gone"},
		{`"name":"q"`, `"name":"p"`, "parameter query q is gone"},
		{`"name":"q"`, `"name":"q","required":true`, "query q is required now"},
		{`"maxLength":9`, `"maxLength":8`, "query q has a tighter maxLength"},
		{`"200"`, `"201"`, "answer 200 (application/json) is gone"},
		{`"requestBody":{`, `"requestBody":{"required":true,`, "a body is required now"},
		{`["id","list"]`, `["id"]`, "the answer 200.list may be absent now"},
		{`{"id":{"type":"string"}`, `{"id":{"type":["string","null"]}`, "the answer 200.id may be of type null now"},
		{`{"id":{"type":"string"}`, `{"di":{"type":"string"}`, "the answer 200.id is gone"},
		{`{"anyOf":[{"$ref":"#/components/schemas/B"},{"type":"null"}]}`, `{"type":"string"}`, "the answer 200.other may be of type string now"},
		{`["integer","null"]`, `["integer"]`, "the body.n may not be of type null any more"},
		{`"minimum":1`, `"minimum":2`, "the body.n has a tighter minimum"},
		{`["x","y"]`, `["x"]`, "the body.word takes fewer values"},
		{`{"n":{`, `{"m":{`, "the body.n is not taken any more"},
		{`"B":{"type":"object"`, `"B":{"type":"object","required":["n"]`, "the body.n is required now"},
		{`"word":{"type":"string"`, `"word":{"type":"string","pattern":"x"`, "the body.word has another pattern"},
		{`"application/json":{"schema":{"$ref":"#/components/schemas/B"}}`, `"text/csv":{}`, "the body may not be application/json any more"},
		// Harmless ones.
		{`["x","y"]`, `["x","y","z"]`, ""}, {`"maxLength":9`, `"maxLength":10`, ""}, {`,"minimum":1`, ``, ""},
		{`{"id":{"type":"string"}`, `{"id":{"type":"string"},"new":{"type":"string"}`, ""}, {`["integer","null"]`, `["number","null"]`, "the answer 200.other.n may be of type number now"},
	} {
		changed := strings.Replace(contract, c.from, c.to, 1)
		if changed == contract {
			t.Fatalf("%s is not in the contract", c.from)
		}
		var texts []string
		for _, b := range breaks(t, []byte(contract), []byte(changed)) {
			texts = append(texts, b.what)
		}
		if all := strings.Join(texts, "; "); !strings.Contains(all, c.want) || c.want == "" && all != "" {
			t.Errorf("%s for %s: found %q, want %q", c.to, c.from, all, c.want)
		}
	}
	log := "## [Unreleased]\n\n- Breaking: `GET /a` (klen) has no name any more.\n\n## [1.0]\n\n- Breaking: `GET /b` (klen).\n"
	if !owned(log, "klen", "GET /a") || owned(log, "klen", "GET /b") || owned(log, "native", "GET /a") || owned(log, "klen", "GET /") {
		t.Error("the changelog is misread")
	}
}
